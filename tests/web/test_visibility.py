"""A base one may mail but neither see nor copy; lists, people, templates and campaigns for whom they are shared."""

import email
import json

import pytest

from postroom.actions.blob import blob_put
from postroom.actions.campaign_start import campaign_freeze
from postroom.actions.sharing import Sharing, sharing_save
from postroom.models.campaign import Campaign
from postroom.models.contact import Contact, ContactList, ContactSearch
from postroom.models.delivery import Delivery
from postroom.models.event import Event, EventReport
from postroom.models.profile import May, Profile, ProfileMember, Right, Share
from postroom.models.template import Template, TemplateVersion
from postroom.models.workspace import Membership
from postroom.testing.cast import make_account, make_campaign, make_list

pytestmark = pytest.mark.django_db

SECRET = ("quirin@firm.example", "quirin", "firm.example", "Nowak", "Kowalczyk", "Barbara")


@pytest.fixture
def base(cast):
    """Alice's base: Bob may send to it, and nothing else."""
    made = make_list(cast.alice, ["quirin@firm.example", "zoe@other.example"])
    Contact.objects.filter(email="quirin@firm.example").update(
        name="Barbara", surname="Nowak", company="Kowalczyk", attributes={}
    )
    sharing_save(
        viewer=cast.alice, thing=made, sharing=Sharing("profiles", users={cast.bob.user.id: ["use"]})
    )
    return made


@pytest.fixture
def account(cast):
    return make_account(cast.bob, port=2525)


def send(web, method, path, body=None):
    answer = getattr(web, method)(path, json.dumps(body or {}), content_type="application/json")
    return answer.status_code, json.loads(answer.content or "{}")


def started(web, base, account):
    """Bob's campaign to the base, as a daemon would have found it and as a server would have answered."""
    status, body = send(
        web,
        "post",
        "/api/v1/campaigns",
        {
            "name": "To them",
            "subject": "For {{ name }} {{ surname }}",
            "html": "<p>{{ full_name }} of {{ company }}, {{ email }}</p>",
            "account": account.id,
            "lists": [base.id],
        },
    )
    assert status == 201, body
    assert send(web, "post", f"/api/v1/campaigns/{body['id']}/start")[0] == 200
    campaign_freeze(campaign_id=body["id"])
    campaign = Campaign.objects.get(id=body["id"])
    assert campaign.total == 2
    row = Delivery.objects.get(campaign=campaign, address="quirin@firm.example")
    row.state, row.trouble, row.code = "failed", "failed", 550
    row.words = "5.1.1 <quirin@firm.example>: quirin is unknown at mx1.firm.example"
    row.tries = [{"at": "2026-01-01T10:00:00+00:00", "kind": "deferred", "code": 450, "words": row.words}]
    row.save()
    event = Event.objects.create(
        workspace=campaign.workspace,
        account=account,
        source="imap",
        kind="dsn",
        campaign=campaign,
        subject="Undelivered: quirin@firm.example",
        raw=blob_put(b"Final-Recipient: rfc822;quirin@firm.example"),
    )
    EventReport.objects.create(
        event=event,
        workspace=campaign.workspace,
        delivery=row,
        kind="failure",
        recipient=row.address,
        words="550 no mailbox quirin@firm.example",
    )
    return campaign, row, event


def searched(*contacts):
    """They stand in the table that lists and searches read."""
    ContactSearch.objects.bulk_create(
        ContactSearch(contact=one, workspace=one.workspace, text=one.email, sort_key=one.email)
        for one in contacts
    )


def text_of(answer):
    if answer.streaming:
        return b"".join(answer.streaming_content).decode()
    return answer.content.decode()


