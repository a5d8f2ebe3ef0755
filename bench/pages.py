"""How long the main pages take in a large firm: through Django's handler in this process, as an owner and as a member.

`python -m bench.pages --contacts N --deliveries M --json` prints {"contacts", "deliveries", "suppressions", "p95_ms",
"page": {"owner contacts": {"best_ms", "p50_ms", "p95_ms", "cpu_ms", "sql_ms", "sql_cpu_ms", "statements"}, ...}}. Every
page is asked for once before it is timed. cpu_ms is this process's own, sql_cpu_ms that of the database's: on a machine
that has other work they tell more than the clock does. --explain PAGE shows the plans of its slow statements instead.
p95_ms is that of the slowest page.
"""

import argparse
import json
import os
import statistics
import sys
import time
from pathlib import Path
from typing import Any

from bench.firm import Firm, fill, firm_of
from bench.place import filled, instance

#: Statements slower than this are explained.
SLOW_MS = 10.0


def pages(firm: Firm) -> dict[str, str]:
    grid = f"/campaigns/{firm.campaign}/"
    return {
        "contacts": "/contacts/",
        "contacts newest": "/contacts/?sort=newest",
        "contacts search": "/contacts/?q=wisniewska1",
        "contacts search rare": f"/contacts/?q=person{firm.contact}@",
        "contacts search none": "/contacts/?q=nobodyhere",
        "contacts blocked": "/contacts/?only=blocked",
        "contacts unlisted": "/contacts/?only=unlisted",
        "contact": f"/contacts/{firm.contact}/",
        "list of all": f"/contacts/?list={firm.big}",
        "list": f"/contacts/?list={firm.small}",
        "list search": f"/contacts/?list={firm.big}&q=nowak5",
        "lists": "/contacts/lists/",
        "imports": "/contacts/imports/",
        "suppressed": "/contacts/suppressed/",
        "suppressed search": "/contacts/suppressed/?q=person4000",
        "exclusions": "/contacts/exclusions/",
        "campaigns": "/campaigns/",
        "campaign": grid,
        "campaign failed": f"{grid}?show=failed",
        "campaign not reached": f"{grid}?show=not_reached",
        "campaign queued": f"{grid}?show=queued",
        "campaign no report": f"{grid}?show=no_report",
        "campaign displayed": f"{grid}?show=displayed",
        "campaign replied": f"{grid}?show=replied",
        "campaign unsubscribed": f"{grid}?show=unsubscribed",
        "campaign search": f"{grid}?q=person777",
        "campaign search none": f"{grid}?q=nobodyhere",
        "draft": f"/campaigns/{firm.draft}/",
        "new campaign": "/campaigns/new/",
        "templates": "/templates/",
        "settings": "/settings/",
        "accounts": "/settings/accounts/",
        "types": "/settings/types/",
        "people": "/settings/people/",
        "profiles": "/settings/profiles/",
        "sending": "/settings/sending/",
        "audit": "/settings/audit/",
        "api contacts": "/api/v1/contacts",
        "api lists": "/api/v1/lists",
        "api campaigns": "/api/v1/campaigns",
        "api deliveries": f"/api/v1/campaigns/{firm.campaign}/deliveries",
    }


class Watch:
    """Counts statements and the time they take."""

    def __init__(self) -> None:
        self.done: list[tuple[float, str, Any]] = []

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        began = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            self.done.append(((time.perf_counter() - began) * 1000, sql, params))


def measure(client: Any, url: str, rounds: int) -> dict[str, float] | None:
    """None for a page this person may not see."""
    from django.db import connection

    if client.get(url).status_code in (403, 404):
        return None
    took, cpu, watch, ticks = [], [], Watch(), _ticks()
    for _ in range(rounds):
        began, began_cpu = time.perf_counter(), time.process_time()
        with connection.execute_wrapper(watch):
            answer = client.get(url)
            b"".join(answer.streaming_content) if answer.streaming else answer.content
        took.append((time.perf_counter() - began) * 1000)
        cpu.append((time.process_time() - began_cpu) * 1000)
        if answer.status_code != 200:
            raise SystemExit(f"{url} answered {answer.status_code}")
    sql_cpu_ms = (_ticks() - ticks) * 1000 / os.sysconf("SC_CLK_TCK") / rounds
    return {
        "best_ms": round(min(took), 1),
        "p50_ms": round(statistics.median(took), 1),
        "p95_ms": round(statistics.quantiles(took, n=20)[-1] if rounds > 1 else took[0], 1),
        "cpu_ms": round(statistics.median(cpu), 1),
        "sql_ms": round(sum(ms for ms, _, _ in watch.done) / rounds, 1),
        "sql_cpu_ms": round(sql_cpu_ms, 1),
        "statements": round(len(watch.done) / rounds, 1),
    }


def _ticks() -> int:
    """What our process of the database has used of its processor (proc(5): fields 14 and 15)."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        process = cursor.fetchone()[0]
    used = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return int(used[11]) + int(used[12])


def explain(client: Any, url: str) -> None:
    from django.db import connection

    client.get(url)
    watch = Watch()
    with connection.execute_wrapper(watch):
        client.get(url)
    for ms, sql, params in sorted(watch.done, key=lambda one: -one[0]):
        if ms < SLOW_MS or not sql.lstrip().upper().startswith(("SELECT", "WITH")):
            continue
        print(f"--- {ms:.1f} ms\n{sql[:1500]}\n{str(params)[:300]}")
        with connection.cursor() as cursor:
            cursor.execute("EXPLAIN (ANALYZE, BUFFERS) " + sql, params)
            print("\n".join(row[0][:200] for row in cursor.fetchall()))


def run(firm: Firm, rounds: int, only: list[str], part: str) -> dict[str, Any]:
    from django.test import Client

    import postroom.web.wsgi  # noqa: F401  (as granian loads it)

    found: dict[str, Any] = {}
    for who, viewer in (("owner", firm.owner), ("member", firm.member)):
        client = Client()
        client.force_login(viewer.user, backend="allauth.account.auth_backends.AuthenticationBackend")
        for name, url in pages(firm).items():
            label = f"{who} {name}"
            if only and label in only:
                print(f"=== {label}")
                explain(client, url)
            elif (not only) and part in label and (figures := measure(client, url, rounds)):
                found[label] = figures
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--contacts", type=int, default=1_000_000)
    parser.add_argument("--deliveries", type=int, default=2_000_000)
    parser.add_argument("--suppressions", type=int, default=None, help="left out = half of the contacts")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--explain", action="append", default=[], metavar="PAGE", help='as "owner contacts"')
    parser.add_argument("--part", default="", metavar="WORDS", help="only pages whose name holds it")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="make the data there once and use it again")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    suppressions = args.contacts // 2 if args.suppressions is None else args.suppressions
    with instance(args.keep) as folder:
        from django.conf import settings

        settings.ALLOWED_HOSTS = ["testserver"]  # nothing else of a test's surroundings: they cost time
        began = time.perf_counter()
        size = {"contacts": args.contacts, "deliveries": args.deliveries, "suppressions": suppressions}
        made = filled(folder, lambda: fill(args.contacts, args.deliveries, suppressions), **size)
        fill_s = time.perf_counter() - began
        page = run(firm_of(made), args.rounds, args.explain, args.part)
    if args.explain:
        return 0
    result = {
        **size,
        "fill_s": round(fill_s),
        "p95_ms": max(one["p95_ms"] for one in page.values()),
        "page": page,
    }
    if args.json:
        print(json.dumps(result))
        return 0
    for name, one in page.items():
        print(f"{name:30} " + "  ".join(f"{key} {value:>7}" for key, value in one.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
