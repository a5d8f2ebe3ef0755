"""The cast at every address: owner, colleague with the right, colleague without, stranger, nobody signed in."""

import re
from dataclasses import dataclass, field

import pytest
from django.core.cache import cache
from django.db import transaction
from django.test import Client
from django.urls import get_resolver
from django.utils import timezone

from postroom.actions.blob import blob_put
from postroom.actions.conversation import note_add
from postroom.actions.conversation_join import conversations_join
from postroom.actions.group import group_make
from postroom.actions.group_member import member_add as member_new
from postroom.actions.invitation import invitation_add
from postroom.actions.member import member_add
from postroom.actions.token import token_add
from postroom.models.account import Collector, Probe
from postroom.models.contact import ImportRun
from postroom.models.delivery import Delivery
from postroom.models.domain import Domain
from postroom.models.draft import Draft
from postroom.models.event import Event
from postroom.models.exclusion import Exclusion
from postroom.models.group import Posting
from postroom.models.message import Message
from postroom.models.message_type import MessageType
from postroom.models.profile import Profile, ProfileMember, Right
from postroom.models.record import Record
from postroom.models.suppression import Suppression
from postroom.models.template import Template, TemplateVersion
from postroom.models.user import User
from postroom.models.webhook import Webhook
from postroom.queries.scopes import SCOPES, scope_of
from postroom.testing.cast import make_account, make_campaign, make_list
from postroom.web.api import api
from postroom.web.rights_words import GROUPS
from tests.web.matrix import PAGES
from tests.web.matrix_api import API, BODIES, FORMS

pytestmark = pytest.mark.django_db
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
ALL = frozenset(str(right) for right in Right)
WHO = ("nobody", "stranger", "without", "with", "owner")


@dataclass
class World:
    clients: dict[str, Client]
    profile: Profile
    ids: dict[str, object] = field(default_factory=dict)

    def ids_for(self, route):
        """An operator decides on a platform account that waits; all else is about Alice's own account."""
        asked = re.search(r"/(approve|reject|suspend)\b", route)
        return {**self.ids, "account_id": self.ids["platform_id"]} if asked else self.ids


