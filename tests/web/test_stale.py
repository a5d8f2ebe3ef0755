"""Two people save at once, and a right is taken away while somebody writes: nothing typed is lost (GW-02, GW-06)."""

import re

import pytest
from django.test import Client

from postroom.models.contact import Contact
from postroom.models.profile import Profile
from postroom.models.template import Template
from postroom.testing.cast import make_account, make_campaign, make_list

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


def signed_in(viewer):
    client = Client()
    client.force_login(viewer.user, backend=BACKEND)
    return client


def version_in(page):
    return re.search(r'name="version"[^>]*value="(\d+)"', page.content.decode()).group(1)


@pytest.mark.django_db
@pytest.mark.req("GW-02")
def test_two_sessions_save_one_template_and_the_second_loses_nothing(cast):
    alice, bob = signed_in(cast.alice), signed_in(cast.bob)
    alice.post("/templates/new/", {"name": "Offer", "subject": "S", "html": "", "text": "As it was"})
    template = Template.objects.get()
    Template.objects.update(everyone=["view", "use", "edit"])
    url = f"/templates/{template.id}/"
    seen = version_in(alice.get(url))
    assert version_in(bob.get(url)) == seen
    text = {"name": "Offer", "subject": "S", "html": "", "version": seen}
    assert alice.post(url, {**text, "text": "As Alice wrote"}).status_code == 302
    stale = bob.post(url, {**text, "text": "As Bob wrote"})
    page = stale.content.decode()
    assert stale.status_code == 409
    assert "Alice saved this template" in page
    assert "As Alice wrote" in page
    assert "As Bob wrote" in page
    template.refresh_from_db()
    assert template.text == "As Alice wrote", "nothing is overwritten"
    assert bob.post(url, {**text, "text": "As both wrote", "version": version_in(stale)}).status_code == 302
    pages = [alice.get(f"{url}history/?version={number}").content.decode() for number in (1, 2, 3)]
    history = "".join(pages)
    for kept in ("As it was", "As Alice wrote", "As both wrote", "Alice", "Bob"):
        assert kept in history
    api = bob.put(
        f"/api/v1/templates/{template.id}",
        {"name": "Offer", "text": "Late", "version": int(seen)},
        content_type="application/json",
    )
    assert (api.status_code, api.json()["code"]) == (409, "STALE_VERSION")
    assert api.json()["details"]["by"] == "Bob"


@pytest.mark.django_db
@pytest.mark.req("GW-02")
def test_every_editable_thing_refuses_a_stale_save_and_names_who_was_faster(cast):
    alice, bob = signed_in(cast.alice), signed_in(cast.bob)
    listed = make_list(cast.alice, ["one@example.org"])
    contact = Contact.objects.get(email="one@example.org")
    url = f"/contacts/{contact.id}/"
    values = {"email": "one@example.org", "kind": "other", "version": version_in(alice.get(url))}
    assert alice.post(url, {**values, "company": "Alder"}).status_code == 302
    stale = bob.post(url, {**values, "company": "Birch"})
    page = stale.content.decode()
    assert (stale.status_code, "Alice changed this person" in page) == (409, True)
    assert "Alder" in page
    assert "Birch" in page

    campaign = make_campaign(cast.alice, make_account(cast.alice, port=2525), listed)
    put = {"version": campaign.version, "subject": "By Alice"}
    path = f"/api/v1/campaigns/{campaign.id}"
    assert alice.put(path, put, content_type="application/json").status_code == 200
    late = bob.put(path, {**put, "subject": "By Bob"}, content_type="application/json")
    assert late.status_code == 409
    details = late.json()["details"]
    assert details["by"] == "Alice"
    assert details["theirs"]["subject"] == "By Alice"
    assert details["yours"]["subject"] == "By Bob"

    carol = signed_in(cast.alice)
    url = "/settings/workspace/"
    values = {
        "name": "Alder",
        "language": "en",
        "time_zone": "UTC",
        "url": "http://localhost:8025",
        "version": version_in(alice.get(url)),
    }
    assert alice.post(url, values).status_code == 302
    stale = carol.post(url, {**values, "name": "Birch"})
    page = stale.content.decode()
    assert stale.status_code == 409
    assert "Alice has changed this" in page
    assert 'value="Birch"' in page
    assert carol.post(url, {**values, "name": "Birch", "version": version_in(stale)}).status_code == 302


@pytest.mark.django_db(transaction=True)
@pytest.mark.req("GW-06")
def test_a_right_taken_away_while_writing_gives_403_and_the_draft_is_offered_again(browse, cast, live_server):
    office = Profile.objects.get(workspace=cast.bob.workspace)
    page = browse(cast.bob.user)
    page.goto(live_server.url + "/templates/new/")
    page.get_by_label("Name", exact=True).fill("Spring offer")
    page.get_by_label("Plain text").fill("Dear customer, the spring is here.")
    kept = office.rights
    office.rights = [right for right in kept if right != "templates.edit"]
    office.save()
    with page.expect_response("**/templates/new/") as answer:
        page.get_by_role("button", name="Save", exact=True).click()
    assert answer.value.status == 403
    page.get_by_text("What you typed is kept in this browser").wait_for()
    assert not Template.objects.exists()
    office.rights = kept
    office.save()
    page.goto(live_server.url + "/templates/new/")
    page.get_by_role("button", name="Take it over").click()
    assert page.get_by_label("Name", exact=True).input_value() == "Spring offer"
    assert "spring is here" in page.get_by_label("Plain text").input_value()
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url(re.compile(r"/templates/\d+/"))
    page.goto(live_server.url + "/templates/new/")
    assert page.get_by_role("button", name="Take it over").count() == 0, "what is saved is not offered again"