@pytest.mark.req("GW-04")
def test_a_base_one_may_mail_but_neither_see_nor_copy(cast, as_user, bob, base, account, settings):
    settings.POSTROOM_START_UNDO_SECONDS = 0
    web = as_user(bob)
    person = Contact.objects.get(email="quirin@firm.example")
    assert "You may send to it, not see who is on it." in web.get("/contacts/lists/").content.decode()
    for path in (
        f"/contacts/?list={base.id}",
        f"/contacts/export/?list={base.id}",
        f"/api/v1/lists/{base.id}",
        f"/api/v1/lists/{base.id}/people",
        f"/api/v1/lists/{base.id}/people.csv",
    ):
        assert web.get(path).status_code == 403, path
    assert web.get(f"/contacts/{person.id}/").status_code == 404
    campaign, row, event = started(web, base, account)
    here = f"/campaigns/{campaign.id}"
    for path in (
        f"{here}/",
        f"{here}/?q=quirin",
        f"{here}/people/{row.id}/",
        f"{here}/message/",
        f"{here}/message/?contact={person.id}",
        f"{here}/body/?contact={person.id}",
        f"{here}/source/?contact={person.id}",
        f"{here}/export.csv",
        f"/api/v1/campaigns/{campaign.id}/deliveries",
        f"/api/v1/deliveries/{row.id}",
    ):
        answer = web.get(path)
        assert answer.status_code == 200, path
        text = text_of(answer)
        for secret in SECRET:
            assert secret not in text, f"{secret} in {path}"
    assert "q…@f….example" in web.get(f"{here}/").content.decode()
    assert "q…@f….example" in text_of(web.get(f"{here}/export.csv"))
    panel = web.get(f"{here}/people/{row.id}/").content.decode()
    assert "550 5.1.1 &lt;q…@f….example&gt;: q… is unknown at f….example" in panel
    assert "/raw/" not in panel
    items = json.loads(web.get(f"/api/v1/campaigns/{campaign.id}/deliveries?q=quirin").content)["items"]
    assert len(items) == 2, "searching tells nobody who is there"
    raw = email.message_from_bytes(web.get(f"{here}/source/?contact={person.id}").content)
    assert "q…@f….example" in web.get(f"{here}/message/?contact={person.id}").content.decode()
    assert raw["Subject"]
    assert web.get(f"/campaigns/events/{event.id}/raw/").status_code == 403
    web = as_user(cast.alice.user)
    assert "quirin@firm.example" in web.get(f"{here}/").content.decode(), "who may see them does"
    assert web.get(f"/campaigns/events/{event.id}/raw/").status_code == 200
    settings_of_new = ContactList.objects.get(id=base.id)
    assert settings_of_new.visibility == "profiles"


def test_a_list_that_was_taken_back_is_not_sent_to(cast, as_user, bob, base, account):
    web = as_user(bob)
    status, body = send(
        web,
        "post",
        "/api/v1/campaigns",
        {"name": "X", "subject": "S", "html": "<p>x</p>", "account": account.id, "lists": [base.id]},
    )
    assert status == 201
    sharing_save(viewer=cast.alice, thing=base, sharing=Sharing("private"))
    status, body = send(web, "post", f"/api/v1/campaigns/{body['id']}/start")
    assert status == 403
    assert body["details"]["lists"] == ["Customers"]


def test_people_who_are_only_on_hidden_lists_are_not_there(cast, as_user, bob, base):
    seen = make_list(cast.alice, ["eve@seen.example"], name="Seen")
    zoe = Contact.objects.get(email="zoe@other.example")
    ann = Contact.objects.get(email="quirin@firm.example")
    free = Contact.objects.create(
        workspace=cast.alice.workspace, email="free@x.example", canonical="free@x.example"
    )
    searched(*Contact.objects.all())
    web = as_user(cast.alice.user)
    send(web, "post", f"/api/v1/lists/{seen.id}/people", {"contacts": [zoe.id]})
    web = as_user(bob)
    page = web.get("/contacts/").content.decode()
    for there in ("eve@seen.example", "zoe@other.example", free.email):
        assert there in page
    assert "quirin@firm.example" not in page
    assert "quirin@firm.example" not in web.get("/contacts/?q=quirin").content.decode()
    assert "quirin@firm.example" not in text_of(web.get("/contacts/export/"))
    assert web.get(f"/contacts/{ann.id}/").status_code == 404
    assert web.post("/contacts/do/", {"act": "delete", "id": ann.id}).status_code == 404
    answer = web.post("/contacts/new/", {"email": "quirin@firm.example", "kind": "other"})
    assert answer.status_code == 409
    assert "on a list that you do not see" in answer.content.decode()
    send(web, "post", f"/api/v1/lists/{seen.id}/people", {"contacts": [ann.id]})
    assert not seen.listmember_set.filter(contact=ann).exists()
    assert Contact.objects.filter(id=ann.id).exists()
    sharing_save(viewer=cast.alice, thing=base, sharing=Sharing("workspace", everyone=["view"]))
    assert "quirin@firm.example" in web.get("/contacts/").content.decode()
    assert "quirin@firm.example" not in text_of(web.get("/contacts/export/")), "seen, but not taken out"


