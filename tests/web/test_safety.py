"""What one person could do to another: rights that grow, names that are borrowed, passwords that travel."""

import pytest
from django.test import Client

from postroom.actions.campaign import campaign_create, campaign_edit
from postroom.actions.campaign_start import campaign_start
from postroom.actions.invitation import invitation_add
from postroom.actions.message import campaign_test_send
from postroom.actions.sharing import Sharing, sharing_save
from postroom.actions.suppression import suppression_add, suppression_enter
from postroom.actions.token import token_add
from postroom.errors import InputError
from postroom.models.account import Account, AccountKind, Approval, Discovery
from postroom.models.domain import Domain
from postroom.models.profile import ApiToken, Invitation, Profile, Right
from postroom.models.workspace import Instance, Role, Workspace
from postroom.queries.scopes import SCOPES
from postroom.queries.viewer import viewer_of
from postroom.testing.cast import make_account, make_campaign, make_list
from tests.web.test_accounts_api import JSON, change, make

pytestmark = pytest.mark.django_db


@pytest.fixture
def rights_of_bob(cast):
    """Gives the profile of Bob other rights."""

    def give(*rights):
        Profile.objects.filter(workspace=cast.bob.workspace).update(rights=[str(one) for one in rights])
        return viewer_of(cast.bob.user)

    return give


def proved(viewer, name):
    from django.utils import timezone

    return Domain.objects.create(
        workspace=viewer.workspace, name=name, token="t", proved_at=timezone.now(), proved_by="dns"
    )


# Invitations: the link makes its holder what it says


def test_the_link_of_an_owner_is_not_sent_again_by_who_could_not_have_invited_one(
    as_user, alice, bob, cast, rights_of_bob
):
    rights_of_bob(Right.USERS_MANAGE)
    owner = invitation_add(viewer=cast.alice, email="carol@example.org", role=Role.OWNER).invitation
    strong = Profile.objects.create(
        workspace=cast.alice.workspace, name="Bosses", rights=[str(Right.WORKSPACE_MANAGE)]
    )
    boss = invitation_add(viewer=cast.alice, email="dan@example.org", profile_ids=[strong.id]).invitation
    digests = set(Invitation.objects.values_list("digest", flat=True))
    client = as_user(bob)
    for one in (owner, boss):
        for place in (
            f"/api/v1/invitations/{one.id}/resend",
            f"/settings/people/invitations/{one.id}/again/",
        ):
            answer = client.post(place, {}, content_type=JSON)
            assert answer.status_code in (403, 404), place
            assert b"/invited/" not in answer.content
    assert client.delete(f"/api/v1/invitations/{owner.id}").status_code == 403
    assert set(Invitation.objects.values_list("digest", flat=True)) == digests
    page = client.get("/settings/people/").content.decode()
    assert "carol@example.org" in page
    assert f"/invitations/{owner.id}/" not in page, "what is refused is not offered"
    assert as_user(alice).post(f"/api/v1/invitations/{owner.id}/resend").status_code == 200


# Tokens


def test_a_token_has_no_children_that_outlive_it(cast):
    _made, secret = token_add(viewer=cast.alice, name="Short", scopes=list(SCOPES), days=1)
    client = Client(headers={"authorization": f"Bearer {secret}"})
    answer = client.post("/api/v1/tokens", {"name": "Long", "scopes": ["tokens:write"], "days": 0}, JSON)
    assert (answer.status_code, answer.json()["code"]) == (403, "SCOPE")
    assert ApiToken.objects.count() == 1


# Senders: nobody writes in the name of somebody else


def test_the_address_of_a_colleagues_account_is_no_sender(cast):
    make_account(cast.alice, port=25, address="alice@private.example")
    mine = make_account(cast.bob, port=25, name="Bob", address="bob@private.example")
    made = campaign_create(viewer=cast.bob, name="Mine")

    def sender(address):
        made.refresh_from_db()
        return campaign_edit(
            viewer=cast.bob, campaign_id=made.id, version=made.version, sender_address=address
        ).sender_address

    for address in ("alice@private.example", "ALICE@private.example", "<alice@private.example>"):
        with pytest.raises(InputError):
            sender(address)
    assert sender(mine.address) == "bob@private.example"
    proved(cast.alice, "firm.example")
    assert sender("news@firm.example") == "news@firm.example"


