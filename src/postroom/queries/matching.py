"""Finding the delivery that a mail that came in speaks of (DESIGN section 5)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain

from django.utils import timezone

from postroom.conf import keys
from postroom.errors import BadAddress
from postroom.mail.address import canonical
from postroom.mail.envelope import purpose_of
from postroom.mail.report import Kind, Recognised
from postroom.mail.settle import Strength
from postroom.mail.token import DECISION, TAG, UNSUBSCRIBE, token_read, tokens_in
from postroom.models.delivery import Delivery
from postroom.queries.prepared import prepared

#: How long after sending a report without any trace may still be guessed by its recipient.
WINDOW = timedelta(days=7)
#: `Found.found_by` of a mail to the address, or with the subject, by which a moderator answers.
DECIDED = "decision"


@dataclass(frozen=True, slots=True)
class Found:
    delivery_id: int
    found_by: str


def token_number(token: str) -> int | None:
    """The delivery id in a token of ours; None when it is not signed by us."""
    return token_read(token, keys.current().token_keys)


def unsubscribe_number(token: str) -> int | None:
    """The delivery id in an unsubscribe link's token."""
    return token_read(token, keys.current().token_keys, UNSUBSCRIBE)


def decision_number(token: str) -> int | None:
    """The id of the notice to a moderator, in the token for its answer."""
    return token_read(token, keys.current().token_keys, DECISION)


def is_ours(message_id: str) -> bool:
    """Whether a Message-ID carries a token of ours."""
    return any(token_number(token) is not None for token in tokens_in(message_id))


def ingress_purpose(address: str) -> tuple[str, int | None]:
    """("bounce" | "unsubscribe" | "decision", delivery id) of an envelope recipient that carries our token;
    ("", None) otherwise."""
    purpose, token = purpose_of(address)
    read = decision_number if purpose == "decision" else token_number
    number = read(token) if token else None
    return (purpose, number) if number is not None else ("", None)


def signed_match(envelope_to: str, seen: Recognised) -> Found | None:
    """The first signed token, in the order of DESIGN section 5; None when there is none."""
    places: tuple[tuple[str, Sequence[str]], ...] = (
        ("envelope", _locals(envelope_to, *seen.reached, *seen.to)),
        ("envid", seen.envelope_ids),
        ("returned", (*seen.x_ids, *seen.returned_message_ids, seen.original_message_id)),
        ("reference", seen.references),
        ("text", (*seen.text_message_ids, seen.subject)),
    )
    if not tokens_in("\n".join(chain.from_iterable(texts for _found_by, texts in places))):
        return None  # of most mails: one look instead of a dozen
    decided = _answered(envelope_to, seen)
    if decided is not None:
        return decided
    for found_by, texts in places:
        for text in texts:
            for token in tokens_in(text):
                number = token_number(token)
                if number is not None:
                    return Found(number, found_by)
    return None


def _answered(envelope_to: str, seen: Recognised) -> Found | None:
    """A moderator's answer: its token stands in an address it went to, else in its subject."""
    for text in (*_locals(envelope_to, *seen.reached, *seen.to), seen.subject):
        for token in tokens_in(text):
            number = decision_number(token)
            if number is not None:
                return Found(number, DECIDED)
    return None


def _locals(*addresses: str) -> list[str]:
    """Of a mail that was read from a mailbox, its headers tell the tagged address it went to."""
    return [address.rpartition("@")[0] for address in addresses]


def tag_tried(seen: Recognised) -> tuple[int, bool] | None:
    """(number of the address, whether it arrived) of the message that tries a tag, or of a report of its failure."""
    places: list[tuple[bool, tuple[str, ...]]] = [(True, (seen.message_id,))]
    if seen.kind is Kind.FAILURE:
        places.append((False, (*seen.returned_message_ids, *seen.x_ids)))
    for arrived, texts in places:
        for token in (token for text in texts for token in tokens_in(text)):
            number = token_read(token, keys.current().token_keys, TAG)
            if number is not None:
                return number, arrived
    return None


def sibling_match(delivery: Delivery, recipient: str) -> Delivery | None:
    """Another recipient of the same campaign or message, named in a report that is signed for `delivery`."""
    if not recipient:
        return None
    try:
        wanted = canonical(recipient)
    except BadAddress:
        return None
    if wanted == delivery.canonical:
        return delivery
    siblings = Delivery.objects.filter(workspace_id=delivery.workspace_id, canonical=wanted)
    if delivery.campaign_id is None:
        return siblings.filter(message__isnull=False, message=delivery.message_id or 0).first()
    return siblings.filter(campaign_id=delivery.campaign_id).first()


def is_of_one(delivery: Delivery, found_by: str) -> bool:
    """Whether the token that was found tells the recipient, and not only the message.

    A single message to several people has one Message-ID for all of them; only its return paths differ.
    """
    if delivery.message_id is None or found_by in ("envelope", "envid"):
        return True
    return not Delivery.objects.filter(message_id=delivery.message_id).exclude(id=delivery.id).exists()


def likely_match(workspace_id: int | None, recipient: str) -> Delivery | None:
    """The only recent delivery to this recipient; None when there is none or more than one."""
    if workspace_id is None or not recipient:
        return None
    try:
        wanted = canonical(recipient)
    except BadAddress:
        return None
    values = {"workspace": workspace_id, "wanted": wanted, "since": timezone.now() - WINDOW}
    recent = prepared(_RECENT_SQL, values)
    return Delivery.objects.filter(id=recent[0][0]).first() if len(recent) == 1 else None


_RECENT_SQL = """
SELECT id FROM postroom_delivery
 WHERE workspace_id = %(workspace)s AND canonical = %(wanted)s AND state_at >= %(since)s LIMIT 2
"""


__all__ = ["Found", "Strength"]
