"""A firm with people in it, a stranger, and a browser."""

import django
import pytest

django.setup()  # the root conftest has set the environment

from postroom.testing.cast import Cast, make_cast  # noqa: E402
from tests.web.browser import browse, chromium  # noqa: E402, F401

PASSWORD = "correct horse"


@pytest.fixture
def cast(db) -> Cast:
    return make_cast()


@pytest.fixture
def alice(cast):
    """Owner of Alder & Pike."""
    return cast.alice.user


@pytest.fixture
def bob(cast):
    """A member of Alice's firm."""
    return cast.bob.user


@pytest.fixture
def charlie(cast):
    """Owner of another firm."""
    return cast.charlie.user


@pytest.fixture
def as_user(client):
    """as_user(alice): the test client, signed in."""

    def sign_in(user):
        client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
        return client

    return sign_in
