"""Signing in and out, a new password, the second factor, the profile."""

import email
import re
from email.policy import default

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.core.cache import cache
from django.test import Client

from postroom.actions.user import user_create, user_link
from postroom.models.message import Message
from postroom.models.workspace import Instance, Workspace
from postroom.queries.blob import blob_read
from postroom.testing.cast import make_account
from tests.web.conftest import PASSWORD

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _as_in_real_life(settings):
    """The test runner would take the mail away; rate limits count over tests."""
    settings.EMAIL_BACKEND = "postroom.actions.sysmail.MessageRowBackend"
    cache.clear()


def sign_in(client, user, password=PASSWORD, next_=""):
    return client.post("/sign-in/", {"login": user.email, "password": password, "next": next_})


def test_a_person_signs_in_and_out(client, alice):
    answer = sign_in(client, alice, next_="/more/")
    assert answer["Location"] == "/more/"
    assert client.get("/more/").status_code == 200
    assert client.get("/sign-out/").status_code == 200, "a GET changes nothing"
    assert client.get("/more/").status_code == 200
    client.post("/sign-out/")
    assert client.get("/more/").status_code == 302


def test_a_wrong_password_and_an_unknown_person_look_the_same(client, alice):
    wrong = sign_in(client, alice, "wrong")
    assert wrong.status_code == 200
    alice.email = "nobody@example.org"
    unknown = sign_in(client, alice, "wrong")
    said = [
        re.findall(r"pr-note is-bad.*?<div>(.*?)</div>", page.content.decode(), re.S)
        for page in (wrong, unknown)
    ]
    assert said[0] == said[1]
    assert "ask for a new password below" in said[0][0], "ours, with what to do next"


def test_the_words_for_a_wrong_password_are_ours_in_every_language(client, alice):
    for language, words in (
        ("pl", "Adres lub hasło się nie zgadza."),
        ("bg", "Адресът или паролата не е вярна."),
    ):
        page = client.post(
            "/sign-in/", {"login": alice.email, "password": "wrong"}, HTTP_ACCEPT_LANGUAGE=language
        )
        assert words in page.content.decode()


def test_next_leads_nowhere_else(client, alice):
    assert sign_in(client, alice, next_="https://evil.example/")["Location"] == "/"


def test_nobody_signs_up_alone(client, alice):
    assert b"Logins are given by the owner" in client.get("/sign-up/").content


def test_without_a_notice_account_the_page_says_so_and_sends_nothing(client, alice):
    page = client.get("/password/reset/").content.decode()
    assert "cannot send you a link" in page
    assert "postroom user link" in page
    assert 'name="email"' not in page
    client.post("/password/reset/", {"email": alice.email})
    assert not Message.objects.exists()


def test_a_reset_goes_out_through_the_notice_account_and_its_link_works_once(client, cast):
    alice = cast.alice.user
    Instance.objects.update(url="https://post.alderpike.example")
    account = make_account(cast.alice, port=2525)
    Workspace.objects.filter(id=cast.alice.workspace.id).update(notice_account=account)
    answer = client.post("/password/reset/", {"email": alice.email}, headers={"host": "evil.example"})
    assert answer["Location"] == "/password/reset/sent/"
    message = Message.objects.get()
    assert (message.purpose, message.to_address) == ("system", alice.email)
    text = (
        email.message_from_bytes(blob_read(message.raw_id), policy=default).get_body(("plain",)).get_content()
    )
    link = re.search(r"https://post\.alderpike\.example(/password/reset/key/\S+)", text).group(1)
    assert "evil.example" not in text
    step = client.get(link, follow=True)
    form = step.redirect_chain[-1][0]
    new = {"password1": "another sentence", "password2": "another sentence"}
    assert client.post(form, new)["Location"] == "/password/reset/done/"
    assert sign_in(client, alice, "another sentence")["Location"] == "/"
    client.post("/sign-out/")
    assert b"worth nothing any more" in client.get(link, follow=True).content


def test_an_unknown_address_gets_the_same_answer_and_no_mail(client, cast):
    account = make_account(cast.alice, port=2525)
    Workspace.objects.filter(id=cast.alice.workspace.id).update(notice_account=account)
    answer = client.post("/password/reset/", {"email": "nobody@example.org"})
    assert answer["Location"] == "/password/reset/sent/"
    assert not Message.objects.exists()


def test_the_link_of_the_command_line_opens_the_same_page(client, cast):
    made = user_create(email="Dana@Alderpike.Example", name="Dana", workspace_id=cast.alice.workspace.id)
    assert not made.has_usable_password()
    link = user_link(email=made.email)
    assert link.startswith("http://localhost:8025/password/reset/key/")
    step = client.get(link.removeprefix("http://localhost:8025"), follow=True)
    new = {"password1": "another sentence", "password2": "another sentence"}
    client.post(step.redirect_chain[-1][0], new)
    assert sign_in(client, made, "another sentence")["Location"] == "/"


def test_the_second_factor_is_asked_for(client, alice):
    signed_in = Client()
    sign_in(signed_in, alice)
    on = "/settings/second-factor/on/"
    signed_in.post("/sign-in/again/", {"password": PASSWORD, "next": on})
    page = signed_in.get(on).content.decode()
    secret = re.search(r'id="totp-secret" readonly value="(\w+)"', page).group(1)
    code = format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))
    assert signed_in.post(on, {"code": code}).status_code == 302
    assert sign_in(client, alice)["Location"] == "/sign-in/code/"
    assert client.get("/more/").status_code == 302
    assert client.post("/sign-in/code/", {"code": "000000"}).status_code == 200
    assert client.get("/more/").status_code == 302
    assert "Switched on" in signed_in.get("/settings/profile/").content.decode()


def test_a_profile_changes_language_time_and_theme(as_user, alice):
    client = as_user(alice)
    values = {"name": "Alice A.", "language": "pl", "time_zone": "Asia/Tokyo", "theme": "dark"}
    assert client.post("/settings/profile/", values).status_code == 302
    page = client.get("/more/").content.decode()
    assert '<html lang="pl" data-theme="dark" data-bs-theme="dark" data-keys="off"' in page
    alice.refresh_from_db()
    assert (alice.time_zone, alice.single_keys) == ("Asia/Tokyo", False)
    assert client.post("/settings/profile/", {**values, "theme": "pink"}).status_code == 422
    assert client.post("/settings/profile/", {**values, "time_zone": "Mars"}).status_code == 422


def test_only_managers_change_the_workspace_and_only_the_owner_the_instance(as_user, cast):
    assert as_user(cast.bob.user).get("/settings/workspace/").status_code == 403
    values = {"name": "Alder", "language": "bg", "time_zone": "Europe/Sofia", "url": "https://p.example"}
    assert as_user(cast.bob.user).post("/settings/workspace/", values).status_code == 403
    client = as_user(cast.alice.user)
    assert (
        client.post("/settings/workspace/", {**values, "bounce_host": "returns.alder.example"}).status_code
        == 302
    )
    workspace = Workspace.objects.get(id=cast.alice.workspace.id)
    assert (workspace.name, workspace.bounce_host) == ("Alder", "returns.alder.example")
    assert Instance.objects.get().url == "https://p.example"
    assert client.post("/settings/workspace/", {**values, "url": "javascript:alert(1)"}).status_code == 422
    assert client.post("/settings/workspace/", {**values, "bounce_host": "a b"}).status_code == 422
