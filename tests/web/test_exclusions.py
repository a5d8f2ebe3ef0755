"""Exclusion sets through API and pages: rows SX-06 to SX-08."""

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from postroom.actions.campaign_start import campaign_freeze, campaign_start
from postroom.actions.contact_list import contact_list_fill
from postroom.daemons.worker.exclusions import exclusion_read
from postroom.models.campaign import Campaign
from postroom.models.contact import Contact, ContactList, ListMember
from postroom.models.delivery import Delivery
from postroom.models.exclusion import CampaignOmission, Exclusion
from postroom.models.profile import Profile, Right
from postroom.models.workspace import AuditLine, Instance
from postroom.testing.cast import make_account, make_campaign, make_list
from tests.wire.test_http import page, serving

pytestmark = pytest.mark.django_db

JSON = "application/json"
SETS = "/api/v1/exclusions"


@pytest.fixture
def api(as_user):
    """api(alice, "post", "/exclusions", name="x"): an answer of the API, signed in as this person."""

    def call(user, method, path, **body):
        client = as_user(user)
        if method == "get":
            return client.get(f"/api/v1{path}", body)
        return getattr(client, method)(f"/api/v1{path}", body, content_type=JSON)

    return call


@pytest.fixture
def make(api, alice):
    def made(name, *lines, user=None, **more):
        answer = api(user or alice, "post", "/exclusions", name=name, text="\n".join(lines), **more)
        assert answer.status_code == 201, answer.content
        return answer.json()

    return made


@pytest.fixture
def mailing(cast):
    """A draft of Alice's to these addresses."""

    def made(*emails, **more):
        people = make_list(cast.alice, list(emails))
        return make_campaign(cast.alice, make_account(cast.alice, port=25), people, **more)

    return made


def audience(campaign):
    """Who would get it, by freezing it; the draft is as before."""
    from django.db import transaction

    with transaction.atomic():
        Campaign.objects.filter(id=campaign.id).update(state="freezing", start_at=timezone.now())
        campaign_freeze(campaign_id=campaign.id)
        found = list(Delivery.objects.filter(campaign=campaign).order_by("position").values_list("address"))
        transaction.set_rollback(True)
    return [address for (address,) in found]


@pytest.mark.req("SX-07")
def test_one_domain_and_one_address_leave_out_exactly_their_people(api, alice, make, mailing):
    campaign = mailing(
        "a@firm.pl", "b@firm.pl", "c@sub.firm.pl", "d@other.pl", "e@other.pl", "firm.pl@x.pl", "F@Żółw.pl"
    )
    for lines in (
        ("# partners", "firm.pl  # all of them", "", "D@Other.PL", "@żółw.pl"),
        ("@firm.pl", "d@other.pl"),
    ):
        one = make("Partners", *lines)
        assert (one["size"], one["refused"]) == (len([x for x in lines if x and x[0] != "#"]), 0)
        gone = {"a@firm.pl", "b@firm.pl", "d@other.pl"} | ({"F@Żółw.pl"} if one["size"] == 3 else set())
        before = audience(campaign)
        assert api(alice, "post", f"/campaigns/{campaign.id}/exclusions", sets=[one["id"]]).status_code == 201
        after = audience(campaign)
        assert set(before) - set(after) == {x for x in before if x.lower() in {y.lower() for y in gone}}
        assert api(alice, "delete", f"/campaigns/{campaign.id}/exclusions").status_code == 200


def test_lines_are_not_verified_but_must_look_like_an_address_or_a_domain(api, alice, make):
    one = make("Odd", "no..dots@firm.pl", "what is this", "localpart", "<a@b.pl>", "x@nowhere.invalid")
    assert (one["size"], one["refused"]) == (2, 3)
    assert [(line["line"], line["text"]) for line in one["refused_lines"]] == [
        (2, "what is this"),
        (3, "localpart"),
        (4, "<a@b.pl>"),
    ]


