"""The first visit: making the owner, the workspace and the instance."""

import base64
import hashlib
import hmac

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils import translation

from postroom.actions.member import member_add, workspace_make
from postroom.errors import Conflict, InputError, NotAllowed
from postroom.mail.address import parse
from postroom.models.user import User
from postroom.models.workspace import Instance, Membership, Role


def setup_needed() -> bool:
    """True until an owner exists."""
    return not Membership.objects.filter(role=Role.OWNER).exists()


def setup_code() -> str:
    """The code that `serve` prints; whoever has it may make the first owner. Derived from the instance's key."""
    digest = hmac.new(settings.SECRET_KEY.encode(), b"postroom set-up", hashlib.sha256).digest()
    return base64.b32encode(digest[:10]).decode().lower()


def setup_check(code: str) -> None:
    """Raises Conflict when an owner exists already, NotAllowed when the code is wrong."""
    if not setup_needed():
        raise Conflict("This Postroom has an owner already. Sign in instead.", code="SETUP_DONE")
    if not hmac.compare_digest(code.strip().lower().encode(), setup_code().encode()):
        raise NotAllowed(
            "This set-up code is not right. Use the link that the program printed when it started."
        )


@transaction.atomic
def setup_finish(
    *,
    code: str,
    email: str,
    name: str,
    password: str,
    workspace_name: str,
    language: str = "en",
    time_zone: str = "Europe/Warsaw",
    url: str = "",
    allow_private_hosts: bool = False,
) -> User:
    """Make the owner, the workspace and the instance's row, once. Two at the same time: the second gets Conflict."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(7203001)")
    setup_check(code)
    address = parse(email).spec
    if not workspace_name.strip():
        raise InputError("Give the firm a name.", field="workspace_name")
    try:
        validate_password(password, User(email=address))
    except ValidationError as error:
        raise InputError(" ".join(error.messages), field="password") from error
    Instance.objects.update_or_create(
        id=1, defaults={"url": url.rstrip("/"), "allow_private_hosts": allow_private_hosts}
    )
    user = User.objects.create_user(address, password, name=name, language=language, time_zone=time_zone)
    with translation.override(language):
        workspace = workspace_make(name=workspace_name.strip(), language=language, time_zone=time_zone)
    member_add(workspace=workspace, user=user, role=Role.OWNER)
    return user