def test_a_list_one_may_see_but_not_change_stays_as_it_is(cast, as_user, bob):
    some = make_list(cast.alice, ["a@b.example"])
    sharing_save(viewer=cast.alice, thing=some, sharing=Sharing("workspace", everyone=["view", "use"]))
    person = some.listmember_set.get().contact_id
    web = as_user(bob)
    assert web.get(f"/contacts/?list={some.id}").status_code == 200
    assert web.get(f"/contacts/export/?list={some.id}").status_code == 403
    for path, values in (
        (f"/contacts/lists/{some.id}/rename/", {"name": "X"}),
        (f"/contacts/lists/{some.id}/delete/", {}),
        (f"/contacts/lists/{some.id}/take-off/", {"id": person}),
        ("/contacts/do/", {"act": "list", "list": some.id, "id": person}),
    ):
        assert web.post(path, values).status_code == 403, path
    assert send(web, "put", f"/api/v1/lists/{some.id}", {"name": "X", "version": 1})[0] == 403
    some.refresh_from_db()
    assert (some.name, some.size, some.deleted_at) == ("Customers", 1, None)


def test_without_the_right_nothing_of_it_can_be_done(cast, as_user, bob):
    some = make_list(cast.alice, ["a@b.example"])
    account = make_account(cast.alice, port=2525, visibility="workspace")
    campaign = make_campaign(cast.alice, account, some)
    letter = Template.objects.create(workspace=cast.alice.workspace, name="T", created_by=cast.alice.user)
    Profile.objects.update(rights=[])
    web = as_user(bob)
    person = Contact.objects.get()
    assert web.get("/contacts/").status_code == 200
    for path in ("/contacts/export/", "/contacts/new/", "/contacts/imports/new/", "/campaigns/new/"):
        assert web.get(path).status_code == 403, path
    assert web.get("/templates/new/").status_code == 403
    for path, values in (
        ("/contacts/new/", {"email": "x@y.example", "kind": "other"}),
        (f"/contacts/{person.id}/", {"email": "x@y.example", "kind": "other", "version": 1}),
        ("/contacts/do/", {"act": "delete", "id": person.id}),
        ("/contacts/lists/new/", {"name": "X"}),
        (f"/contacts/lists/{some.id}/delete/", {}),
        (f"/campaigns/{campaign.id}/start/", {"ask_many": "1"}),
        (f"/campaigns/{campaign.id}/act/delete/", {}),
        (f"/campaigns/{campaign.id}/test/", {"name": "N", "version": campaign.version}),
        (f"/templates/{letter.id}/", {"name": "N", "version": 1}),
        (f"/templates/{letter.id}/copy/", {}),
        (f"/templates/{letter.id}/delete/", {}),
    ):
        assert web.post(path, values).status_code == 403, path
    assert send(web, "post", "/api/v1/campaigns", {"name": "X"})[0] == 403
    assert send(web, "post", f"/api/v1/campaigns/{campaign.id}/start")[0] == 403
    assert send(web, "post", "/api/v1/templates", {"name": "X"})[0] == 403
    assert send(web, "post", "/api/v1/lists", {"name": "X"})[0] == 403
    assert Contact.objects.count() == 1
    assert Campaign.objects.get(id=campaign.id).state == "draft"


