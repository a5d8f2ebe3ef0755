"""A fixed cast: Alice owns a firm, Bob works there, Charlie belongs to another. And the things they work with."""

from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from postroom.actions.member import member_add, workspace_make
from postroom.mail.address import canonical
from postroom.models.account import Account, AccountStatus
from postroom.models.campaign import Campaign
from postroom.models.contact import Contact, ContactList, ListMember
from postroom.models.domain import Domain
from postroom.models.group import Group, GroupMember, GroupPerson
from postroom.models.user import User
from postroom.models.workspace import Instance, Role, Workspace
from postroom.queries.viewer import Viewer, viewer_of


@dataclass
class Cast:
    alice: Viewer
    bob: Viewer
    charlie: Viewer


def make_cast(*, bounce_host: str = "") -> Cast:
    """Three people in two firms; the instance may reach private hosts, since tests do."""
    Instance.objects.update_or_create(
        id=1, defaults={"url": "http://localhost:8025", "allow_private_hosts": True}
    )
    firm = workspace_make(name="Alder & Pike")
    firm.bounce_host = bounce_host
    firm.save()
    other = workspace_make(name="Other")

    def person(name: str, workspace: Workspace, role: str) -> Viewer:
        user = User.objects.create_user(f"{name}@example.org", "correct horse", name=name.title())
        member_add(workspace=workspace, user=user, role=role)
        viewer = viewer_of(user)
        assert viewer is not None
        return viewer

    return Cast(
        alice=person("alice", firm, Role.OWNER),
        bob=person("bob", firm, Role.MEMBER),
        charlie=person("charlie", other, Role.OWNER),
    )


def make_account(
    viewer: Viewer, *, port: int, address: str = "sales@alderpike.example", **more: Any
) -> Account:
    """An account at a server on loopback, without TLS and login, seen working."""
    values: dict[str, Any] = {
        "name": "Sales",
        "display_name": "Alder & Pike",
        "smtp_host": "127.0.0.1",
        "smtp_port": port,
        "smtp_security": "none",
        "smtp_authenticate": False,
        "status": AccountStatus.OK,
    }
    return Account.objects.create(
        workspace=viewer.workspace, owner=viewer.user, address=address, **{**values, **more}
    )


def make_list(viewer: Viewer, emails: list[str], *, name: str = "Customers", **more: Any) -> ContactList:
    """A list of new contacts called Person 1, Person 2, ..."""
    contacts = Contact.objects.bulk_create(
        [
            Contact(
                workspace=viewer.workspace,
                email=email,
                canonical=canonical(email),
                name="Person",
                surname=str(number),
                **more,
            )
            for number, email in enumerate(emails, 1)
        ],
        batch_size=5000,
    )
    made = ContactList.objects.create(
        workspace=viewer.workspace, name=name, size=len(contacts), created_by=viewer.user
    )
    ListMember.objects.bulk_create(
        [ListMember(contact_list=made, contact=contact) for contact in contacts], batch_size=5000
    )
    return made


def make_campaign(viewer: Viewer, account: Account, *lists: ContactList, **more: Any) -> Campaign:
    """A draft that greets everybody by name."""
    values: dict[str, Any] = {
        "name": "Autumn price list",
        "subject": "Prices for {{ name }} {{ surname }}",
        "html": "<p>Dear {{ name }} {{ surname }},</p><p>here are our prices.</p>",
        "text": "",
    }
    campaign = Campaign.objects.create(
        workspace=viewer.workspace, account=account, created_by=viewer.user, **{**values, **more}
    )
    campaign.lists.set(lists)
    return campaign


def make_domain(viewer: Viewer, name: str = "alderpike.example") -> Domain:
    """Proved, by the administrator's word."""
    found, _ = Domain.objects.get_or_create(
        workspace=viewer.workspace,
        name=name,
        defaults={"token": "t", "proved_at": timezone.now(), "proved_by": "word"},
    )
    return found


def make_group(
    viewer: Viewer, name: str, *members: "str | Group", account: Account | None = None, **options: Any
) -> Group:
    """A group in the firm's domain, managed by the viewer. members: addresses, or groups."""
    domain = make_domain(viewer)
    group = Group.objects.create(
        workspace=viewer.workspace,
        domain=domain,
        name=name,
        address=f"{name}@{domain.name}",
        account=account,
        created_by=viewer.user,
        **options,
    )
    GroupPerson.objects.create(group=group, user=viewer.user)
    GroupMember.objects.bulk_create(
        GroupMember(group=group, address=canonical(member))
        if isinstance(member, str)
        else GroupMember(group=group, address=member.address, subgroup=member)
        for member in members
    )
    return group
