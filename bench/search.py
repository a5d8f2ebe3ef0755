"""What finding a conversation by its words costs, as the page and the API find it, with N messages stored.

`python -m bench.search --messages N --json` prints {"messages", "p50_ms", "p95_ms", "page": {"owner inbox": {...}}}:
the times of searches, and those of pages as `bench.pages` tells them. The mails have about 80 different words each,
frequent and rare as in a language (200,000 words, by Zipf's law), and lie in twelve mailboxes of very different size.
Searches: words of every frequency, beginnings of words, two and three words, addresses, words that are nowhere; on all
shelves; for the owner, who reads everything, and for a colleague who reads one small mailbox; first pages and second
ones. The tables were never analysed when it begins. fsync and synchronous_commit are on.
"""

import argparse
import json
import random
import statistics
import sys
import time
from pathlib import Path
from typing import Any

from bench.pages import measure as page_measure
from bench.place import filled, instance

VOCABULARY = 200_000
SYLLABLES = (
    *(
        "ka",
        "ro",
        "mi",
        "te",
        "no",
        "sa",
        "li",
        "pu",
        "wa",
        "de",
        "zo",
        "ne",
        "ba",
        "ri",
        "to",
        "ma",
        "ko",
        "la",
        "se",
    ),
    *(
        "pi",
        "du",
        "ga",
        "he",
        "jo",
        "ki",
        "le",
        "mo",
        "na",
        "po",
        "ra",
        "si",
        "ta",
        "u",
        "we",
        "za",
        "be",
        "ce",
        "do",
    ),
    *("fa", "gu"),
)
MAILBOXES = 12
_EACH = 50_000