@pytest.mark.req("GW-05")
def test_a_shared_template_is_read_copied_and_stays_as_it_was(cast, as_user, alice, bob):
    web = as_user(alice)
    web.post("/templates/new/", {"name": "Offer", "subject": "S", "html": "<p>original</p>"})
    one = Template.objects.get()
    assert web.post(f"/sharing/template/{one.id}/", {"visibility": "private"}).status_code == 302
    assert as_user(bob).get(f"/templates/{one.id}/").status_code == 404
    office = Profile.objects.get(workspace=cast.alice.workspace)
    as_user(alice).post(
        f"/sharing/template/{one.id}/", {"visibility": "profiles", f"p{office.id}": ["view", "use"]}
    )
    Membership.objects.filter(user=bob).update(place="private")
    web = as_user(bob)
    page = web.get(f"/templates/{one.id}/").content.decode()
    assert "readonly" in page
    assert f'action="/templates/{one.id}/copy/"' in page
    assert web.post(f"/templates/{one.id}/", {"name": "Mine", "version": 1}).status_code == 403
    assert web.post(f"/templates/{one.id}/delete/").status_code == 403
    web.post(f"/templates/{one.id}/copy/")
    copy = Template.objects.exclude(id=one.id).get()
    assert (copy.created_by, copy.visibility) == (bob, "private"), "it lands where Bob works"
    answer = web.post(
        f"/templates/{copy.id}/", {"name": "Mine", "html": "<p>changed</p>", "version": copy.version}
    )
    assert answer.status_code == 302
    one.refresh_from_db()
    assert (one.name, one.html) == ("Offer", "<p>original</p>")
    campaign = Campaign.objects.create(
        workspace=cast.alice.workspace, name="Soon", template=one, state="scheduled", created_by=alice
    )
    status, body = send(as_user(alice), "delete", f"/api/v1/templates/{one.id}")
    assert (status, body["code"], body["details"]) == (409, "IN_USE", {"campaigns": [campaign.name]})


@pytest.mark.req("CM-13")
def test_a_template_of_another_profile_is_not_there(cast, as_user, alice, bob):
    branch = Profile.objects.create(workspace=cast.alice.workspace, name="Branch")
    web = as_user(alice)
    web.post("/templates/new/", {"name": "For the branch"})
    one = Template.objects.get()
    web.post(f"/sharing/template/{one.id}/", {"visibility": "profiles", f"p{branch.id}": ["view", "use"]})
    web = as_user(bob)
    assert web.get(f"/templates/{one.id}/").status_code == 404
    assert web.get(f"/api/v1/templates/{one.id}").status_code == 404
    assert "For the branch" not in web.get("/templates/").content.decode()
    assert "For the branch" not in web.get("/campaigns/new/").content.decode()
    ProfileMember.objects.create(profile=branch, user=bob)
    assert web.get(f"/templates/{one.id}/").status_code == 200
    assert "For the branch" in web.get("/campaigns/new/").content.decode()


@pytest.mark.req("CM-11")
def test_a_profile_has_one_default_template(cast, as_user, alice, bob):
    office = Profile.objects.get(workspace=cast.alice.workspace)
    branch = Profile.objects.create(workspace=cast.alice.workspace, name="Branch")
    ProfileMember.objects.create(profile=branch, user=bob)
    web = as_user(alice)
    for name in ("A", "B", "C"):
        web.post("/templates/new/", {"name": name})
    a, b, c = Template.objects.order_by("name")
    web.post(f"/templates/{a.id}/default/", {"profile": [office.id]})
    page = web.post(f"/templates/{b.id}/default/", {"profile": [office.id]}, follow=True).content.decode()
    assert "“A” is no longer the default template of Office." in page
    page = web.get("/templates/").content.decode()
    assert page.count("Default of Office") == 1
    status, body = send(web, "put", f"/api/v1/templates/{c.id}/default", {"profiles": [branch.id]})
    assert (status, body["cleared"]) == (200, [])

    def usual():
        answer = as_user(bob).get("/api/v1/templates/default")
        return json.loads(answer.content)["name"] if answer.status_code == 200 else None

    assert usual() == "C", "the newest among his profiles"
    ProfileMember.objects.filter(profile=office, user=bob).update(is_primary=True)
    assert usual() == "B", "that of his primary profile"
    assert f'value="{b.id}" selected' in as_user(bob).get("/campaigns/new/").content.decode()
    as_user(alice).post(f"/templates/{b.id}/delete/")
    assert usual() == "C"
    as_user(alice).post(f"/templates/{c.id}/delete/")
    assert usual() is None
    private = f"/sharing/template/{a.id}/"
    web = as_user(alice)
    web.post(private, {"visibility": "private"})
    assert send(web, "put", f"/api/v1/templates/{a.id}/default", {"profiles": [office.id]})[0] == 422


