"""What the suppression check at dispatch costs: mini-batches loaded as `postroom delivery` does, with N entries.

`python -m bench.suppression --suppressions N --json` prints {"suppressions", "batches_per_second",
"statements_per_batch", "p95_ms"}. Of the entries 94 in a hundred are addresses, 5 domains, 1 names at any domain, and
there are a hundred for subdomains; one in ten is personal, half of these the sender's. Of the 200 recipients of a batch
one in fifty is covered. fsync and synchronous_commit are on; the load only reads.
"""

import argparse
import json
import statistics
import sys
import time
from datetime import timedelta
from typing import Any

from bench.place import instance

BATCH = 200
SHARD = 1000

_ENTRIES = """
INSERT INTO postroom_suppression (workspace_id, form, value, owner_id, source, why, at)
SELECT %(workspace)s,
       CASE WHEN n %% 100 < 94 THEN 'address' WHEN n %% 100 < 99 THEN 'domain' ELSE 'local' END,
       CASE WHEN n %% 100 < 94 THEN 'left' || n || '@firm' || n %% 5000 || '.example'
            WHEN n %% 100 < 99 THEN 'gone' || n || '.example' ELSE 'name' || n END,
       CASE n %% 20 WHEN 0 THEN %(owner)s WHEN 10 THEN %(other)s END,
       CASE WHEN n %% 10 = 0 THEN 'manual' WHEN n %% 3 = 0 THEN 'unsubscribe' WHEN n %% 3 = 1 THEN 'import'
            ELSE 'bounce' END, '', now()
  FROM generate_series(1, %(count)s) AS n
"""


def fill(suppressions: int, recipients: int) -> Any:
    """A campaign to the recipients, frozen, beside the entries; the viewer who started it."""
    from django.db import connection

    from postroom.actions.campaign_start import campaign_freeze, campaign_start
    from postroom.testing.cast import make_account, make_campaign, make_cast, make_list

    cast = make_cast()
    emails = [
        f"left{n}@firm{n % 5000}.example" if n % 50 == 1 else f"person{n}@firm{n % 5000}.example"
        for n in range(1, recipients + 1)
    ]
    people = make_list(cast.alice, emails)
    with connection.cursor() as cursor:
        cursor.execute(
            _ENTRIES,
            {
                "workspace": cast.alice.workspace.id,
                "owner": cast.alice.user.id,
                "other": cast.bob.user.id,
                "count": suppressions,
            },
        )
        cursor.execute(
            """INSERT INTO postroom_suppression (workspace_id, form, value, source, why, at)
               SELECT %s, 'subdomains', 'parent' || n || '.example', 'manual', '', now()
                 FROM generate_series(1, 100) AS n""",
            [cast.alice.workspace.id],
        )
    campaign = make_campaign(cast.alice, make_account(cast.alice, port=25), people)
    campaign_start(viewer=cast.alice, campaign_id=campaign.id, undo_s=0)
    campaign_freeze(campaign_id=campaign.id)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE) postroom_suppression")
        cursor.execute("VACUUM (ANALYZE) postroom_delivery")
    return cast.alice


def measure(suppressions: int, batches: int) -> dict[str, object]:
    from psycopg import Cursor

    from postroom.actions.shard import shard_claim, shard_load
    from postroom.queries import prepared

    fill(suppressions, max(SHARD, min(batches * BATCH, 20_000)))
    statements = 0

    class Counting(Cursor[Any]):
        def execute(self, *args: Any, **more: Any) -> Any:
            nonlocal statements
            statements += 1
            return super().execute(*args, **more)

    claims = []
    while claim := shard_claim(worker="bench", lease=timedelta(hours=1), busy=[]):
        claims.append(claim)
    places = [(claim, begin) for claim in claims for begin in range(0, claim.size, BATCH)]
    shard_load(*places[0], places[0][1] + BATCH)
    took, skipped = [], 0
    setattr(prepared, "Cursor", Counting)  # noqa: B010  (mypy does not let the name be set)
    for number in range(batches):
        claim, begin = places[number % len(places)]
        began = time.perf_counter()
        rows = shard_load(claim, begin, begin + BATCH)
        took.append(time.perf_counter() - began)
        skipped += sum(bool(row.suppressed) for row in rows)
    if suppressions and not skipped:
        raise SystemExit("nobody was found suppressed: the check did not work")
    return {
        "suppressions": suppressions,
        "batches_per_second": round(batches / sum(took), 1),
        "statements_per_batch": round(statements / batches, 2),
        "p95_ms": round(statistics.quantiles(took, n=20)[-1] * 1000, 1),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--suppressions", type=int, default=500_000)
    parser.add_argument("--batches", type=int, default=300)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    with instance():
        result = measure(args.suppressions, args.batches)
    if args.json:
        print(json.dumps(result))
    else:
        for name, value in result.items():
            print(f"{name:24} {value}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