@pytest.mark.req("SX-06")
def test_nothing_is_left_out_until_somebody_applies_the_set(api, alice, make, mailing, as_user):
    one = make("Not now", "a@firm.pl")
    campaign = mailing("a@firm.pl", "b@firm.pl")
    web = as_user(alice)
    assert "No exclusion set applied." in web.get(f"/campaigns/{campaign.id}/").content.decode()
    assert api(alice, "get", f"/campaigns/{campaign.id}/exclusions").json()["steps"] == []
    assert audience(campaign) == ["a@firm.pl", "b@firm.pl"]
    look = web.get(f"/contacts/exclusions/campaign/{campaign.id}/?set={one['id']}").content.decode()
    assert "1 person would be left out" in look
    assert audience(campaign) == ["a@firm.pl", "b@firm.pl"]
    web.post(f"/contacts/exclusions/campaign/{campaign.id}/", {"set": one["id"]})
    assert audience(campaign) == ["b@firm.pl"]
    editor = web.get(f"/campaigns/{campaign.id}/").content.decode()
    assert "No exclusion set applied." not in editor
    assert "“Not now”" in editor
    assert "1 person left out." in editor
    assert "1 person." in editor  # the audience beside the lists
    assert "a@firm.pl" not in editor  # nor is the preview made for somebody who gets nothing


@pytest.mark.req("SX-08")
def test_two_sets_take_their_union_out_of_ten_thousand_and_undo_restores_the_same(api, alice, cast, make):
    emails = [f"p{n}@firm{n % 100}.pl" for n in range(10_000)]
    people = make_list(cast.alice, emails)
    campaign = make_campaign(cast.alice, make_account(cast.alice, port=25), people)
    first = make("First", "firm7.pl", "@firm8.pl", *[f"p{n}@firm{n % 100}.pl" for n in range(500)])
    second = make("Second", *[f"p{n}@firm{n % 100}.pl" for n in range(300, 900)], "nobody@elsewhere.pl")
    union = {f"p{n}@firm{n % 100}.pl" for n in range(900)}
    union |= {email for email in emails if email.endswith(("@firm7.pl", "@firm8.pl"))}
    members = list(ListMember.objects.order_by("id").values())
    before, lists = audience(campaign), list(ContactList.objects.values())
    path = f"/campaigns/{campaign.id}/exclusions"
    look = api(alice, "post", f"{path}/preview", sets=[first["id"], second["id"]]).json()
    assert (look["state"], look["people"]) == ("ready", len(union))
    assert [one["people"] for one in look["by_set"]] == [500 + 2 * 95, 600]
    assert 0 < len(look["sample"]) <= 10
    assert audience(campaign) == before
    step = api(alice, "post", path, sets=[first["id"], second["id"]])
    assert (step.status_code, step.json()["people"]) == (201, len(union))
    assert set(before) - set(audience(campaign)) == union
    assert len(audience(campaign)) == 10_000 - len(union)
    assert api(alice, "delete", path).json() == {"back": len(union)}
    assert audience(campaign) == before
    assert not CampaignOmission.objects.exists()
    assert Contact.objects.count() == 10_000
    assert list(ListMember.objects.order_by("id").values()) == members
    assert list(ContactList.objects.values()) == lists
    verbs = set(AuditLine.objects.filter(noun="campaign").values_list("verb", flat=True))
    assert {"applied exclusion", "took back exclusion"} <= verbs
    assert api(alice, "delete", path).json()["code"] == "NOTHING_APPLIED"


@pytest.mark.req("SX-08")
def test_a_campaign_that_runs_is_left_alone(api, alice, cast, make, mailing):
    one = make("Late", "a@firm.pl")
    campaign = mailing("a@firm.pl", "b@firm.pl")
    campaign_start(viewer=cast.alice, campaign_id=campaign.id)
    path = f"/campaigns/{campaign.id}/exclusions"
    for answer in (
        api(alice, "post", f"{path}/preview", sets=[one["id"]]),
        api(alice, "post", path, sets=[one["id"]]),
        api(alice, "delete", path),
    ):
        assert (answer.status_code, answer.json()["code"]) == (409, "RUN_ACTIVE")


def test_applying_is_no_statement_a_person(alice, make, mailing, django_assert_max_num_queries, api):
    one = make("Many", *[f"p{n}@firm.pl" for n in range(300)])
    campaign = mailing(*[f"p{n}@firm.pl" for n in range(600)])
    with django_assert_max_num_queries(40):
        assert api(alice, "post", f"/campaigns/{campaign.id}/exclusions", sets=[one["id"]]).status_code == 201


