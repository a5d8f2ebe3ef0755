"""A large firm in the database: 200 users, 2,000 lists, N contacts, suppressions of three forms, M deliveries."""

from dataclasses import dataclass
from typing import Any

FIRST = (
    "Żaneta",
    "Łukasz",
    "Grażyna",
    "Józef",
    "Anna",
    "Jan",
    "Piotr",
    "Małgorzata",
    "Paweł",
    "Мария",
    "Eve",
)
LAST = (
    "Świątek",
    "Zięba",
    "Dąbrowska",
    "Gąsior",
    "Nowak",
    "Kowalski",
    "Wiśniewska",
    "Петрова",
    "Brown",
    "Mazur",
)
COMPANY = ("Meble Zięba", "Alder & Pike", "Hurtownia Łódź", "Стоманен двор", "Nowak i Syn")
USERS, LISTS, CAMPAIGNS = 200, 2_000, 200

_CONTACTS = """
INSERT INTO postroom_contact (workspace_id, kind, email, canonical, name, surname, salutation, company, language,
    attributes, version, created_at, updated_at)
SELECT %(workspace)s, 'other', 'person' || n || '@firm' || n %% 5000 || '.example',
       'person' || n || '@firm' || n %% 5000 || '.example', (%(first)s::text[])[1 + n %% 11],
       (%(last)s::text[])[1 + n / 11 %% 10] || n %% 997, '', (%(company)s::text[])[1 + n %% 5], '',
       jsonb_build_object('customer_no', 'K-' || n), 1, now(), now()
  FROM generate_series(1, %(contacts)s) AS n
"""
_SEARCH = """
INSERT INTO postroom_contactsearch (contact_id, workspace_id, text, sort_key)
SELECT c.id, c.workspace_id,
       (%(first)s::text[])[array_position(%(names)s::text[], c.name::text)] || ' '
           || translate(lower(c.surname) || ' ' || lower(c.company), 'ąćęłńóśźż', 'acelnoszz') || ' ' || c.canonical,
       left(lower(c.surname) || ' ' || (%(first)s::text[])[array_position(%(names)s::text[], c.name::text)], 80)
  FROM postroom_contact c WHERE c.workspace_id = %(workspace)s
"""
# Everybody is on list 1 and on two more.
_MEMBERS = """
INSERT INTO postroom_listmember (contact_list_id, contact_id, added_at)
SELECT DISTINCT (%(lists)s::bigint[])[at], c.id, now()
  FROM postroom_contact c,
       LATERAL unnest(ARRAY[1, 2 + c.id %% %(others)s, 2 + (c.id * 7 + 13) %% %(others)s]) AS at
 WHERE c.workspace_id = %(workspace)s
"""
_SIZES = """
UPDATE postroom_contactlist l SET size = n
  FROM (SELECT contact_list_id, count(*) AS n FROM postroom_listmember GROUP BY 1) m WHERE m.contact_list_id = l.id
"""
_SUPPRESSIONS = """
INSERT INTO postroom_suppression (workspace_id, form, value, owner_id, source, why, at)
SELECT %(workspace)s,
       CASE WHEN n %% 100 < 94 THEN 'address' WHEN n %% 100 < 99 THEN 'domain' ELSE 'local' END,
       CASE WHEN n %% 100 < 94 THEN 'person' || n * 40 || '@firm' || n * 40 %% 5000 || '.example'
            WHEN n %% 100 < 99 THEN 'gone' || n || '.example' ELSE 'name' || n END,
       CASE n %% 20 WHEN 0 THEN %(owner)s WHEN 10 THEN %(member)s END,
       CASE WHEN n %% 10 = 0 THEN 'manual' WHEN n %% 3 = 0 THEN 'unsubscribe' WHEN n %% 3 = 1 THEN 'import'
            ELSE 'bounce' END, '', now() - n * interval '1 minute'
  FROM generate_series(1, %(count)s) AS n
"""
# Of a hundred: 2 failed, 1 deferred, 1 uncertain, 2 skipped, the rest accepted; 3 bounced, 10 delivered, 5 read.
_DELIVERIES = """
INSERT INTO postroom_delivery (workspace_id, campaign_id, position, contact_id, address, canonical, name, fields,
    state, trouble, reason, attempts, queued_at, state_at, code, words, bounce_class, dsn_requested, tries, retry_shard,
    arrival, arrival_at, reading, reading_at, unsubscribed_at, replied_at)
SELECT c.workspace_id, %(campaign)s, n, c.id, c.email, c.canonical, c.name || ' ' || c.surname, '{}',
       s.state, nullif(s.state, 'accepted'), CASE s.state WHEN 'skipped' THEN 'suppressed_shared' ELSE '' END, 1,
       now() - interval '1 hour', now(), 250, '2.0.0 Ok', '', true, '[]', 0,
       s.arrival, CASE WHEN s.arrival <> 'unknown' THEN now() END,
       s.reading, CASE WHEN s.reading <> 'none' THEN now() END,
       CASE WHEN n %% 500 = 3 THEN now() END, CASE WHEN n %% 300 = 4 THEN now() END
  FROM generate_series(1, %(count)s) AS n
  JOIN postroom_contact c ON c.id = %(first)s + (n::bigint * 7 + %(campaign)s * 31) %% %(contacts)s,
       LATERAL (SELECT CASE n %% 100 WHEN 0 THEN 'failed' WHEN 50 THEN 'failed' WHEN 1 THEN 'deferred'
                                     WHEN 2 THEN 'uncertain' WHEN 60 THEN 'skipped' WHEN 61 THEN 'skipped'
                                     ELSE 'accepted' END AS state,
                       CASE WHEN n %% 100 IN (10, 11, 12) THEN 'bounced' WHEN n %% 10 = 9 THEN 'delivered'
                            ELSE 'unknown' END AS arrival,
                       CASE WHEN n %% 20 = 19 THEN 'displayed' ELSE 'none' END AS reading) s
"""
_SHARDS = """
INSERT INTO postroom_shard (workspace_id, account_id, campaign_id, first, size, mark, epoch, step, worker, ready_at,
    is_done, accepted, failed, deferred, uncertain, skipped)
SELECT %(workspace)s, %(account)s, %(campaign)s, n, least(1000, %(count)s - n + 1), 1000, 1, 5, '', now(), true,
       940, 20, 10, 10, 20
  FROM generate_series(1, %(count)s, 1000) AS n
"""


