"""Why a server refused: reason word, class, and whether the address may be given up. RFC 3463, RFC 5321 section 4.2."""

from postroom.mail.report import BounceClass

__all__ = ["BounceClass", "classify_reply"]


def classify_reply(code: int, status: str, text: str) -> tuple[str, BounceClass, bool]:
    """(reason, class, permanent) of an SMTP reply.

    code: 0 when there was none; status: "5.1.1" or ""; text: the server's words or "".
    """
    if code // 100 == 5 and status in ("5.1.1", "5.1.2", "5.1.3", "5.1.10"):
        return "userunknown", BounceClass.ADDRESS_GONE, True
    return "undefined", BounceClass.INFRASTRUCTURE, False
