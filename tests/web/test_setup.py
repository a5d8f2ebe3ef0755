"""The first visit."""

import pytest

from postroom.actions.setup import setup_code
from postroom.models.user import User
from postroom.models.workspace import Instance, Membership, Workspace

pytestmark = pytest.mark.django_db

ANSWERS = {
    "name": "Hannah Reed",
    "email": "hannah@alderpike.example",
    "password": "a short sentence",
    "workspace_name": "Alder & Pike",
    "language": "pl",
    "time_zone": "Europe/London",
    "url": "https://post.alderpike.example",
    "private": "yes",
}


def test_without_the_code_nobody_comes_in(client):
    assert client.get("/setup/").status_code == 200
    assert b"Set-up code" in client.get("/setup/").content
    wrong = client.get("/setup/?code=aaaaaaaaaaaaaaaa")
    assert wrong.status_code == 403
    assert b"not right" in wrong.content
    assert client.post("/setup/", {**ANSWERS, "code": "aaaaaaaaaaaaaaaa"}).status_code == 403
    assert not User.objects.exists()


def test_the_wizard_makes_owner_workspace_and_instance_and_signs_in(client):
    answer = client.post("/setup/", {**ANSWERS, "code": setup_code()})
    assert answer["Location"] == "/setup/account/"
    user, workspace, instance = User.objects.get(), Workspace.objects.get(), Instance.objects.get()
    assert Membership.objects.get().role == "owner"
    assert (user.email, user.language, user.time_zone) == (ANSWERS["email"], "pl", "Europe/London")
    assert (workspace.name, instance.url) == ("Alder & Pike", ANSWERS["url"])
    assert instance.allow_private_hosts
    assert client.get("/setup/account/").status_code == 200
    assert client.get("/more/").status_code == 200


def test_it_is_gone_once_an_owner_exists(client, alice):
    for answer in (
        client.get(f"/setup/?code={setup_code()}"),
        client.post("/setup/", {**ANSWERS, "code": setup_code()}),
    ):
        assert answer.status_code == 410
        assert b"Sign in" in answer.content
    assert User.objects.filter(email=ANSWERS["email"]).count() == 0


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("password", "short"),
        ("password", "password"),
        ("password", "hannah@alderpike.example"),
        ("email", "hannah@"),
        ("workspace_name", "  "),
        ("url", "post.alderpike.example/path"),
        ("url", "ftp://x.example"),
        ("time_zone", "Mars/Base"),
    ],
)
def test_what_does_not_fit_is_said_at_its_field_and_the_rest_stays(client, field, value):
    answer = client.post("/setup/", {**ANSWERS, "code": setup_code(), field: value})
    assert answer.status_code == 422
    page = answer.content.decode()
    assert f'id="id_{field}-error"' in page
    assert 'value="Hannah Reed"' in page
    assert ANSWERS["password"] not in page
    assert not User.objects.exists()


def test_a_person_walks_through_it(browse):
    page = browse()
    page.goto("/")
    assert page.url.endswith("/setup/")
    page.fill("#code", setup_code())
    page.click("button[type=submit]")
    page.click("[data-go='2']")
    assert page.locator("#id_name").is_visible(), "an empty step does not let go"
    page.fill("#id_name", "Hannah Reed")
    page.fill("#id_email", "hannah@alderpike.example")
    page.fill("#id_password", "a short sentence")
    page.keyboard.press("Enter")
    page.fill("#id_workspace_name", "Alder & Pike")
    page.locator("label[lang=bg]").click()
    page.locator("[data-step='2'] button[type=submit]").click()
    page.wait_for_url("**/setup/account/")
    assert page.locator("html").get_attribute("lang") == "bg"
    page.locator("a.btn-quiet").click()
    assert User.objects.get().language == "bg"


def test_the_wizard_fits_a_phone(browse):
    page = browse(phone=True)
    page.goto(f"/setup/?code={setup_code()}")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_another_language_keeps_what_was_typed(client):
    typed = {**ANSWERS, "code": setup_code()}
    page = client.post("/setup/", {**typed, "speak": "pl"}, HTTP_ACCEPT_LANGUAGE="en").content.decode()
    assert '<html lang="pl"' in page
    assert "This field is required" not in page
    for value in ("Hannah Reed", "hannah@alderpike.example", "a short sentence", "Alder &amp; Pike"):
        assert f'value="{value}"' in page
    assert not User.objects.exists(), "choosing a language is no answer"
    wrong = client.post("/setup/", {**typed, "email": "", "spoken": "pl"}, HTTP_ACCEPT_LANGUAGE="en")
    assert '<html lang="pl"' in wrong.content.decode(), "the next page speaks it too"
    assert client.post("/setup/", {**typed, "spoken": "pl"})["Location"] == "/setup/account/"