@pytest.fixture
def world(cast):
    """One of everything that Alice has, shared as it is by default; Dana, whose rights change from row to row."""
    cache.clear()
    alice, space = cast.alice, cast.alice.workspace
    dana = User.objects.create_user("dana@example.org", "correct horse", name="Dana")
    member_add(workspace=space, user=dana, profile_ids=[])
    profile = Profile.objects.create(workspace=space, name="Dana's")
    ProfileMember.objects.create(profile=profile, user=dana)
    people = {"stranger": cast.charlie.user, "without": dana, "with": dana, "owner": alice.user}
    clients = {"nobody": Client()}
    for who, user in people.items():
        clients[who] = Client(raise_request_exception=False)
        clients[who].force_login(user, backend=BACKEND)
    account, listed = make_account(alice, port=2525), make_list(alice, ["one@example.org"])
    platform = make_account(
        cast.bob, port=0, name="Firm's", kind="platform", approval="pending", submitted_by=cast.bob.user
    )
    campaign = make_campaign(alice, account, listed)
    raw = blob_put(b"From: a@example.org\r\nSubject: Hello\r\n\r\nHello\r\n")
    message = Message.objects.create(
        workspace=space, account=account, direction="in", raw=raw, subject="Hello"
    )
    second, other = (
        Message.objects.create(workspace=space, account=account, direction="in", raw=raw, subject=subject)
        for subject in ("Re: Hello", "Other")
    )
    conversations_join([message, other], {})
    conversations_join([second], {}, into={second.id: message.conversation_id})
    note = note_add(viewer=alice, conversation_id=message.conversation_id, text="Ring them.")
    event = Event.objects.create(
        workspace=space,
        account=account,
        raw=raw,
        source="smtp",
        kind="dsn",
        error="Unreadable.",
        strength="none",
        received_at=timezone.now(),
    )
    domain = Domain.objects.create(workspace=space, name="alderpike.example", token="t")
    proved = Domain.objects.create(workspace=space, name="pike.example", token="t", proved_at=timezone.now())
    group = group_make(viewer=alice, domain_id=proved.id, name="office")
    posting = Posting.objects.create(group=group, state="held", raw=raw, subject="Hello")
    suppressed = Suppression.objects.create(
        workspace=space, form="address", value="no@example.org", source="manual"
    )
    delivery = Delivery.objects.create(
        workspace=space,
        campaign=campaign,
        position=1,
        address="one@example.org",
        canonical="one@example.org",
        queued_at=timezone.now(),
    )
    template = Template.objects.create(workspace=space, created_by=alice.user, name="Plain")
    TemplateVersion.objects.create(template=template, version=1, name="Plain")
    kind = MessageType.objects.create(workspace=space, created_by=alice.user, name="Offer")
    probe = Probe.objects.create(workspace=space, user=alice.user, state="done")
    run = ImportRun.objects.create(
        workspace=space, user=alice.user, file_name="a.csv", file=raw, state="done"
    )
    token, _secret = token_add(viewer=alice, name="Shop", scopes=["contacts:read"])
    ids = {
        "account_id": account.id,
        "folder_id": Collector.objects.get_or_create(account=account, defaults={"is_on": False})[0].id,
        "attachment_id": 987654,
        "campaign_id": campaign.id,
        "contact_id": listed.listmember_set.get().contact_id,
        "conversation_id": message.conversation_id,
        "other_conversation_id": other.conversation_id,
        "note_id": note.id,
        "delivery_id": delivery.id,
        "draft_id": Draft.objects.create(workspace=space, user=alice.user, version=2).id,
        "event_id": event.id,
        "exclusion_id": Exclusion.objects.create(workspace=space, created_by=alice.user, name="Rivals").id,
        "file_id": 987654,
        "group_id": group.id,
        "member_id": member_new(viewer=alice, group_id=group.id, address="jan@example.org").id,
        "posting_id": posting.id,
        "copy_id": 987654,
        "channel_id": 987654,
        "import_id": run.id,
        "invitation_id": invitation_add(viewer=alice, email="eve@example.org").invitation.id,
        "list_id": listed.id,
        "message_id": message.id,
        "name": "status",
        "noun": "list",
        "noun_id": listed.id,
        "nouns": "lists",
        "number": 1,
        "pk": 987654,
        "probe_id": probe.id,
        "office_id": Profile.objects.get(workspace=space, name="Office").id,
        "profile_id": Profile.objects.create(workspace=space, name="Weak").id,
        "suppression_id": suppressed.id,
        "domain_id": domain.id,
        "key_id": 987654,
        "discovery_id": 987654,
        "platform_id": platform.id,
        "address_id": 987654,
        "provider_id": "oidc",
        "secret": "nonsense",
        "record_id": Record.objects.create(workspace=space, kind="contractor", name="Firm").id,
        "webhook_id": Webhook.objects.create(workspace=space, url="https://shop.example/", secret="s").id,
        "call_id": 987654,
        "sent_id": Message.objects.create(
            workspace=space, direction="out", purpose="single", raw=raw, user=alice.user
        ).id,
        "session_id": 987654,
        "step_id": 987654,
        "trust_id": 987654,
        "template_id": template.id,
        "token": "nonsense",
        "token_id": token.id,
        "type_id": kind.id,
        "upload_id": 987654,
        "user_id": cast.bob.user.id,
        "verb": "pause",
        "workspace_id": space.id,
    }
    return World(clients, profile, ids)


def routes():
    """Every address of the pages, as it is written in the tables of urls."""

    def walk(patterns, before=""):
        for one in patterns:
            route = before + str(one.pattern)
            if hasattr(one, "url_patterns"):
                yield from walk(one.url_patterns, route)
            else:
                yield route

    return [route for route in walk(get_resolver().url_patterns) if not route.startswith("api/")]


def operations():
    paths = api.get_openapi_schema()["paths"]
    return [f"{method.upper()} {path}" for path, acts in paths.items() for method in acts]


def test_every_address_has_a_row():
    assert sorted(set(routes()) - set(PAGES)) == [], "give each a row in tests/web/matrix.py"
    assert sorted(set(PAGES) - set(routes())) == [], "these rows speak of nothing"


def test_every_operation_has_a_row():
    assert sorted(set(operations()) - set(API)) == [], "give each a row in tests/web/matrix_api.py"
    assert sorted(set(API) - set(operations())) == [], "these rows speak of nothing"


def test_every_operation_has_a_scope():
    closed = []
    for one in operations():
        method, path = one.split(" ", 1)
        for noun in ("lists", "campaigns") if "{nouns}" in path else ("",):
            filled = path.removeprefix("/api/v1/").replace("{nouns}", noun)
            if scope_of(method, filled) not in SCOPES:
                closed.append(one)
    assert closed == [], "name their noun in queries/scopes.py"


