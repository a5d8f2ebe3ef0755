"""What is this message that came in? The one entry point for returned mail, receipts and answers."""

from collections.abc import Callable

from postroom.mail.bounce import BounceClass, classify_reply
from postroom.mail.report import Kind, Recognised, Report

__all__ = ["BounceClass", "Kind", "Recognised", "Report", "classify_reply", "recognise"]


def recognise(raw: bytes, *, our_message_ids: Callable[[str], bool] | None = None) -> Recognised:
    """Say what `raw` is. Never raises, whatever the bytes; unclear mail is `Kind.OTHER`.

    our_message_ids: is this Message-ID (without brackets) one we sent? Without it no free-text receipt is believed.
    """
    return Recognised(Kind.OTHER)