@dataclass
class Firm:
    """Whose eyes the pages are seen with, and what they show."""

    owner: Any
    member: Any
    big: int
    small: int
    campaign: int
    draft: int
    contact: int


def firm_of(made: dict[str, int]) -> Firm:
    """From what `fill` told."""
    from postroom.models.user import User
    from postroom.queries.viewer import viewer_of

    people: dict[str, Any] = {
        name: viewer_of(User.objects.get(id=made[name])) for name in ("owner", "member")
    }
    return Firm(**{**made, **people})


def fill(contacts: int, deliveries: int, suppressions: int) -> dict[str, int]:
    """What `firm_of` takes. The member sees 1,200 of the lists (the rest are private or of other profiles) and half of
    the campaigns.
    """
    from django.db import connection, transaction

    from postroom.actions.search_index import search_index
    from postroom.mail.fold import fold
    from postroom.testing.cast import make_cast

    cast = make_cast()
    space = cast.alice.workspace
    people, profiles = _people(space)
    with transaction.atomic(), connection.cursor() as cursor:
        names = {"first": list(FIRST), "last": list(LAST), "company": list(COMPANY)}
        cursor.execute(_CONTACTS, {"workspace": space.id, "contacts": contacts, **names})
        folded = {"names": list(FIRST), "first": [fold(name) for name in FIRST]}
        cursor.execute(_SEARCH, {"workspace": space.id, **folded})
        lists = _lists(cast, people, profiles)
        cursor.execute(_MEMBERS, {"workspace": space.id, "lists": lists, "others": LISTS - 1})
        cursor.execute(_SIZES)
        owners = {"owner": cast.alice.user.id, "member": cast.bob.user.id}
        cursor.execute(_SUPPRESSIONS, {"workspace": space.id, "count": suppressions, **owners})
        cursor.execute("SELECT min(id) FROM postroom_contact WHERE workspace_id = %s", [space.id])
        first = int(cursor.fetchone()[0])
        campaigns = _campaigns(
            cursor, cast, lists, profiles, first=first, contacts=contacts, deliveries=deliveries
        )
        _library(cast, people, profiles, lists[0])
    with connection.cursor() as cursor:
        for table in (
            "contact",
            "contactsearch",
            "listmember",
            "suppression",
            "delivery",
            "contactlist",
            "share",
        ):
            cursor.execute(f"VACUUM (ANALYZE) postroom_{table}")
        cursor.execute("ANALYZE")
    while search_index(seconds=600):
        pass
    return {
        "owner": cast.alice.user.id,
        "member": cast.bob.user.id,
        "big": lists[0],
        "small": lists[1],
        "campaign": campaigns[0],
        "draft": campaigns[-1],
        "contact": first + contacts // 2,
    }