def word(number: int) -> str:
    """The word of this rank; the same as the database makes."""
    parts = [SYLLABLES[number % 40], SYLLABLES[number // 40 % 40], SYLLABLES[number // 1600 % 40]]
    return "".join([*parts, SYLLABLES[number // 64000]])


_CONVERSATIONS = """
INSERT INTO postroom_conversation (id, workspace_id, account_id, subject, topic, state, person_address, person_name,
       snippet, message_count, unread_count, last_at, last_direction, version, created_at, assignee_id)
SELECT n, %(workspace)s, (%(accounts)s::bigint[])[least(12, 1 + floor(12 * power(random(), 3)))::int],
       'Subject ' || n, 'subject ' || n,
       CASE WHEN n > %(count)s - 3000 THEN 'open' WHEN n %% 50 = 0 THEN 'waiting' ELSE 'done' END,
       'person' || n %% 9000 || '@firm' || n %% 500 || '.example', 'Person', 'Dear all', 3, 0,
       now() - make_interval(secs => (%(count)s - n) * 200), 'in', 1, now(),
       CASE WHEN n %% 1000 = 0 THEN %(assignee)s END
  FROM generate_series(1, %(count)s) AS n
"""
_MESSAGES = """
INSERT INTO postroom_message (id, workspace_id, account_id, conversation_id, direction, purpose, message_id, subject,
       from_address, to_address, cc_address, bcc_address, send_key, is_read, at, from_name, in_reply_to, "references",
       snippet, size_bytes, files, is_automatic, receipt_to, receipt_state, created_at {names})
SELECT c.id * 3 - k, c.workspace_id, c.account_id, c.id, CASE k WHEN 1 THEN 'out' ELSE 'in' END, 'other',
       'm' || c.id * 3 - k || '@firm.example', c.subject, c.person_address, 'office@alderpike.example', '', '', '',
       true, c.last_at - make_interval(secs => k * 7000), c.person_name, '', '{{}}', 'Dear all', 4000, '[]', false, '',
       '', c.last_at - make_interval(secs => k * 7000) {values}
  FROM postroom_conversation c, generate_series(0, 2) AS k
"""
_WORDS = """
INSERT INTO postroom_messagewords (message_id, workspace_id, account_id, conversation_id, at, vector)
SELECT m.id, m.workspace_id, m.account_id, m.conversation_id, m.at, array_to_tsvector(
       array_cat(ARRAY['@@' || m.workspace_id, '@' || m.account_id, 'subject', m.conversation_id::text,
                       split_part(m.from_address, '@', 1), split_part(split_part(m.from_address, '@', 2), '.', 1)],
       (SELECT array_agg((%(syllables)s::text[])[1 + n %% 40] || (%(syllables)s::text[])[1 + n / 40 %% 40]
                      || (%(syllables)s::text[])[1 + n / 1600 %% 40] || (%(syllables)s::text[])[1 + n / 64000])
          FROM (SELECT exp(random() * ln(%(vocabulary)s - 1))::int AS n FROM generate_series(1, 100)
                 WHERE m.id > 0) AS drawn)))
  FROM postroom_message m WHERE m.id BETWEEN %(first)s AND %(last)s
"""


def fill(messages: int) -> dict[str, int]:
    """Who looks, by number: the owner, who reads all of it, and a colleague with one small mailbox."""
    from django.db import connection

    from postroom.models.message import Message
    from postroom.testing.cast import make_account, make_cast

    cast = make_cast()
    accounts = [
        make_account(cast.alice, port=0, address=f"box{n}@alderpike.example") for n in range(MAILBOXES)
    ]
    small = accounts[-1]
    small.owner = cast.bob.user
    small.save()
    values: dict[str, Any] = {
        "workspace": cast.alice.workspace.id,
        "accounts": [one.id for one in accounts],
        "assignee": cast.alice.user.id,
        "count": -(-messages // 3),
        "syllables": list(SYLLABLES),
        "vocabulary": VOCABULARY,
    }
    given = ("id", "workspace_id", "account_id", "conversation_id")
    with connection.cursor() as cursor:
        cursor.execute(_CONVERSATIONS, values)
        cursor.execute(_MESSAGES.format(**_others(Message, _MESSAGES, given)), values)
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE indexname = 'message_words_gin'")
        made = cursor.fetchone()[0]
        cursor.execute("DROP INDEX message_words_gin")
        for first in range(1, messages + 3, _EACH):
            cursor.execute(_WORDS, {**values, "first": first, "last": first + _EACH - 1})
        cursor.execute("SET maintenance_work_mem = '256MB'")
        cursor.execute(made)
    return {"owner": cast.alice.user.id, "colleague": cast.bob.user.id}


def _others(model: Any, sql: str, given: tuple[str, ...]) -> dict[str, str]:
    """Columns that must not be null and are not in the statement, with their empty values."""
    names, values = [], []
    for column in model._meta.concrete_fields:
        if (
            column.null
            or column.column in given
            or f" {column.column}," in sql
            or f'"{column.column}"' in sql
        ):
            continue
        if column.column in sql.split("SELECT", 1)[0]:
            continue
        empty = column.get_default()
        names.append(f', "{column.column}"')
        values.append(f", '{json.dumps(empty) if isinstance(empty, dict | list) else empty}'")
    return {"names": "".join(names), "values": "".join(values)}


def searches(count: int) -> list[tuple[str, str, bool]]:
    """(words, shelf, whether the colleague looks) as people ask: mostly one or two words, mostly everywhere."""
    chance = random.Random(7)

    def some() -> str:
        return word(int(VOCABULARY ** chance.random()))

    made = []
    for number in range(count):
        asked = (
            some(),
            some()[: chance.randint(3, 6)],
            f"{some()} {some()}",
            f"{some()} {some()[:4]}",
            f"person{chance.randint(1, 9000)}@firm{chance.randint(1, 500)}.example",
            f"{some()} {some()} {some()[:3]}",
            f"{word(chance.randint(1, 30))} {some()}",
            "nowhere" + some(),
        )[number % 8]
        shelf = chance.choice(("all", "all", "all", "open", "done", "mine", "waiting"))
        made.append((asked, shelf, number % 5 == 4))
    return made


def pages(conversation: int) -> dict[str, str]:
    return {
        "inbox": "/messages/",
        "inbox all": "/messages/?at=all",
        "inbox done": "/messages/?at=done",
        "inbox search": f"/messages/?at=all&q={word(500)}",
        "conversation": f"/messages/c/{conversation}/",
        "every mail": "/messages/all/",
        "every mail search": f"/messages/all/?q={word(500)}",
        "sent": "/messages/sent/",
        "archive": "/archive/",
        "archive search": f"/archive/?q={word(500)}",
        "status": "/settings/status/",
    }


def paged(made: dict[str, int], rounds: int) -> dict[str, Any]:
    from django.conf import settings
    from django.test import Client

    import postroom.web.wsgi  # noqa: F401  (as granian loads it)
    from postroom.models.conversation import Conversation
    from postroom.models.user import User

    settings.ALLOWED_HOSTS = ["testserver"]
    found: dict[str, Any] = {}
    for who in ("owner", "colleague"):
        user, client = User.objects.get(id=made[who]), Client()
        client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
        theirs = Conversation.objects.filter(account__owner=user).order_by("-id")[:1].get().id
        for name, url in pages(theirs).items():
            if figures := page_measure(client, url, rounds):
                found[f"{who} {name}"] = figures
    return found


def measure(folder: Path, messages: int, count: int, rounds: int, slow: bool) -> dict[str, object]:
    from postroom.models.user import User
    from postroom.queries.conversation import shelf
    from postroom.queries.viewer import viewer_of

    began = time.perf_counter()
    made = filled(folder, lambda: fill(messages), messages=messages)
    people = [viewer_of(User.objects.get(id=made[name])) for name in ("owner", "colleague")]
    print(f"filled in {time.perf_counter() - began:.0f} s", file=sys.stderr)
    took, filled_pages, worst = [], 0, []
    asked = searches(count)
    for words, name, colleague in [*asked[:20], *asked]:
        viewer = people[colleague]
        assert viewer is not None
        before = ""
        for _page in range(2):
            began = time.perf_counter()
            page = shelf(viewer, None, name, words, before)
            took.append(time.perf_counter() - began)
            worst.append((took[-1], words, name, colleague, len(page.rows)))
            filled_pages += bool(page.rows)
            before = page.next
            if not before:
                break
    took = took[20:]
    if not filled_pages:
        raise SystemExit("nothing was found: the search did not work")
    if slow:
        for line in sorted(worst)[-25:]:
            print(*line, file=sys.stderr)
    return {
        "messages": messages,
        "p50_ms": round(statistics.median(took) * 1000, 1),
        "p95_ms": round(statistics.quantiles(took, n=20)[-1] * 1000, 1),
        "page": paged(made, rounds),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--messages", type=int, default=200_000)
    parser.add_argument("--searches", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=20, help="how often each page is asked for")
    parser.add_argument("--slow", action="store_true", help="list the slowest searches")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="make the data there once and use it again")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    with instance(args.keep) as folder:
        result = measure(folder, args.messages, args.searches, args.rounds, args.slow)
    if args.json:
        print(json.dumps(result))
    else:
        for name, value in result.items():
            print(f"{name:12} {value}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