def test_every_right_is_told_in_plain_words():
    assert {str(right) for _heading, rights in GROUPS for right, _words in rights} == ALL


def answer_of(response):
    """in, login (sent to sign in), else the status."""
    status = response.status_code
    if status == 302 and response["Location"].startswith("/sign-in/?next="):
        return "login"
    return "in" if status == 200 else str(status)


def fits(got, spec, who, method, signed_out="login"):
    """Whether this answer is of the class that the row promises. No answer may be 5xx."""
    promised = expected(spec, who, signed_out)
    if got.startswith("5"):
        return False
    if promised == "in":
        return got not in ("login", "401", "403", "404", "405") or (got == "405" and method != "get")
    if promised == "405":  # some lead back to the page instead
        return got in ("405", "302", "404", "403")
    if promised == "404":
        return (
            got == "404"
            or (spec.startswith("gone") and got in ("403", "409"))
            or (got, method) == ("405", "post")
        )
    return got == promised


def expected(spec, who, signed_out="login"):
    words = spec.split()
    kind, right = words[0], words[1] if len(words) > 1 else ""
    if kind == "open":
        return "404" if right else "in"
    if who == "nobody":
        return signed_out
    if kind in ("-", "gone"):
        return {"-": "405", "gone": "404"}[kind]
    if kind == "all" or who == "owner":
        return "in"
    if kind == "admin":
        return "403"
    if kind in ("thing", "hidden", "hidden-edit") and who == "stranger":
        return "404"
    if kind == "thing" and right == "admin":
        return "403"
    if kind == "thing":
        return "403" if right and who == "without" else "in"
    if kind == "hidden":
        return "in" if right and who == "with" else "404"
    if kind == "hidden-edit":
        return "403"
    if who == "stranger":
        return "in"
    if kind == "manage":
        return "403"
    return "in" if who == "with" else "403"


def rights_for(spec, who):
    """With: exactly the right of the row; without: every one but that."""
    rights = [word for word in spec.split() if word in ALL]
    if who == "with":
        return rights or sorted(ALL)
    return sorted(ALL - {rights[0]}) if rights else []


def asked(world, who, spec, ask):
    """The answer, and everything as it was before."""
    client = world.clients[who]
    with transaction.atomic():
        if who in ("with", "without"):
            Profile.objects.filter(id=world.profile.id).update(rights=rights_for(spec, who))
        try:
            return answer_of(ask(client))
        finally:
            transaction.set_rollback(True)


def filled(world, route):
    if route.startswith("^password"):
        return "/password/reset/key/1-nonsense/"
    ids = world.ids_for(route)
    return "/" + re.sub(r"<(?:\w+:)?(\w+)>|\{(\w+)\}", lambda at: str(ids[at[1] or at[2]]), route.lstrip("/"))


def made(world, body):
    """What is sent; a file can be read once only."""
    return body(world.ids) if callable(body) else body


def test_the_cast_at_every_page(world):
    wrong = []
    for route in routes():
        if route not in PAGES or route == "sign-out/":
            continue
        for method, spec in zip(("get", "post"), PAGES[route], strict=True):
            for who in WHO:
                data = made(world, FORMS.get(route, {})) if method == "post" else {}

                def ask(client, method=method, url=filled(world, route), data=data):
                    return getattr(client, method)(url, data)

                got = asked(world, who, spec, ask)
                if not fits(got, spec, who, method):
                    wrong.append(f"{method} {route} {who}: {got}, not {expected(spec, who)}")
    assert not wrong, "\n".join(wrong)


def test_the_cast_at_every_operation(world):
    wrong = []
    for one in operations():
        if one not in API:
            continue
        method, path = one.split(" ", 1)
        spec = API[one]
        for who in WHO:
            body = made(world, BODIES.get(one, {}))
            more = {} if method == "GET" else {"data": body}
            if "file" not in body and method != "GET":
                more["content_type"] = "application/json"

            def ask(client, method=method.lower(), url=filled(world, path), more=more):
                return getattr(client, method)(url, **more)

            got = asked(world, who, spec, ask)
            if not fits(got, spec, who, method, "401"):
                wrong.append(f"{one} {who}: {got}, not {expected(spec, who, '401')}")
    assert not wrong, "\n".join(wrong)
