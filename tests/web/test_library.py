"""Templates, as a person uses them."""

import email
import email.policy
import html
import json
import re

import pytest

from postroom.actions.contact import ContactValues, attribute_key_add, contact_add
from postroom.models.template import Template
from postroom.queries.preview import campaign_preview
from postroom.testing.cast import make_account, make_campaign, make_list

pytestmark = pytest.mark.django_db


@pytest.fixture
def web(as_user, alice):
    return as_user(alice)


@pytest.fixture
def eve(cast):
    return contact_add(
        viewer=cast.alice,
        values=ContactValues(
            email="eve@b.example", name="<b>Eve</b>", surname="Nowak", company="Meble & Syn"
        ),
    )


def make(web, **values):
    return web.post("/templates/new/", {"name": "Letter", **values})


@pytest.mark.req("CM-10")
def test_templates_are_listed_and_added_by_name(web):
    assert "Write it once" in web.get("/templates/").content.decode()
    assert make(web, name="Oferta jesienna").status_code == 302
    assert "Oferta jesienna" in web.get("/templates/").content.decode()
    again = make(web, name="oferta JESIENNA")
    assert again.status_code == 409
    assert "There is a template" in again.content.decode()
    assert make(web, name="").status_code == 422
    assert make(web, name="x" * 121).status_code == 422
    assert Template.objects.count() == 1


@pytest.mark.req("CM-12")
def test_special_fields_are_filled_in_escaped_and_unknown_ones_refused(cast, web, eve):
    attribute_key_add(viewer=cast.alice, label="Nr klienta")
    page = html.unescape(web.get("/templates/new/").content.decode())
    for group in ("Recipient", "Own fields", "Sender", "Workspace", "Date"):
        assert group in page
    assert 'data-field="nr_klienta"' in page
    values = {
        "subject": "For {{ company }}",
        "html": "<p>{{ name }} {{ surname }}, {{ salutation | default: 'Dear friend' }}</p>"
        "<p>{{ sender.name }}, {{ workspace.name }}, {{ date.today }}</p>",
        "text": "{{ name }}",
    }
    assert make(web, **values).status_code == 302
    shown = web.post("/templates/preview/", {**values, "person": eve.id}).content.decode()
    assert "For Meble &amp; Syn" in shown
    inside = web.post("/templates/frame/", {**values, "person": eve.id}).content.decode()
    assert "&lt;b&gt;Eve&lt;/b&gt; Nowak, Dear friend" in inside
    assert "Alice, Alder &amp; Pike, " in inside
    bad = make(web, name="Bad", text="{{nope}} {{ also_nope }}")
    assert bad.status_code == 422
    assert "<code>nope</code>" in bad.content.decode()
    assert "<code>also_nope</code>" in bad.content.decode()
    assert not Template.objects.filter(name="Bad").exists()


def test_the_preview_names_what_is_empty_for_the_person_and_runs_nothing(web, eve):
    values = {"html": "<p>{{ salutation }}</p><script>alert(1)</script><img src='http://x.example/a.png'>"}
    shown = web.post("/templates/preview/", {**values, "person": eve.id}).content.decode()
    assert "<b>salutation</b>" in shown
    assert re.search(r"<iframe[^>]* sandbox[ >]", shown)
    assert "<script" not in shown, "nothing of the message stands in the page itself"
    inside = web.post("/templates/frame/", {**values, "person": eve.id})
    policy = inside.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox allow-popups")
    assert "allow-scripts" not in policy
    assert "allow-forms" not in policy
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert inside.headers["X-Frame-Options"] == "SAMEORIGIN"


STYLED = """<style>@media (max-width: 400px) { p { color: red } } .big { font-size: 30px }</style>
<p class="big">Dear {{ name }}</p>"""


@pytest.mark.req("CM-48")
def test_the_preview_is_the_message_that_a_campaign_sends(cast, web, eve):
    people = make_list(cast.alice, ["zed@example.net"])
    campaign = make_campaign(cast.alice, make_account(cast.alice, port=25), people, html=STYLED)
    sent = campaign_preview(cast.alice, campaign, eve.id)
    part = email.message_from_bytes(sent.raw, policy=email.policy.default).get_body(("html",))
    assert "@media (max-width: 400px)" in part.get_content()
    address = f"/campaigns/{campaign.id}/body/?contact={eve.id}"
    for page in (
        web.get(address),
        web.post("/templates/frame/", {"subject": "x", "html": STYLED, "person": eve.id}),
    ):
        assert part.get_content() in page.content.decode(), "byte for byte what is sent"
        assert page.headers["Content-Security-Policy"].startswith("sandbox")
    plain = {"html": "Dear {{ name }},\n\nline one", "person": eve.id}
    assert "<p>line one</p>" in web.post("/templates/frame/", plain).content.decode(), "as sending would"