def test_a_sender_that_somebody_else_chose_is_looked_at_again_when_it_starts(cast):
    make_account(cast.alice, port=25, address="alice@private.example")
    mine = make_account(cast.bob, port=25, name="Bob", address="bob@private.example")
    people = make_list(cast.alice, ["ann@box.example"])
    made = make_campaign(cast.bob, mine, people, sender_address="alice@private.example")
    changed = campaign_edit(
        viewer=cast.bob,
        campaign_id=made.id,
        version=made.version,
        subject="Hello",
        text="Hi",
        sender_address="alice@private.example",
    )
    assert changed.subject == "Hello", "who edits the text is not stopped by a sender that stood there"
    for go in (campaign_start, campaign_test_send):
        with pytest.raises(InputError) as wrong:
            go(viewer=cast.bob, campaign_id=made.id)
        assert (wrong.value.code, wrong.value.field) == ("DOMAIN_UNVERIFIED", "sender_address")


def test_through_the_firms_server_goes_no_sender_of_a_domain_that_is_not_proved(cast):
    proved(cast.alice, "firm.example")
    Instance.objects.filter(id=1).update(relay_host="relay.example")
    make_account(cast.alice, port=25, address="alice@private.example")
    platform = make_account(
        cast.alice,
        port=25,
        name="News",
        address="news@firm.example",
        kind=AccountKind.PLATFORM,
        approval=Approval.APPROVED,
    )
    people = make_list(cast.alice, ["ann@box.example"])
    made = make_campaign(cast.alice, platform, people, sender_address="alice@private.example")
    with pytest.raises(InputError) as wrong:
        campaign_start(viewer=cast.alice, campaign_id=made.id)
    assert wrong.value.code == "DOMAIN_UNVERIFIED"
    made.sender_address = "team@firm.example"
    made.save()
    assert campaign_start(viewer=cast.alice, campaign_id=made.id).state == "freezing"


def test_the_bounce_host_of_another_firm_is_not_taken(as_user, alice, cast):
    proved(cast.charlie, "other.example")
    proved(cast.alice, "own.other.example")
    client = as_user(alice)
    values = {"name": "Alder", "language": "en", "time_zone": "Europe/Warsaw", "url": "http://localhost:8025"}
    for host in ("other.example", "returns.other.example"):
        answer = client.post("/settings/workspace/", {**values, "bounce_host": host})
        assert (answer.status_code, "another workspace" in answer.content.decode()) == (422, True)
    assert Workspace.objects.get(id=cast.alice.workspace.id).bounce_host == ""
    answer = client.post("/settings/workspace/", {**values, "bounce_host": "returns.own.other.example"})
    assert answer.status_code == 302, "one's own domain below it is one's own"


# Passwords


def test_who_takes_an_account_over_does_not_get_its_password_by_moving_the_server(
    as_user, alice, bob, cast, rights_of_bob
):
    number = make(as_user(alice)).json()["id"]
    rights_of_bob(Right.ACCOUNTS_ADD, Right.ACCOUNTS_MANAGE)
    client = as_user(bob)
    assert change(client, number, owner=bob.id).status_code == 200
    evil = {"smtp_host": "evil.example", "imap_host": "evil.example"}
    refused = change(client, number, **evil)
    assert (refused.status_code, refused.json()["field"]) == (422, "smtp_password")
    probe = client.post("/api/v1/accounts/probe", {"account_id": number, **evil}, JSON)
    assert (probe.status_code, probe.json()["field"]) == (422, "smtp_password")
    typed = {"smtp_password": "my own", "imap_password": "my own too"}
    assert change(client, number, **evil, **typed).status_code == 200
    assert change(client, number, smtp_host="again.example").status_code == 200, "now they are Bob's"
    assert Account.objects.get(id=number).secrets_by == bob


def test_an_account_handed_over_by_taking_its_owner_out_keeps_its_password_too(as_user, alice, bob, cast):
    number = make(as_user(bob)).json()["id"]
    client = as_user(alice)
    assert client.delete(f"/api/v1/members/{bob.id}").status_code == 204
    assert change(client, number, owner=alice.id).status_code == 200
    refused = change(client, number, smtp_host="evil.example", imap_host="evil.example")
    assert (refused.status_code, refused.json()["field"]) == (422, "smtp_password")


# People one may write to and not see


