"""A firm with people in it, a stranger, and a browser."""

import django
import pytest

django.setup()  # the root conftest has set the environment

from postroom.models.user import User  # noqa: E402
from postroom.models.workspace import Instance, Membership, Workspace  # noqa: E402
from tests.web.browser import browse, chromium  # noqa: E402, F401

PASSWORD = "correct-horse-1"


def make_firm(name: str, *people: tuple[str, str, str]) -> list[User]:
    """A workspace with (name, email, role) people; all have PASSWORD."""
    workspace = Workspace.objects.create(name=name)
    made = []
    for person, email, role in people:
        user = User.objects.create_user(email, PASSWORD, name=person)
        Membership.objects.create(workspace=workspace, user=user, role=role)
        made.append(user)
    return made


@pytest.fixture
def alice(db):
    """Owner of Alder & Pike. Private hosts are allowed there."""
    Instance.objects.create(id=1, url="http://localhost:8025", allow_private_hosts=True)
    return make_firm("Alder & Pike", ("Alice Adams", "alice@alderpike.example", "owner"))[0]


@pytest.fixture
def bob(alice):
    """A member of Alice's firm."""
    user = User.objects.create_user("bob@alderpike.example", PASSWORD, name="Bob Brown")
    Membership.objects.create(
        workspace=Workspace.objects.get(memberships__user=alice), user=user, role="member"
    )
    return user


@pytest.fixture
def charlie(db):
    """Owner of another firm."""
    return make_firm("Other Firm", ("Charlie Cole", "charlie@other.example", "owner"))[0]


@pytest.fixture
def as_user(client):
    """as_user(alice): the test client, signed in."""

    def sign_in(user):
        client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
        return client

    return sign_in
