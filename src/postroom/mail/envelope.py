"""Where returns of a message go: return path and unsubscribe address carry its token (DESIGN section 5)."""

from dataclasses import dataclass
from urllib.parse import quote

from postroom.mail.token import tokens_in

#: What stands before the token in the local part at the bounce host.
BOUNCE_PREFIX = "b-"
UNSUBSCRIBE_PREFIX = "u-"
DECISION_PREFIX = "d-"


#: RFC 5321 section 4.5.3.1.1.
LOCAL_OCTETS = 64


def tagged(address: str, tag: str) -> str:
    """`local+tag@domain`; "" where the local part would be longer than LOCAL_OCTETS."""
    local, _, domain = address.rpartition("@")
    local = f"{local}+{tag}"
    return f"{local}@{domain}" if len(local.encode()) <= LOCAL_OCTETS else ""


@dataclass(frozen=True, slots=True)
class ReturnPlan:
    """bounce_host: host of return paths; "" = the account's address, plus-tagged only where that was seen working."""

    bounce_host: str
    account_address: str
    plus_tag: bool = False

    def mail_from(self, token: str) -> str:
        """The envelope sender. A local part above 64 octets gets no tag."""
        if self.bounce_host:
            return f"{BOUNCE_PREFIX}{token}@{self.bounce_host}"
        return (tagged(self.account_address, token) if self.plus_tag else "") or self.account_address

    def unsubscribe_mailto(self, token: str) -> str:
        """What follows `mailto:` in List-Unsubscribe."""
        if self.bounce_host:
            return f"{UNSUBSCRIBE_PREFIX}{token}@{self.bounce_host}"
        return f"{self.account_address}?subject={quote(f'unsubscribe {token}')}"

    def decision_address(self, token: str) -> str:
        """Where a moderator answers; without the token where only a subject can carry it."""
        if self.bounce_host:
            return f"{DECISION_PREFIX}{token}@{self.bounce_host}"
        return (tagged(self.account_address, token) if self.plus_tag else "") or self.account_address


def purpose_of(address: str) -> tuple[str, str]:
    """("bounce" | "unsubscribe" | "decision" | "", token) of an envelope recipient; nothing is verified here."""
    local = address.rpartition("@")[0].lower()
    tokens = tokens_in(local)
    if not tokens:
        return "", ""
    if local.startswith(UNSUBSCRIBE_PREFIX):
        return "unsubscribe", tokens[-1]
    if local.startswith(DECISION_PREFIX):
        return "decision", tokens[-1]
    return "bounce", tokens[-1]