def test_people_who_come_onto_the_lists_afterwards_are_told(api, alice, cast, make, mailing, as_user):
    one = make("Set", "late@firm.pl")
    campaign = mailing("a@firm.pl")
    path = f"/campaigns/{campaign.id}/exclusions"
    api(alice, "post", path, sets=[one["id"]])
    assert api(alice, "get", path).json()["is_old"] is False
    other = make_list(cast.alice, ["late@firm.pl"], name="Late ones")
    assert api(alice, "get", path).json()["is_old"] is False
    contact_list_fill(
        viewer=cast.alice,
        list_id=campaign.lists.get().id,
        contact_ids=list(Contact.objects.filter(email="late@firm.pl").values_list("id", flat=True)),
    )
    assert api(alice, "get", path).json()["is_old"] is True
    editor = as_user(alice).get(f"/campaigns/{campaign.id}/").content.decode()
    assert "Applied before the lists changed." in editor
    api(alice, "post", path, sets=[one["id"]])
    told = api(alice, "get", path).json()
    assert (told["is_old"], told["people"], len(told["steps"])) == (False, 1, 2)
    campaign.lists.add(other)
    assert api(alice, "get", path).json()["is_old"] is True


def test_a_draft_of_which_nobody_is_left_does_not_start(api, alice, make, mailing):
    one = make("All", "firm.pl")
    campaign = mailing("a@firm.pl")
    api(alice, "post", f"/campaigns/{campaign.id}/exclusions", sets=[one["id"]])
    answer = api(alice, "post", f"/campaigns/{campaign.id}/start")
    assert (answer.status_code, answer.json()["code"]) == (409, "NO_RECIPIENTS")


def read_all():
    for one in Exclusion.objects.exclude(asked_at=None).filter(error=""):
        exclusion_read(one.id)


def test_a_set_on_the_web_is_read_again_on_use_and_not_applied_when_that_fails(
    api, alice, make, mailing, as_user
):
    campaign = mailing("a@firm.pl", "b@firm.pl", "c@firm.pl")
    path = f"/campaigns/{campaign.id}/exclusions"
    good = page(b"a@firm.pl\n", b"Content-Type: text/plain")
    more = page(b"a@firm.pl\nb@firm.pl\n", b"Content-Type: text/plain")
    with serving(good, more, page(b"", status=b"503 Busy")) as (port, heard):
        one = make("Web", source="url", place=f"http://127.0.0.1:{port}/list.txt")
        assert (one["state"], one["size"]) == ("old", 0)
        refused = api(alice, "post", path, sets=[one["id"]])
        assert (refused.status_code, refused.json()["code"]) == (409, "EXCLUSION_UNREAD")
        assert api(alice, "post", f"{path}/preview", sets=[one["id"]]).json()["state"] == "reading"
        read_all()
        assert api(alice, "post", f"{path}/preview", sets=[one["id"]]).json()["people"] == 1
        assert len(heard) == 1  # a copy so young is not read twice
        old = timezone.now() - timedelta(minutes=11)
        Exclusion.objects.update(read_at=old)
        assert api(alice, "post", f"{path}/preview", sets=[one["id"]]).json()["state"] == "reading"
        read_all()
        assert api(alice, "post", f"{path}/preview", sets=[one["id"]]).json()["people"] == 2
        Exclusion.objects.update(read_at=old)
        assert api(alice, "post", f"{path}/preview", sets=[one["id"]]).json()["state"] == "reading"
        read_all()
        failed = api(alice, "post", f"{path}/preview", sets=[one["id"]]).json()
    assert failed["state"] == "failed"
    assert "answered 503 Busy" in failed["unread"][0]["error"]
    assert failed["unread"][0]["read_at"][:16] == old.isoformat()[:16]
    shown = (
        as_user(alice).get(f"/contacts/exclusions/campaign/{campaign.id}/?set={one['id']}").content.decode()
    )
    assert "“Web” could not be read." in shown
    assert "The last copy is of" in shown
    assert "would be left out" not in shown
    refused = api(alice, "post", path, sets=[one["id"]])
    assert (refused.status_code, refused.json()["code"]) == (409, "EXCLUSION_UNREAD")
    assert audience(campaign) == ["a@firm.pl", "b@firm.pl", "c@firm.pl"]
    assert Exclusion.objects.get().size == 2  # the last copy is kept