@pytest.mark.req("GW-04")
def test_what_an_entry_covers_does_not_tell_who_is_on_a_hidden_list(as_user, alice, bob, cast):
    hidden = make_list(cast.alice, ["quirin@firm.example", "a@sub.firm.example"])
    sharing_save(viewer=cast.alice, thing=hidden, sharing=Sharing("profiles", users={bob.id: ["use"]}))
    make_list(cast.alice, ["seen@firm.example"], name="Seen", language="pl")
    entries = {
        "quirin@firm.example": (1, 0),
        "@firm.example": (2, 1),
        "@*.firm.example": (1, 0),
        "a@": (1, 0),
    }
    for entry, (all_of_them, seen) in entries.items():
        for user, number in ((alice, all_of_them), (bob, seen)):
            page = as_user(user).get("/contacts/suppressed/covers/", {"entry": entry}).content.decode()
            assert f" {number} {'person matches' if number == 1 else 'people match'}" in page, (
                entry,
                user.name,
            )


def told(answer):
    """What an answer says, a file or JSON too."""
    whole = b"".join(answer.streaming_content if answer.streaming else [answer.content]).decode()
    return whole.replace("\\u2026", "…")


@pytest.mark.req("GW-04")
def test_a_bounce_of_somebody_on_a_hidden_list_does_not_spell_their_address(as_user, alice, bob, cast):
    hidden = make_list(cast.alice, ["quirin@firm.example", "zoe@firm.example"])
    sharing_save(viewer=cast.alice, thing=hidden, sharing=Sharing("profiles", users={bob.id: ["use"]}))
    firm = cast.alice.workspace.id
    for value in ("quirin@firm.example", "stranger@firm.example"):
        why = f"550 <{value}> is unknown"
        suppression_add(workspace_id=firm, entry_form="address", value=value, source="bounce", why=why)
    suppression_enter(viewer=cast.bob, entry="zoe@firm.example")
    client = as_user(bob)
    places = ("/contacts/suppressed/", "/api/v1/suppressions", "/api/v1/suppressions/export")
    for place in places:
        text = told(client.get(place))
        assert "quirin" not in text, place
        assert "q…@f….example" in text, place
        assert "stranger@firm.example" in text, place
        assert "zoe@firm.example" in text, "what Bob typed himself is his to see"
        assert "q…@" not in told(client.get(place, {"q": "quirin@f"})), (
            "letter by letter one would find the rest"
        )
    number = client.get("/api/v1/suppressions").json()["items"]
    [masked] = [one["id"] for one in number if one["value"].startswith("q…")]
    assert client.post("/api/v1/suppressions/lift", {"ids": [masked]}, JSON).status_code == 200
    assert "quirin@firm.example" not in as_user(alice).get("/api/v1/suppressions").content.decode()


# Taking up what is everybody's


def test_one_person_waits_for_one_search_of_servers(as_user, bob):
    client = as_user(bob)
    made = [
        client.post("/api/v1/accounts/find", {"address": f"a@firm{n}.example"}, JSON).json()["id"]
        for n in range(4)
    ]
    assert list(Discovery.objects.filter(state="waiting").values_list("id", flat=True)) == [made[-1]]
    earlier = client.get(f"/api/v1/accounts/find/{made[0]}").json()
    assert (earlier["state"], earlier["result"].get("source")) == ("done", "")
    page = client.get(f"/settings/accounts/find/{made[0]}/", headers={"HX-Request": "true"})
    assert page.status_code in (200, 286)


# Ways that lead out


def test_the_way_back_of_a_page_leads_to_no_other_site(as_user, alice, cast):
    made = make_list(cast.alice, ["one@example.org"])
    client = as_user(alice)
    for back in (
        "//evil.example",
        "https://evil.example/",
        "/\t/evil.example",
        "/\\evil.example",
        "/\n/evil.example",
    ):
        page = client.get(f"/sharing/list/{made.id}/", {"back": back}).content.decode()
        assert "evil.example" not in page, back
        answer = client.post(f"/sharing/list/{made.id}/", {"visibility": "private", "back": back})
        assert (answer.status_code, "evil" in answer["Location"]) == (302, False), back


@pytest.mark.parametrize("typed", ["9" * 5000, "9" * 19, "٣", "-1", "1e3", " 1"])
def test_a_number_that_is_none_is_no_fault_of_ours(as_user, alice, typed):
    client = as_user(alice)
    for place, values in (
        ("/contacts/act/", {"id": typed, "act": "list", "list": typed}),
        ("/settings/profiles/new/", {"name": "Odd", "people": typed, "version": typed}),
        ("/settings/tokens/", {"name": "Odd", "days": typed}),
    ):
        assert client.post(place, values).status_code < 500, place
    for place in ("/contacts/", "/settings/audit/", "/contacts/suppressed/", "/campaigns/", "/messages/"):
        asked = dict.fromkeys(("list", "who", "before", "after", "page", "contact"), typed)
        assert client.get(place, asked).status_code < 500, place
