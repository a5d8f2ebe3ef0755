"""Passkeys, the firm's own sign-in server, recovery codes, sessions, and what a new password ends."""

import re
import urllib.request

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.core.cache import cache
from django.test import Client

from postroom.actions.invitation import invitation_add
from postroom.actions.user import user_link
from postroom.models.user import User
from postroom.models.workspace import Membership
from postroom.testing.oidc import CLIENT, SECRET, OidcServer
from tests.web.conftest import PASSWORD


@pytest.fixture(autouse=True)
def _no_counts_of_other_tests():
    cache.clear()


def sign_in(user, password=PASSWORD):
    client = Client(headers={"user-agent": "Mozilla/5.0 (Windows NT 10.0) Firefox/140.0"})
    client.answer = client.post("/sign-in/", {"login": user.email, "password": password})
    return client


def here(client):
    return client.get("/more/").status_code == 200


def second_factor(client):
    """Switch it on; the secret of the app."""
    on = "/settings/second-factor/on/"
    client.post("/sign-in/again/", {"password": PASSWORD, "next": on})
    secret = re.search(r'id="totp-secret" readonly value="(\w+)"', client.get(on).content.decode()).group(1)
    code = format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))
    assert client.post(on, {"code": code}).status_code == 302
    return secret


@pytest.mark.django_db
def test_a_recovery_code_opens_once(alice):
    client = sign_in(alice)
    second_factor(client)
    page = client.get("/settings/second-factor/codes/").content.decode()
    codes = re.search(r"pr-codes\">(.*?)</code>", page, re.S).group(1).split()
    assert len(codes) == 10
    first = sign_in(alice)
    assert not here(first)
    first.post("/sign-in/code/", {"code": codes[0]})
    assert here(first)
    second = sign_in(alice)
    second.post("/sign-in/code/", {"code": codes[0]})
    assert not here(second)


@pytest.mark.django_db
def test_sessions_are_listed_and_ended(alice, bob):
    first, second, third = sign_in(alice), sign_in(alice), sign_in(alice)
    page = first.get("/settings/sessions/").content.decode()
    assert page.count("Firefox, Windows") == 3
    assert page.count("this session") == 1
    ends = re.findall(r"/settings/sessions/(\d+)/end/", page)
    assert len(ends) == 2
    assert sign_in(bob).post(f"/settings/sessions/{ends[0]}/end/").status_code == 404
    first.post(f"/settings/sessions/{ends[0]}/end/")
    assert [here(second), here(third)].count(False) == 1
    first.post("/settings/sessions/")
    assert [here(one) for one in (first, second, third)] == [True, False, False]


@pytest.mark.django_db
def test_a_changed_password_ends_every_other_session(alice):
    first, second = sign_in(alice), sign_in(alice)
    new = {"oldpassword": PASSWORD, "password1": "a horse in the rain", "password2": "a horse in the rain"}
    assert first.post("/password/change/", new).status_code == 302
    assert here(first)
    assert not here(second)


@pytest.mark.django_db
def test_a_password_by_link_ends_every_session(alice):
    open_one = sign_in(alice)
    link = user_link(email=alice.email).removeprefix("http://localhost:8025")
    client = Client()
    form = client.get(link, follow=True).redirect_chain[-1][0]
    client.post(form, {"password1": "a horse in the rain", "password2": "a horse in the rain"})
    assert not here(open_one)


@pytest.fixture
def oidc(settings):
    with OidcServer() as server:
        settings.POSTROOM_OIDC_URL, settings.POSTROOM_OIDC_NAME = server.url, "Office login"
        settings.SOCIALACCOUNT_PROVIDERS = {
            "openid_connect": {
                "OAUTH_PKCE_ENABLED": True,
                "APPS": [
                    {
                        "provider_id": "oidc",
                        "name": "Office login",
                        "client_id": CLIENT,
                        "secret": SECRET,
                        "settings": {"server_url": server.url},
                    }
                ],
            }
        }
        yield server


def come_in(client):
    """Follow the button to the server and back; the answer of the page it leads back to."""
    assert "With Office login" in client.get("/sign-in/").content.decode()
    away = client.get("/sign-in/oidc/login/")
    assert away.status_code == 302

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_args):
            return None

    try:
        urllib.request.build_opener(Stay).open(away["Location"], timeout=5)
    except urllib.error.HTTPError as answer:
        back = answer.headers["Location"]
        answer.close()
    return client.get(back.removeprefix("http://testserver"))