def test_the_network_inside_is_not_read_unless_the_administrator_allows_it(api, alice, make):
    Instance.objects.update(allow_private_hosts=False)
    with serving(page(b"secret@firm.pl\n")) as (port, heard):
        one = make("Inside", source="url", place=f"http://127.0.0.1:{port}/")
        api(alice, "post", f"/exclusions/{one['id']}/read")
        read_all()
    assert heard == []
    told = api(alice, "get", f"/exclusions/{one['id']}").json()
    assert (told["state"], told["size"]) == ("failed", 0)
    assert "private network" in told["error"]


def test_a_web_page_or_an_empty_file_does_not_replace_the_copy(api, alice, make):
    html = page(b"<p>Sign in first: a@firm.pl</p>", b"Content-Type: text/html")
    with serving(page(b"a@firm.pl\n"), html, page(b"# nothing\n")) as (port, _):
        one = make("Web", source="url", place=f"http://127.0.0.1:{port}/")
        for words in ("", "a web page", "neither an address nor a domain"):
            api(alice, "post", f"/exclusions/{one['id']}/read")
            read_all()
            told = api(alice, "get", f"/exclusions/{one['id']}").json()
            assert words in told["error"]
            assert told["size"] == 1


@pytest.mark.parametrize("place", ["file:///etc/passwd", "ftp://x.pl/", "https://u:p@x.pl/", "x.pl", ""])
def test_only_addresses_of_pages_are_taken(api, alice, place):
    answer = api(alice, "post", "/exclusions", name="x", source="url", place=place)
    assert (answer.status_code, answer.json()["code"]) == (422, "BAD_URL")


def test_a_file_is_read_below_the_folder_only(api, alice, make, settings, tmp_path):
    folder = tmp_path / "sets"
    folder.mkdir()
    (tmp_path / "secret.txt").write_text("secret@firm.pl\n")
    (folder / "way-out.txt").symlink_to(tmp_path / "secret.txt")
    (folder / "good.txt").write_text("a@firm.pl\nfirm.pl\n")
    settings.POSTROOM_EXCLUSION_FOLDER = folder
    for name, size in (("good.txt", 2), ("way-out.txt", 0), ("none.txt", 0)):
        one = make(name, source="file", place=name)
        api(alice, "post", f"/exclusions/{one['id']}/read")
        read_all()
        told = api(alice, "get", f"/exclusions/{one['id']}").json()
        assert (told["size"], bool(told["error"])) == (size, not size), told
    assert (
        api(alice, "post", "/exclusions", name="x", source="file", place="../secret.txt").status_code == 422
    )
    settings.POSTROOM_EXCLUSION_FOLDER = None
    one = Exclusion.objects.get(name="good.txt")
    api(alice, "post", f"/exclusions/{one.id}/read")
    read_all()
    assert "set no folder" in api(alice, "get", f"/exclusions/{one.id}").json()["error"]


def test_a_set_is_changed_added_to_taken_from_and_put_away(api, alice, make, as_user):
    one = make("Partners", "a@firm.pl")
    path = f"/exclusions/{one['id']}"
    changed = api(alice, "put", path, version=1, name="Friends", add="@firm.pl\na@firm.pl\n").json()
    assert (changed["name"], changed["size"], changed["version"]) == ("Friends", 2, 2)
    stale = api(alice, "put", path, version=1, name="Foes")
    assert (stale.status_code, stale.json()["code"]) == (409, "STALE_VERSION")
    assert stale.json()["details"]["theirs"] == {"name": "Friends"}
    entries = api(alice, "get", f"{path}/entries").json()["items"]
    assert [entry["entry"] for entry in entries] == ["a@firm.pl", "@firm.pl"]
    assert api(alice, "post", f"{path}/remove", ids=[entries[0]["id"]]).json() == {"removed": 1}
    assert api(alice, "put", path, version=3, replace="x.pl\ny.pl\n").json()["size"] == 2
    text = b"".join(as_user(alice).get(f"/api/v1{path}/export").streaming_content).decode("utf-8-sig")
    assert text.split() == ["x.pl", "y.pl"]
    assert api(alice, "delete", path).status_code == 204
    assert api(alice, "get", path).status_code == 404
    assert api(alice, "post", f"{path}/restore").json()["size"] == 2


