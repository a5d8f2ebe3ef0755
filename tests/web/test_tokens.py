"""API tokens: shown once, no more than their scopes and their person, ended at once."""

import re
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from postroom.actions.member import member_switch
from postroom.actions.token import token_add
from postroom.models.profile import ApiToken, Profile
from postroom.queries.scopes import SCOPES, allows, scope_of
from postroom.testing.cast import make_list

pytestmark = pytest.mark.django_db
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@pytest.fixture(autouse=True)
def _no_counts_of_other_tests():
    cache.clear()


def call(secret, method, path, **body):
    client = Client(headers={"authorization": f"Bearer {secret}"})
    more = {"data": body, "content_type": "application/json"} if method != "get" else {}
    return getattr(client, method)(f"/api/v1/{path}", **more)


def test_a_token_is_made_by_page_shown_once_and_works(cast):
    client = Client()
    client.force_login(cast.bob.user, backend=BACKEND)
    made = client.post("/settings/tokens/", {"name": "Shop", "scopes": ["campaigns:read"], "days": "30"})
    secret = re.search(r'id="token-secret">(pr_[\w-]+)<', made.content.decode()).group(1)
    assert secret not in client.get("/settings/tokens/").content.decode()
    assert secret not in str(vars(ApiToken.objects.get()))
    assert call(secret, "get", "campaigns").json()["items"] == []
    one = ApiToken.objects.get()
    assert one.last_used_at is not None
    client.post(f"/settings/tokens/{one.id}/revoke/")
    assert call(secret, "get", "campaigns").status_code == 401


def test_a_token_does_no_more_than_its_scopes(cast):
    _made, secret = token_add(viewer=cast.alice, name="Reader", scopes=["campaigns:read"])
    refused = call(secret, "post", "campaigns", name="New")
    assert (refused.status_code, refused.json()["code"]) == (403, "SCOPE")
    assert refused.json()["details"]["scope"] == "campaigns:write"
    assert call(secret, "get", "accounts").status_code == 403
    assert call(secret, "get", "nonsense").status_code == 404
    _made, secret = token_add(viewer=cast.alice, name="Writer", scopes=["campaigns:write"])
    assert call(secret, "get", "campaigns").status_code == 200, "who writes may read"
    assert call(secret, "post", "campaigns", name="New").status_code == 201, "and needs no CSRF header"


def test_a_token_does_no_more_than_its_person(cast):
    Profile.objects.filter(workspace=cast.bob.workspace).update(rights=["tokens.add"])
    from postroom.queries.viewer import viewer_of

    _made, secret = token_add(viewer=viewer_of(cast.bob.user), name="All", scopes=list(SCOPES))
    assert call(secret, "post", "campaigns", name="New").status_code == 403
    assert call(secret, "get", "members").status_code == 403


def test_a_token_sees_its_own_workspace_only(cast):
    made = make_list(cast.alice, ["one@example.org"])
    _made, secret = token_add(viewer=cast.charlie, name="All", scopes=list(SCOPES))
    assert call(secret, "get", f"lists/{made.id}").status_code == 404


def test_expired_revoked_switched_off_and_invented_tokens_are_401(cast):
    made, secret = token_add(viewer=cast.bob, name="All", scopes=list(SCOPES), days=1)
    assert call(secret, "get", "campaigns").status_code == 200
    ApiToken.objects.filter(id=made.id).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert call(secret, "get", "campaigns").status_code == 401
    ApiToken.objects.filter(id=made.id).update(expires_at=None)
    member_switch(viewer=cast.alice, user_id=cast.bob.user.id, on=False)
    assert call(secret, "get", "campaigns").status_code == 401
    assert call("pr_nonsense", "get", "campaigns").status_code == 401
    assert call("", "get", "campaigns").status_code == 401


def test_a_wrong_token_is_not_made_good_by_a_session(cast):
    client = Client(headers={"authorization": "Bearer pr_nonsense"})
    client.force_login(cast.alice.user, backend=BACKEND)
    assert client.get("/api/v1/campaigns").status_code == 401


def test_a_session_needs_the_csrf_header(cast):
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.alice.user, backend=BACKEND)
    body = {"data": {"name": "New"}, "content_type": "application/json"}
    refused = client.post("/api/v1/campaigns", **body)
    assert (refused.status_code, refused.json()["code"]) == (403, "CSRF")


def test_a_token_makes_no_other_one(cast):
    _made, secret = token_add(viewer=cast.alice, name="Tokens", scopes=["tokens:write"])
    for scopes in (["campaigns:write"], ["tokens:write"]):
        refused = call(secret, "post", "tokens", name="More", scopes=scopes)
        assert (refused.status_code, refused.json()["code"]) == (403, "SCOPE")
    assert call(secret, "get", "tokens").status_code == 200


def test_too_many_requests_in_a_minute_are_slowed_down(cast, settings):
    settings.POSTROOM_API_PER_MINUTE = 3
    _made, secret = token_add(viewer=cast.alice, name="Hasty", scopes=["campaigns:read"])
    answers = [call(secret, "get", "campaigns").status_code for _number in range(5)]
    assert answers.count(429) >= 1


def test_the_use_is_noted_at_most_once_a_minute(cast, django_assert_num_queries):
    made, secret = token_add(viewer=cast.alice, name="Shop", scopes=["campaigns:read"])
    call(secret, "get", "campaigns")
    first = ApiToken.objects.get(id=made.id).last_used_at
    call(secret, "get", "campaigns")
    assert ApiToken.objects.get(id=made.id).last_used_at == first


def test_what_no_scope_names_is_closed_to_tokens():
    assert scope_of("GET", "campaigns/7") == "campaigns:read"
    assert scope_of("POST", "probes/7") == "accounts:write"
    assert scope_of("GET", "unheard-of") is None
    assert not allows(frozenset(SCOPES), "GET", "unheard-of")