def test_anybody_can_be_looked_up_for_a_preview(cast, web, eve):
    for number in range(30):
        contact_add(
            viewer=cast.alice, values=ContactValues(email=f"a{number}@b.example", name=f"Aa{number:02}")
        )
    assert f'value="{eve.id}"' not in web.get("/templates/new/").content.decode(), (
        "she is not among the first"
    )
    found = web.get("/contacts/pick/", {"q": "nowak"}).content.decode()
    assert f'<option value="{eve.id}">' in found
    assert "Aa01" not in found
    assert "Nobody found" in web.get("/contacts/pick/", {"q": "zzzzzz"}).content.decode()
    page = web.get("/templates/new/", {"person": eve.id}).content.decode()
    assert f'<option value="{eve.id}" selected>' in page


def test_a_hostile_template_ends_with_words(web, eve):
    loop = "{% for a in (1..100000) %}{% for b in (1..100000) %}x{% endfor %}{% endfor %}"
    answer = web.post("/templates/preview/", {"text": loop, "person": eve.id})
    assert answer.status_code == 200
    assert "pr-note is-bad" in answer.content.decode()


def test_a_stale_save_keeps_both_texts(web):
    make(web, text="first")
    one = Template.objects.get()
    web.post(f"/templates/{one.id}/", {"name": "Letter", "text": "theirs", "version": 1})
    answer = web.post(f"/templates/{one.id}/", {"name": "Letter", "text": "mine", "version": 1})
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "theirs</pre>" in page
    assert "mine</textarea>" in page
    assert Template.objects.get().text == "theirs"
    web.post(f"/templates/{one.id}/", {"name": "Letter", "text": "mine", "version": 2})
    assert Template.objects.get().text == "mine"


def test_a_template_is_copied_deleted_and_brought_back(web):
    make(web, text="T")
    one = Template.objects.get()
    web.post(f"/templates/{one.id}/copy/")
    assert sorted(Template.objects.values_list("name", flat=True)) == ["Letter", "Letter 2"]
    page = web.post(f"/templates/{one.id}/delete/", follow=True).content.decode()
    path = page.split('action="/templates/undo/')[1].split('"')[0]
    assert "Letter</" not in web.get("/templates/").content.decode().replace("Letter 2", "")
    web.post(f"/templates/undo/{path}")
    assert Template.objects.get(id=one.id).deleted_at is None


@pytest.mark.req("CM-14/15")
def test_the_filter_takes_part_of_a_name_without_accents(web):
    make(web, name="Zażółć")
    make(web, name="Other", text="zaz")
    page = web.get("/templates/?q=zaz").content.decode()
    assert "Zażółć" in page
    assert "Other" not in page


def test_a_stranger_gets_404(web, as_user, charlie, eve):
    make(web, text="T")
    one = Template.objects.get()
    other = as_user(charlie)
    assert other.get(f"/templates/{one.id}/").status_code == 404
    for path in ("", "copy/", "delete/"):
        assert other.post(f"/templates/{one.id}/{path}", {"name": "X", "version": 1}).status_code == 404
    assert other.post("/templates/preview/", {"text": "x", "person": eve.id}).status_code == 404


@pytest.mark.req("CM-10")
@pytest.mark.req("CM-12")
def test_the_api_keeps_the_same_rules(web, cast):
    def send(method, path, **body):
        answer = getattr(web, method)(path, json.dumps(body), content_type="application/json")
        return answer.status_code, json.loads(answer.content or "{}")

    status, made = send("post", "/api/v1/templates", name="Offer", subject="For {{ name }}")
    assert (status, made["version"], made["may"]) == (201, 1, ["edit", "export", "use", "view"])
    status, body = send("post", "/api/v1/templates", name="OFFER")
    assert (status, body["code"], body["field"]) == (409, "NAME_TAKEN", "name")
    for name in ("", "x" * 121):
        assert send("post", "/api/v1/templates", name=name)[0] == 422
    status, body = send("post", "/api/v1/templates", name="Bad", html="{{ nope }}", text="{{ also_nope }}")
    assert (status, body["code"], body["details"]) == (
        422,
        "UNKNOWN_FIELD",
        {"unknown": ["nope", "also_nope"]},
    )
    for number in range(55):
        Template.objects.create(
            workspace=cast.alice.workspace, name=f"T {number:02}", created_by=cast.alice.user
        )
    page = web.get("/templates/").content.decode()
    assert "1–50 of 56" in page
    listed = json.loads(web.get("/api/v1/templates?q=offer").content)["items"]
    assert [one["id"] for one in listed] == [made["id"]]
    status, changed = send("put", f"/api/v1/templates/{made['id']}", name="Renamed", version=1)
    assert (status, changed["id"], changed["version"]) == (200, made["id"], 2)
    status, copied = send("post", f"/api/v1/templates/{made['id']}/copy")
    assert (status, copied["name"]) == (201, "Renamed 2")
    assert send("delete", f"/api/v1/templates/{copied['id']}")[0] == 204
    assert web.get(f"/api/v1/templates/{copied['id']}").status_code == 404