def test_the_pages_make_show_and_change_a_set(as_user, alice):
    web = as_user(alice)
    assert "Leave some people out" in web.get("/contacts/exclusions/").content.decode()
    upload = SimpleUploadedFile("x.txt", b"b@firm.pl\n")
    made = web.post(
        "/contacts/exclusions/new/", {"name": "Fair", "text": "a@firm.pl", "upload": upload}, follow=True
    )
    shown = made.content.decode()
    assert "a@firm.pl" in shown
    assert "b@firm.pl" in shown
    one = Exclusion.objects.get()
    web.post(f"/contacts/exclusions/{one.id}/add/", {"text": "c.pl\nnot this"})
    shown = web.get(f"/contacts/exclusions/{one.id}/").content.decode()
    assert "@c.pl" in shown
    assert "1 line says neither" in shown
    wrong = web.post("/contacts/exclusions/new/", {"name": "", "source": "text"})
    assert wrong.status_code == 422
    wrong = web.post("/contacts/exclusions/new/", {"name": "x", "source": "url", "url": "ftp://x"})
    assert (wrong.status_code, "must begin with https://" in wrong.content.decode()) == (422, True)
    assert web.post(f"/contacts/exclusions/{one.id}/change/", {"name": ""}).status_code == 422
    assert web.post(f"/contacts/exclusions/{one.id}/delete/").status_code == 302
    assert web.get(f"/contacts/exclusions/{one.id}/").status_code == 404


def test_rights_and_sharing_decide(api, cast, alice, bob, charlie, make, mailing):
    one = make("Shared", "a@firm.pl")
    path = f"/exclusions/{one['id']}"
    campaign = mailing("a@firm.pl", "b@firm.pl")
    assert api(charlie, "get", path).status_code == 404
    assert api(charlie, "put", path, version=1, name="x").status_code == 404
    assert api(charlie, "post", f"/campaigns/{campaign.id}/exclusions", sets=[one["id"]]).status_code == 404
    assert api(charlie, "get", "/exclusions").json() == {"items": [], "next": None}
    Exclusion.objects.update(everyone=["use"])
    assert api(bob, "get", f"{path}/entries").status_code == 403
    assert api(bob, "put", path, version=1, name="x").status_code == 403
    assert api(bob, "post", f"/campaigns/{campaign.id}/exclusions", sets=[one["id"]]).status_code == 201
    Exclusion.objects.update(visibility="private")
    assert api(bob, "post", f"/campaigns/{campaign.id}/exclusions", sets=[one["id"]]).status_code == 404
    profile = Profile.objects.get(members__user=bob)
    profile.rights = [right for right in profile.rights if right != Right.EXCLUSIONS_EDIT]
    profile.save()
    assert api(bob, "post", "/exclusions", name="mine").status_code == 403


def test_who_may_send_to_a_list_without_seeing_it_sees_no_one_in_the_sample(api, bob, make, mailing):
    one = make("Set", "firm.pl")
    campaign = mailing("ann.secret@firm.pl")
    ContactList.objects.update(everyone=["use"])
    look = api(bob, "post", f"/campaigns/{campaign.id}/exclusions/preview", sets=[one["id"]]).json()
    assert look["people"] == 1
    assert "secret" not in str(look["sample"])


def test_a_large_set_that_hardly_changes_is_hardly_written(make, api, alice):
    from postroom.models.exclusion import ExclusionEntry

    one = make("Large", *[f"p{n}@firm.pl" for n in range(2000)])
    kept = set(ExclusionEntry.objects.values_list("id", flat=True))
    text = "\n".join(f"p{n}@firm.pl" for n in range(1, 2001))
    assert api(alice, "put", f"/exclusions/{one['id']}", version=1, replace=text).json()["size"] == 2000
    assert len(kept & set(ExclusionEntry.objects.values_list("id", flat=True))) == 1999