@pytest.mark.django_db
def test_the_firms_sign_in_server_opens_a_login_that_exists(oidc, alice):
    oidc.person = {"sub": "7", "email": "Alice@Example.org", "email_verified": True, "name": "Somebody"}
    client = Client()
    assert come_in(client).status_code == 302
    assert here(client)
    assert User.objects.count() == 3, "nobody new"
    assert [name for name, _values in oidc.asked] == ["authorize", "token", "userinfo"]
    again = Client()
    oidc.person["email"] = "moved@example.org"
    assert come_in(again).status_code == 302, "known by what the server calls them"
    assert here(again)


@pytest.mark.django_db
def test_the_firms_sign_in_server_makes_nobody_who_was_not_invited(oidc, cast):
    oidc.person = {"sub": "8", "email": "eve@example.org", "email_verified": True, "name": "Eve"}
    refused = come_in(Client())
    assert refused.status_code == 403
    assert "nobody here has invited this address" in refused.content.decode()
    assert not User.objects.filter(email="eve@example.org").exists()
    invitation_add(viewer=cast.alice, email="eve@example.org")
    client = Client()
    assert come_in(client).status_code == 302
    assert here(client)
    assert Membership.objects.get(user__email="eve@example.org").workspace == cast.alice.workspace


@pytest.mark.django_db
def test_an_address_that_is_not_verified_there_opens_nothing(oidc, alice):
    oidc.person = {"sub": "9", "email": alice.email, "email_verified": False, "name": "Mallory"}
    client = Client()
    assert come_in(client).status_code == 403
    assert not here(client)


@pytest.mark.django_db
def test_who_is_switched_off_does_not_come_in_by_the_sign_in_server(oidc, bob):
    User.objects.filter(id=bob.id).update(is_active=False)
    oidc.person = {"sub": "10", "email": bob.email, "email_verified": True, "name": "Bob"}
    client = Client()
    come_in(client)
    assert not here(client)


@pytest.mark.django_db
def test_an_answer_that_nobody_asked_for_is_refused(oidc, alice):
    client = Client()
    assert client.get("/sign-in/oidc/login/callback/?code=1&state=2").status_code in (200, 403)
    assert not here(client)


@pytest.mark.django_db
def test_without_a_sign_in_server_there_is_no_button(alice):
    client = Client()
    assert "oidc-login" not in client.get("/sign-in/").content.decode()
    assert client.get("/sign-in/oidc/login/").status_code == 404


@pytest.mark.django_db(transaction=True)
def test_a_passkey_signs_in_and_can_be_taken_away(browse, alice, live_server):
    page = browse()
    page.goto(live_server.url.replace("127.0.0.1", "localhost") + "/sign-in/")
    wire = page.context.new_cdp_session(page)
    wire.send("WebAuthn.enable")
    wire.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )
    page.get_by_label("E-mail address").fill(alice.email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_selector(".pr-shell")
    base = page.url.split("/", 3)
    root = "/".join(base[:3])
    page.goto(root + "/settings/passkeys/")
    page.get_by_role("link", name="Add a passkey").click()
    if "/sign-in/again/" in page.url:
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Go on").click()
    page.get_by_label("Name").fill("My laptop")
    page.get_by_role("button", name="Go on").click()
    page.wait_for_url("**/settings/second-factor/**")
    page.goto(root + "/settings/passkeys/")
    assert page.get_by_text("My laptop").is_visible()
    page.goto(root + "/more/")
    page.context.clear_cookies()
    page.goto(root + "/sign-in/")
    page.get_by_role("button", name="With a passkey").click()
    page.wait_for_selector(".pr-shell")
    page.goto(root + "/settings/passkeys/")
    page.get_by_role("link", name="Remove").click()
    page.wait_for_url(re.compile("/remove/|/again/"))
    if "/again/" in page.url and page.get_by_role("button", name="Use a passkey").count():
        page.get_by_role("button", name="Use a passkey").click()
    elif "/again/" in page.url:
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Go on").click()
    page.wait_for_url("**/remove/")
    page.get_by_role("button", name="Remove", exact=True).click()
    page.wait_for_url("**/settings/passkeys/")
    assert page.get_by_text("None yet.").is_visible()
    page.context.clear_cookies()
    page.goto(root + "/sign-in/")
    page.get_by_role("button", name="With a passkey").click()
    page.wait_for_url("**/sign-in/")
    assert page.locator(".pr-shell").count() == 0