def _people(space: Any) -> tuple[list[Any], list[Any]]:
    from postroom.models.profile import OFFICE_RIGHTS, Profile, ProfileMember
    from postroom.models.user import User
    from postroom.models.workspace import Membership

    rights = [str(right) for right in OFFICE_RIGHTS]
    profiles = Profile.objects.bulk_create(
        Profile(workspace=space, name=f"Department {n}", rights=rights) for n in range(10)
    )
    people = User.objects.bulk_create(
        User(email=f"user{n}@alderpike.example", name=f"{FIRST[n % 11]} {LAST[n % 10]}", password="!")
        for n in range(USERS - 2)
    )
    Membership.objects.bulk_create(Membership(workspace=space, user=user, role="member") for user in people)
    ProfileMember.objects.bulk_create(
        ProfileMember(profile=profiles[n % 10], user=user, is_primary=True) for n, user in enumerate(people)
    )
    return list(people), list(profiles)


def _shared(number: int) -> str:
    """Of five things one is private and one given to profiles."""
    return ("workspace", "private", "workspace", "profiles", "workspace")[number % 5]


def _lists(cast: Any, people: list[Any], profiles: list[Any]) -> list[int]:
    from postroom.models.contact import ContactList
    from postroom.models.profile import Share

    made = ContactList.objects.bulk_create(
        ContactList(
            workspace=cast.alice.workspace,
            name="Everybody" if n == 0 else f"{COMPANY[n % 5]} {n}",
            created_by=people[n % len(people)],
            visibility=_shared(n),
        )
        for n in range(LISTS)
    )
    Share.objects.bulk_create(
        Share(
            workspace=cast.alice.workspace,
            noun="list",
            noun_id=one.id,
            profile=profiles[n % 10],
            may=["view", "use"],
        )
        for n, one in enumerate(made)
        if one.visibility == "profiles"
    )
    return [one.id for one in made]


def _campaigns(
    cursor: Any,
    cast: Any,
    lists: list[int],
    profiles: list[Any],
    *,
    first: int,
    contacts: int,
    deliveries: int,
) -> list[int]:
    """A third of the deliveries belong to the first; the last is a draft to everybody."""
    from django.utils import timezone

    from postroom.models.campaign import Campaign
    from postroom.models.delivery import CampaignFigures
    from postroom.testing.cast import make_account

    space, found = cast.alice.workspace, []
    account = make_account(cast.alice, port=25, everyone=["view", "use"])
    for n in range(CAMPAIGNS):
        last = n == CAMPAIGNS - 1
        count = 0 if last else deliveries // 3 if n == 0 else deliveries * 2 // 3 // (CAMPAIGNS - 2)
        one = Campaign.objects.create(
            workspace=space,
            account=account,
            created_by=cast.alice.user,
            name=f"Price list {n}",
            subject="Prices for {{ name }}",
            html="<p>Dear {{ name }} {{ surname }},</p><p>here are our prices.</p>",
            state="draft" if last else "finished",
            total=count,
            visibility="workspace" if n in (0, CAMPAIGNS - 1) else _shared(n),
            started_at=None if last else timezone.now(),
            finished_at=None if last else timezone.now(),
        )
        one.lists.set([lists[0]] if n in (0, CAMPAIGNS - 1) else [lists[n]])
        values = {"workspace": space.id, "campaign": one.id, "account": account.id, "count": count}
        cursor.execute(_DELIVERIES, {**values, "first": first, "contacts": contacts})
        cursor.execute(_SHARDS, values)
        CampaignFigures.objects.bulk_create(
            CampaignFigures(campaign=one, lane=lane, delivered=count // 100, bounced=count // 300)
            for lane in range(8)
        )
        found.append(one.id)
    return found


def _library(cast: Any, people: list[Any], profiles: list[Any], everybody: int) -> None:
    """Accounts, templates, types, imports and the audit trail of a firm of this size."""
    from postroom.actions.blob import blob_put
    from postroom.models.contact import ImportRun
    from postroom.models.message_type import MessageType
    from postroom.models.template import Template
    from postroom.testing.cast import make_account

    space = cast.alice.workspace
    for n, user in enumerate(people):
        account = make_account(cast.alice, port=25, name=f"Account {n}", address=f"a{n}@alderpike.example")
        type(account).objects.filter(id=account.id).update(owner=user, visibility=_shared(n))
    Template.objects.bulk_create(
        Template(
            workspace=space,
            name=f"Template {n}",
            subject="Prices",
            html="<p>Prices</p>" * 50,
            created_by=people[n % len(people)],
            visibility=_shared(n),
        )
        for n in range(500)
    )
    MessageType.objects.bulk_create(
        MessageType(workspace=space, name=f"Type {n}", created_by=cast.alice.user) for n in range(100)
    )
    file = blob_put(b"email\n")
    ImportRun.objects.bulk_create(
        ImportRun(
            workspace=space, user=cast.alice.user, file_name=f"{n}.csv", file=file, state="done", added=1000
        )
        for n in range(500)
    )
