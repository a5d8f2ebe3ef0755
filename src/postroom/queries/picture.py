"""Whose pictures from elsewhere a person has fetched without being asked: never those of a sender nobody proved."""

from postroom.errors import BadAddress
from postroom.mail.address import canonical
from postroom.mail.authres import Proof
from postroom.models.conversation import PictureTrust
from postroom.models.message import Message
from postroom.queries.reading import look
from postroom.queries.viewer import Viewer


def pictures_trusted_by(viewer: Viewer) -> list[PictureTrust]:
    """By address."""
    return list(PictureTrust.objects.filter(workspace=viewer.workspace, user=viewer.user).order_by("address"))


def picture_sender(message: Message) -> str:
    """The canonical address of a sender that can be trusted: their server proved them; "" when nobody did."""
    if message.direction != "in" or look(message).proof.proof is not Proof.PROVEN:
        return ""
    try:
        return canonical(message.from_address)
    except BadAddress:
        return ""


def pictures_wanted(viewer: Viewer, message: Message) -> bool:
    """Whether this person always has the pictures of this mail's sender."""
    rows = PictureTrust.objects.filter(workspace=viewer.workspace, user=viewer.user)
    sender = picture_sender(message) if rows.exists() else ""
    return bool(sender) and rows.filter(address=sender).exists()
