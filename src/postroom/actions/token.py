"""API tokens: shown once when made, kept as a digest, never more than their person (PostgreSQL holds no usable one)."""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import timedelta

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from postroom.actions.audit import audit
from postroom.errors import InputError, NotAllowed, NotFound
from postroom.models.profile import ApiToken, Right
from postroom.queries.scopes import SCOPES
from postroom.queries.viewer import Viewer, demand

#: What every token begins with, so that people and scanners know it when they see one.
PREFIX = "pr_"
NAME_MAX = 120
DAYS_MAX = 3660


def digest_of(secret: str) -> str:
    """Of a random secret of 256 bits: no salt and no slow hash are needed."""
    return hashlib.sha256(secret.encode()).hexdigest()


@transaction.atomic
def token_add(*, viewer: Viewer, name: str, scopes: Sequence[str], days: int = 0) -> tuple[ApiToken, str]:
    """A token of the viewer's own and its secret, which nobody can read again. days: until it expires; 0 = never.

    Raises NotAllowed (also to a token: one that is found out could live on in its children), InputError.
    """
    demand(viewer, Right.TOKENS_ADD)
    if viewer.scopes is not None:
        raise NotAllowed(_("Tokens are made by people: sign in to make one."), code="SCOPE")
    name = " ".join(name.replace("\0", " ").split())
    if not name or len(name) > NAME_MAX:
        raise InputError(_("Give the token a name: the program that will use it."), field="name")
    chosen = sorted(set(scopes))
    if not chosen or not set(chosen) <= set(SCOPES):
        raise InputError(_("Choose what the token may read and write."), field="scopes")
    if not 0 <= days <= DAYS_MAX:
        raise InputError(_("A token is good for at most ten years."), field="days")
    secret = PREFIX + secrets.token_urlsafe(32)
    made = ApiToken.objects.create(
        workspace=viewer.workspace,
        user=viewer.user,
        name=name,
        digest=digest_of(secret),
        prefix=secret[:9],
        scopes=chosen,
        expires_at=timezone.now() + timedelta(days=days) if days else None,
    )
    audit(viewer, "made", "token", made.id, name=name)
    return made, secret


@transaction.atomic
def token_revoke(*, viewer: Viewer, token_id: int) -> ApiToken:
    """One's own; who manages the workspace revokes anybody's. Raises NotFound."""
    whose = Q() if viewer.manages else Q(user=viewer.user)
    found = (
        ApiToken.objects.select_for_update(of=("self",))
        .filter(whose, workspace=viewer.workspace, id=token_id)
        .first()
    )
    if found is None:
        raise NotFound(_("There is no such token."))
    if found.revoked_at is None:
        found.revoked_at = timezone.now()
        found.save(update_fields=["revoked_at"])
        audit(viewer, "revoked", "token", found.id, name=found.name)
    return found


def token_calls(token_id: int) -> int:
    """One more request with the token: how many there are of it in this minute, in all processes together."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO postroom_tokencalls AS t (token_id, minute, calls)
            VALUES (%s, extract(epoch FROM clock_timestamp())::bigint / 60, 1)
            ON CONFLICT (token_id) DO UPDATE SET minute = excluded.minute,
                calls = CASE WHEN t.minute = excluded.minute THEN t.calls + 1 ELSE 1 END
            RETURNING calls
            """,
            [token_id],
        )
        return int(cursor.fetchone()[0])


def token_used(token: ApiToken) -> None:
    """Note the time, at most once a minute."""
    now = timezone.now()
    stale = Q(last_used_at=None) | Q(last_used_at__lt=now - timedelta(minutes=1))
    if token.last_used_at is None or token.last_used_at < now - timedelta(minutes=1):
        ApiToken.objects.filter(stale, id=token.id).update(last_used_at=now)