@pytest.mark.req("CM-14")
def test_every_save_is_kept_and_can_be_brought_back(cast, as_user, alice, bob):
    web = as_user(alice)
    web.post("/templates/new/", {"name": "Letter", "text": "first\nsame"})
    one = Template.objects.get()
    page = f"/templates/{one.id}/"
    web.post(page, {"name": "Letter", "text": "second\nsame", "version": 1})
    history = web.get(f"{page}history/").content.decode()
    assert "<del>first</del>" in history
    assert "<ins>second</ins>" in history
    assert "<ins>same" not in history
    assert "Alice" in history
    campaign = Campaign.objects.create(
        workspace=cast.alice.workspace, name="Sent", template=one, text="second\nsame", state="finished"
    )
    assert web.post(f"{page}history/1/restore/", {"version": 1}).status_code == 409, "somebody was faster"
    assert web.post(f"{page}history/1/restore/", {"version": 2}).status_code == 302
    one.refresh_from_db()
    assert (one.text, one.version) == ("first\nsame", 3)
    assert list(TemplateVersion.objects.order_by("version").values_list("version", flat=True)) == [1, 2, 3]
    campaign.refresh_from_db()
    assert campaign.text == "second\nsame", "what was sent keeps its text"
    assert web.get(f"{page}history/?version=9").status_code == 404
    status, body = send(
        web, "put", f"/api/v1{page}".rstrip("/"), {"name": "Letter", "text": "mine", "version": 1}
    )
    assert (status, body["code"], body["details"]["by"]) == (409, "STALE_VERSION", "Alice")
    assert body["details"]["theirs"]["text"] == "first\nsame"
    assert body["details"]["yours"]["text"] == "mine"
    campaign.state = "scheduled"
    campaign.save()
    assert web.post(f"{page}delete/").status_code == 409
    assert TemplateVersion.objects.count() == 3


def test_where_a_person_works_is_where_new_things_land(cast, as_user, bob):
    office = Profile.objects.get(workspace=cast.alice.workspace)
    Membership.objects.filter(user=bob).update(place="profiles", place_profile=office)
    web = as_user(bob)
    assert send(web, "post", "/api/v1/lists", {"name": "Mine"})[1]["visibility"] == "profiles"
    assert send(web, "post", "/api/v1/templates", {"name": "Mine"})[1]["visibility"] == "profiles"
    assert {share.profile for share in Share.objects.all()} == {office}
    assert Right.CONTACTS_EDIT in office.rights
    assert str(May.USE) in Share.objects.first().may


def test_a_campaign_one_may_only_see_offers_nothing_else(cast, as_user, bob):
    account = make_account(cast.alice, port=2525)
    some = make_list(cast.alice, ["a@b.example"])
    running = make_campaign(cast.alice, account, some, state="running", total=1)
    draft = make_campaign(cast.alice, account, some, name="Soon")
    for one in (running, draft):
        sharing_save(viewer=cast.alice, thing=one, sharing=Sharing("workspace", everyone=["view"]))
    web = as_user(bob)
    page = web.get(f"/campaigns/{running.id}/").content.decode()
    for path in ("act/pause/", "export.csv", f'hx-get="/sharing/campaign/{running.id}/"'):
        assert path not in page
    assert web.post(f"/campaigns/{running.id}/act/pause/").status_code == 403
    assert web.get(f"/campaigns/{running.id}/export.csv").status_code == 403
    page = web.get(f"/campaigns/{draft.id}/").content.decode()
    assert "A draft of somebody else" in page
    assert 'id="id_subject"' not in page
    page = as_user(cast.alice.user).get(f"/campaigns/{running.id}/").content.decode()
    for path in ("act/pause/", "export.csv", f'hx-get="/sharing/campaign/{running.id}/"'):
        assert path in page
    web = as_user(cast.alice.user)
    web.post(f"/sharing/campaign/{running.id}/", {"visibility": "private"})
    assert as_user(bob).get(f"/campaigns/{running.id}/").status_code == 404
    row = Delivery.objects.create(
        workspace=running.workspace, campaign=running, address="a@b.example", canonical="a@b.example"
    )
    assert as_user(bob).get(f"/api/v1/deliveries/{row.id}").status_code == 404
