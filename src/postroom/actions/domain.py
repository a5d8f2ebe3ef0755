"""Adding, proving and deleting domains; where mail that cannot be delivered returns to."""

import re
import secrets
from ipaddress import ip_address

import idna
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from postroom.actions.audit import audit
from postroom.actions.domain_key import key_add
from postroom.actions.notify import DOMAIN, notify
from postroom.errors import Conflict, InputError
from postroom.models.account import Account, AccountKind
from postroom.models.domain import Domain, DomainCheck, ProvedBy
from postroom.models.group import Group
from postroom.models.profile import Right
from postroom.models.workspace import Workspace
from postroom.queries.domain import bounce_host_below, domain_visible_to
from postroom.queries.viewer import Viewer, demand, demand_administers

_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")


def name_clean(text: str, field: str = "name") -> str:
    """A domain in A-labels, lower case. Raises InputError."""
    text = text.strip().rstrip(".")
    if not text:
        raise InputError(_("Write the domain: what stands after the @-sign."), field=field)
    if "@" in text or "/" in text:
        raise InputError(_("Write the domain alone, like firm.example."), field=field)
    try:
        ip_address(text.strip("[]"))
    except ValueError:
        pass
    else:
        raise InputError(_("This is an IP address and no domain."), field=field)
    try:
        name = text if text.isascii() else idna.encode(text, uts46=True).decode()
    except (idna.IDNAError, UnicodeError):
        name = ""
    name = name.lower()
    labels = name.split(".")
    if len(name) > 253 or any(len(label) > 63 for label in labels):
        raise InputError(
            _("The domain is too long: 253 characters in all and 63 between dots are the limit."), field=field
        )
    if not all(_LABEL.fullmatch(label) for label in labels) or labels[-1].isdigit():
        raise InputError(_("This is no domain: letters, digits, hyphens and dots make one."), field=field)
    if len(labels) < 2:
        raise InputError(_("The domain is not complete: it has no dot."), field=field)
    return name


@transaction.atomic
def domain_add(*, viewer: Viewer, name: str) -> Domain:
    """A domain with its token and a first key, not proved yet.

    Raises NotAllowed, InputError, Conflict DOMAIN_EXISTS or DOMAIN_TAKEN (another workspace has proved it).
    """
    demand(viewer, Right.DOMAINS_MANAGE)
    name = name_clean(name)
    if Domain.objects.filter(workspace=viewer.workspace, name=name).exists():
        raise _exists(name)
    _not_taken(name, viewer.workspace.id)
    domain = Domain(
        workspace=viewer.workspace,
        name=name,
        token=f"postroom-proof={secrets.token_urlsafe(24)}",
        created_by=viewer.user,
    )
    try:
        with transaction.atomic():
            domain.save()
    except IntegrityError as error:  # two people at the same moment
        raise _exists(name) from error
    key_add(domain)
    audit(viewer, "added", "domain", domain.id, name=name)
    return domain


def _exists(name: str) -> Conflict:
    return Conflict(_("%(name)s is here already.") % {"name": name}, code="DOMAIN_EXISTS", field="name")


def _not_taken(name: str, workspace_id: int) -> None:
    taken = Domain.objects.filter(name=name, proved_at__isnull=False).exclude(workspace_id=workspace_id)
    if taken.exists():
        raise _taken(name)


def _taken(name: str) -> Conflict:
    return Conflict(
        _("Another workspace of this installation has proved %(name)s already.") % {"name": name},
        code="DOMAIN_TAKEN",
        field="name",
    )


@transaction.atomic
def domain_check_ask(*, viewer: Viewer, domain_id: int) -> DomainCheck:
    """Have DNS looked at now. One check of a domain waits at a time. Raises NotFound, NotAllowed."""
    domain = domain_visible_to(viewer, domain_id, lock=True)
    check, _made = DomainCheck.objects.get_or_create(domain=domain, state="waiting")
    notify(DOMAIN, check.id)
    return check


@transaction.atomic
def domain_word(*, viewer: Viewer, domain_id: int) -> Domain:
    """The administrator of the installation says that the domain is this workspace's, where DNS cannot tell.

    Raises NotFound, NotAllowed, Conflict DOMAIN_TAKEN.
    """
    domain = domain_visible_to(viewer, domain_id)
    demand_administers(viewer)
    if domain.proved_at is None:
        prove(domain, ProvedBy.WORD)
        audit(viewer, "vouched for", "domain", domain.id, name=domain.name)
    return domain


def prove(domain: Domain, by: str) -> None:
    """Raises Conflict DOMAIN_TAKEN: the first to prove it has it."""
    _not_taken(domain.name, domain.workspace_id)
    domain.proved_at, domain.proved_by = timezone.now(), by
    try:
        with transaction.atomic():
            domain.save(update_fields=["proved_at", "proved_by"])
    except IntegrityError as error:  # at the same moment
        domain.proved_at, domain.proved_by = None, ""
        raise _taken(domain.name) from error


@transaction.atomic
def domain_delete(*, viewer: Viewer, domain_id: int) -> None:
    """With its keys and addresses. Raises NotFound, NotAllowed, Conflict DOMAIN_IN_USE."""
    domain = domain_visible_to(viewer, domain_id, lock=True)
    senders = Account.objects.filter(
        workspace=viewer.workspace,
        kind=AccountKind.PLATFORM,
        deleted_at=None,
        address__iregex=rf"[@.]{re.escape(domain.name)}$",
    )
    names = list(senders.order_by("name").values_list("name", flat=True)[:5])
    if names:
        raise Conflict(
            _("Accounts still send from this domain: %(names)s. Delete them first.")
            % {"names": ", ".join(names)},
            code="DOMAIN_IN_USE",
        )
    if bounce_host_below(domain):
        raise Conflict(
            _("Returned mail goes to %(host)s, which lies in this domain. Choose another place first.")
            % {"host": domain.workspace.bounce_host},
            code="DOMAIN_IN_USE",
        )
    groups = list(Group.objects.filter(domain=domain, deleted_at=None).order_by("address")[:5])
    if groups:
        raise Conflict(
            _("Groups still have their address in this domain: %(names)s. Delete them first.")
            % {"names": ", ".join(group.address for group in groups)},
            code="DOMAIN_IN_USE",
        )
    audit(viewer, "deleted", "domain", domain.id, name=domain.name)
    domain.delete()


@transaction.atomic
def bounce_host_set(*, viewer: Viewer, domain_id: int, host: str) -> None:
    """Return paths of the workspace end in `host` from now on, a name below this proved domain; "" = in none.

    Raises NotFound, NotAllowed, InputError, Conflict DOMAIN_UNVERIFIED.
    """
    domain = domain_visible_to(viewer, domain_id, lock=True)
    host = name_clean(host, "bounce_host") if host.strip() else ""
    if host and not host.endswith(f".{domain.name}"):
        raise InputError(
            _("The bounce host is a name below the domain, like returns.%(name)s.") % {"name": domain.name},
            field="bounce_host",
        )
    if host and domain.proved_at is None:
        raise Conflict(
            _("Prove %(name)s first.") % {"name": domain.name}, code="DOMAIN_UNVERIFIED", field="bounce_host"
        )
    workspace = Workspace.objects.select_for_update().get(id=viewer.workspace.id)
    was, workspace.bounce_host = workspace.bounce_host, host
    workspace.save(update_fields=["bounce_host"])
    audit(viewer, "changed", "workspace", workspace.id, bounce_host=host, was=was)
