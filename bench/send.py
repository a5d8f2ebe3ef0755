"""How fast a campaign goes out: frozen rows to recorded outcomes, through `postroom delivery`, one process a core.

`python -m bench.send --recipients N --size BYTES --connections C --json` prints {"messages_per_second",
"reference_messages_per_second", "ratio", "peak_rss_mb", "recipients", "accepted", "lost", "duplicates", "pairs",
"spread"}. Suppressions, DSN parameters, limits and log are on, fsync and synchronous_commit too. The reference is
`smtp-source -d` with canned mail and no database, against the same smtp-sink, in alternating pairs; ratio and spread
(highest minus lowest) are of the pairs, the ratio is their median. `lost` and `duplicates` are counted in one more
pass of at most 20,000 recipients against the counting server.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from bench.place import instance
from bench.sinks import Tools

FIELDS = '<p>Dear {{ salutation | default: "customer" }} {{ name }} {{ surname }},</p><p>{{ company }}</p>'


class Mailing:
    """A workspace with N contacts, and campaigns to them."""

    def __init__(self, recipients: int, size: int, connections: int) -> None:
        from django.db import connection

        from postroom.testing.cast import make_account, make_cast, make_list

        self.recipients = recipients
        self.size = size
        self.cast = make_cast(bounce_host="bounces.bench.example")
        self.viewer = self.cast.alice
        self.account = make_account(self.viewer, port=25, connections=connections, per_hour=500_000_000)
        self.list = make_list(self.viewer, [])
        with connection.cursor() as cursor:
            cursor.execute(
                """INSERT INTO postroom_contact (workspace_id, kind, email, canonical, name, surname, salutation,
                       company, language, attributes, version, created_at, updated_at)
                   SELECT %s, 'other', e, e, 'Anna ' || n, 'Nowak', 'Pani', 'Firma ' || n, 'pl', '{}', 1, now(), now()
                     FROM generate_series(1, %s) AS n, LATERAL (SELECT 'person' || n || '@firm' || n %% 5000 ||
                          '.example' AS e) AS x""",
                [self.viewer.workspace.id, recipients],
            )
            cursor.execute(
                "INSERT INTO postroom_listmember (contact_list_id, contact_id, added_at)"
                " SELECT %s, id, now() FROM postroom_contact WHERE workspace_id = %s",
                [self.list.id, self.viewer.workspace.id],
            )
            cursor.execute(
                """INSERT INTO postroom_suppression (workspace_id, form, value, source, why, at)
                   SELECT %s, 'address', 'left' || n || '@elsewhere.example', 'unsubscribe', '', now()
                     FROM generate_series(1, 10000) AS n""",
                [self.viewer.workspace.id],
            )
        self.list.size = recipients
        self.list.save()

    def freeze(self, port: int, recipients: int) -> int:
        """A campaign to the first recipients, frozen and ready but for the word to start; its id."""
        from django.db import connection

        from postroom.actions.campaign_start import campaign_freeze, campaign_start
        from postroom.testing.cast import make_campaign

        self.account.smtp_port = port
        self.account.save()
        padding = "Lorem ipsum dolor sit amet, consectetur adipiscing elit. " * (
            max(0, self.size - 2300) // 114
        )
        campaign = make_campaign(
            self.viewer, self.account, self.list, html=f"{FIELDS}<p>{padding}</p>", receipt_delivery=True
        )
        campaign_start(viewer=self.viewer, campaign_id=campaign.id, undo_s=86400)
        campaign_freeze(campaign_id=campaign.id)
        with connection.cursor() as cursor:
            if recipients < self.recipients:
                cursor.execute(
                    "DELETE FROM postroom_delivery WHERE campaign_id = %s AND position > %s",
                    [campaign.id, recipients],
                )
                cursor.execute(
                    "DELETE FROM postroom_shard WHERE campaign_id = %s AND first > %s",
                    [campaign.id, recipients],
                )
            cursor.execute("VACUUM (ANALYZE) postroom_delivery")
            cursor.execute("ANALYZE postroom_shard")
            cursor.execute("CHECKPOINT")
        return campaign.id

    def go(self, campaign_id: int) -> float:
        """Say start; seconds until every outcome is recorded."""
        from django.db import connection

        begun = time.perf_counter()
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE postroom_shard SET ready_at = clock_timestamp() WHERE campaign_id = %s", [campaign_id]
            )
            cursor.execute("NOTIFY postroom_shard")
            while True:
                cursor.execute(
                    "SELECT 1 FROM postroom_shard WHERE campaign_id = %s AND NOT is_done LIMIT 1",
                    [campaign_id],
                )
                if cursor.fetchone() is None:
                    return time.perf_counter() - begun
                time.sleep(0.02)

    def accepted(self, campaign_id: int) -> int:
        from postroom.models.delivery import Delivery

        return Delivery.objects.filter(campaign_id=campaign_id, state="accepted").count()


def measure(args: argparse.Namespace, folder: Path) -> dict[str, object]:
    from postroom.testing.run import end, start

    tools = Tools()
    mailing = Mailing(args.recipients, args.size, args.connections)
    rates, references, accepted, peak = [], [], 0, 0
    with ExitStack() as stack:
        sink = stack.enter_context(tools.sink(folder))
        workers = [
            start("delivery", env=dict(os.environ), log=folder / "delivery.log")
            for _ in range(args.processes)
        ]
        for worker in workers:
            stack.callback(end, worker)
        time.sleep(2)
        for pair in range(args.pairs):
            references.append(
                tools.source(
                    sink.port, messages=args.recipients, size=args.size, connections=args.connections
                )
            )
            campaign_id = mailing.freeze(sink.port, args.recipients)
            time.sleep(1.2)  # the daemons look at the account again once a second
            before = sink.messages
            rates.append(args.recipients / mailing.go(campaign_id))
            accepted = mailing.accepted(campaign_id)
            time.sleep(0.2)
            if sink.messages - before != accepted:
                raise SystemExit(
                    f"the sink took {sink.messages - before} messages, our rows say {accepted} accepted"
                )
            peak = max(peak, *[_rss_mb(worker.pid) for worker in workers])
            print(f"pair {pair + 1}: {rates[-1]:.0f}/s, reference {references[-1]:.0f}/s", file=sys.stderr)
        lost, duplicates = count(mailing, min(args.recipients, 20_000), stack)
    ratios = [ours / theirs for ours, theirs in zip(rates, references, strict=True)]
    return {
        "messages_per_second": round(statistics.median(rates)),
        "reference_messages_per_second": round(statistics.median(references)),
        "ratio": round(statistics.median(ratios), 3),
        "peak_rss_mb": peak,
        "recipients": args.recipients,
        "accepted": accepted,
        "lost": lost,
        "duplicates": duplicates,
        "pairs": args.pairs,
        "spread": round(max(ratios) - min(ratios), 3),
    }


def count(mailing: Mailing, recipients: int, stack: ExitStack) -> tuple[int, int]:
    """(lost, duplicates) of one untimed pass against the counting server."""
    from postroom.practice.control import control_ask

    server = subprocess.Popen(
        [sys.executable, "-m", "bench.counting"], stdout=subprocess.PIPE, env={**os.environ}
    )
    stack.callback(server.wait, 10)
    stack.callback(server.terminate)
    assert server.stdout is not None
    ports = json.loads(server.stdout.readline())
    campaign_id = mailing.freeze(ports["port"], recipients)
    time.sleep(1.2)
    mailing.go(campaign_id)
    taken = control_ask(("127.0.0.1", ports["control"]), "summary")
    return recipients - taken["addresses"], taken["duplicates"]


def _rss_mb(pid: int) -> int:
    """The highest resident size the process has had."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) // 1024
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--recipients", type=int, default=50_000)
    parser.add_argument("--size", type=int, default=4096, help="bytes of a message")
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    with instance() as folder:
        try:
            result = measure(args, folder)
        finally:
            log = folder / "delivery.log"
            if log.exists() and os.environ.get("POSTROOM_BENCH_LOG"):
                sys.stderr.write(log.read_text())
    if args.json:
        print(json.dumps(result))
    else:
        for name, value in result.items():
            print(f"{name:32} {value}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
