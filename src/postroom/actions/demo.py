"""The throw-away instance of `postroom demo`: a firm, its people, one campaign. Never called elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from django.db import connection, transaction
from django.utils import timezone

from postroom.actions.campaign import campaign_create
from postroom.actions.campaign_start import campaign_start
from postroom.actions.contact import attribute_key_add, members_added
from postroom.actions.contact_list import contact_list_add
from postroom.actions.demo_people import Person, people
from postroom.actions.import_run import search_write
from postroom.actions.setup import setup_code, setup_finish
from postroom.actions.suppression import suppression_add
from postroom.errors import NotFound
from postroom.mail.address import canonical
from postroom.models.account import Account, AccountStatus, Security
from postroom.models.contact import Contact
from postroom.models.suppression import SuppressionForm, SuppressionSource
from postroom.queries.viewer import Viewer, viewer_of

OWNER = "owner@demo.example"
#: The tag of people who asked long ago not to be written to.
SUPPRESSED = "suppressed"

#: The tag of people whose connection breaks in the middle of their letter. That needs a long one, since a short one
#: leaves in one piece: the first of them asked for the conditions in full.
CUT = "cut"
CONDITIONS = "Our conditions:\n" + "".join(
    f"{number}. What was ordered by noon is on the road the next day, unless a holiday comes between.\n"
    for number in range(1, 3501)
)
WITH_CONDITIONS = 100

SUBJECT = '{{ name | default: "Hello" }}, a question from {{ sender.name }}'
HTML = """<p>Dear {{ name | default: "customer" }} {{ surname }},</p>
<p>we deliver to {{ company | default: "your firm" }} in {{ city | default: "your town" }} from next month on,
twice a week. Would Tuesday and Friday suit you?</p>
<div style="white-space: pre-line">{{ conditions | default: "" }}</div>
<p>With kind regards<br>{{ sender.name }}<br>{{ workspace.name }}</p>
<p><small><a href="{{ links.unsubscribe }}">I do not want to get mail like this</a></small></p>
"""


@dataclass(frozen=True)
class Demo:
    viewer: Viewer
    campaign_id: int


@transaction.atomic
def demo_make(
    *, tags: Sequence[str], smtp_port: int, url: str, bounce_host: str, password: str, connections: int
) -> Demo:
    """Fill an empty instance: one recipient a tag, whose address carries it, and a campaign ready to start.

    Raises Conflict SETUP_DONE when there is an owner already.
    """
    user = setup_finish(
        code=setup_code(),
        email=OWNER,
        name="Demo Owner",
        password=password,
        workspace_name="Practice & Co",
        url=url,
        allow_private_hosts=True,
    )
    viewer = viewer_of(user)
    if viewer is None:
        raise NotFound("The demo has no workspace.")
    viewer.workspace.bounce_host = bounce_host
    viewer.workspace.save()
    account = Account.objects.create(
        workspace=viewer.workspace,
        owner=user,
        name="Post room",
        address="post@practice.example",
        display_name="Practice & Co",
        smtp_host="127.0.0.1",
        smtp_port=smtp_port,
        smtp_security=Security.NONE,
        smtp_authenticate=False,
        connections=connections,
        status=AccountStatus.OK,
        status_since=timezone.now(),
    )
    list_id = _people(viewer, tags)
    campaign = campaign_create(
        viewer=viewer,
        name="Delivery days",
        account_id=account.id,
        list_ids=[list_id],
        subject=SUBJECT,
        html=HTML,
        receipt_delivery=True,
        receipt_read=True,
    )
    return Demo(viewer, campaign.id)


def demo_start(demo: Demo) -> None:
    """Let the campaign go, at once."""
    campaign_start(viewer=demo.viewer, campaign_id=demo.campaign_id, undo_s=0)


def _people(viewer: Viewer, tags: Sequence[str]) -> int:
    """Contacts on one list, whose id is returned. Every tenth city is left out: a fallback stands in."""
    city = attribute_key_add(viewer=viewer, label="City").key
    conditions = attribute_key_add(viewer=viewer, label="Conditions").key
    asked = set([number for number, tag in enumerate(tags) if tag == CUT][:WITH_CONDITIONS])
    contact_list = contact_list_add(viewer=viewer, name="Customers")
    contacts = Contact.objects.bulk_create(
        _contact(
            viewer,
            person,
            tag,
            ({} if number % 10 == 9 else {city: person.city})
            | ({conditions: CONDITIONS} if number in asked else {}),
        )
        for number, (tag, person) in enumerate(zip(tags, islice(people(), len(tags)), strict=True))
    )
    search_rows = [(c.id, c.name, c.surname, c.company, c.email) for c in contacts]
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO postroom_contactsearch (contact_id, workspace_id, text, sort_key)"
            " SELECT id, workspace_id, '', '' FROM postroom_contact WHERE workspace_id = %s",
            [viewer.workspace.id],
        )
        members_added(cursor, [(contact.id, contact_list.id) for contact in contacts])
    search_write(search_rows)
    for contact, tag in zip(contacts, tags, strict=True):
        if tag == SUPPRESSED:
            suppression_add(
                workspace_id=viewer.workspace.id,
                entry_form=SuppressionForm.ADDRESS,
                value=contact.canonical,
                source=SuppressionSource.MANUAL,
                why="asked on the telephone",
                by=viewer.user,
            )
    return contact_list.id


def _contact(viewer: Viewer, person: Person, tag: str, attributes: dict[str, str]) -> Contact:
    email = person.tagged(tag)
    return Contact(
        workspace=viewer.workspace,
        email=email,
        canonical=canonical(email),
        name=person.name,
        surname=person.surname,
        company=person.company,
        language=person.language,
        attributes=attributes,
    )
