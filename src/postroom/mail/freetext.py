"""Failure reports in free text (qmail, Exim, DragonFly, Exchange 2003, ...): who is spoken of, in which words."""

import re

from postroom.mail.finding import ADDRESS, Finding, addresses_in, code_in, said_in, status_in, step_in, tidy
from postroom.mail.mime import header_block

#: A line that opens the copy of the message that came back.
_COPY = re.compile(
    r"(?im)^[ \t]{0,8}(?:"
    r"[-=*_#+]{2}[^\n]{0,110}?(?:copy of|original (?:message|mail|header)|returned m|unsent m|undelivered m|"
    r"message header|enclosed|headers? of|message follows|bounced m|rejected m|body of)[^\n]{0,80}"
    r"|(?:message headers? follow|(?:the )?original (?:message|mail|e-?mail)(?: headers?| as)?"
    r"(?: follows?| is attached| is included| below|:)"
    r"|below is (?:a copy|the)|included is a copy|here is (?:a|your) |the header of the original|"
    r"(?:your|the) (?:original|undelivered|bounced|returned) (?:message|mail)(?: follows|:)|"
    r"start of (?:the )?(?:returned|original)|begin(?:ning of)? (?:returned|original))[^\n]{0,80}"
    r")$"
)
#: Header lines that only a returned message has.
_HEADER = re.compile(
    r"(?im)(?:\A|\n[ \t]{0,4}\n|\n[ \t]{0,4}[-=_*]{4,100}[ \t]{0,4}\n)"
    r"(?=[ \t]{0,4}(?:received|return-path|dkim-signature|x-received):[ \t])"
)

#: One of these is in every line that _COPY and _HEADER find: in most mails there is none, and to look is quick.
_COPY_WORDS = (
    *(
        "copy",
        "original",
        "returned",
        "unsent",
        "undelivered",
        "header",
        "enclosed",
        "message follows",
        "bounced",
    ),
    *("rejected", "body of", "below is", "here is"),
)
_HEADER_WORDS = ("received:", "return-path:", "dkim-signature:")

#: A line that opens with an address, perhaps after a reply code, a bullet or quotes.
_OPENS = re.compile(
    r"^[ \t>|*.-]{0,24}(?:[245]\d\d[- ](?:\d\.\d{1,3}\.\d{1,3}[ :])?[ ]{0,4})?[\"'(<\[]{0,3}(?="
    r"[^\s@<>]{1,128}@)"
)
#: Words after which the address that failed is named in running text.
_NAMES = re.compile(
    r"(?i)(?:deliver(?:ed|ing|y)?(?: (?:your |the |this )?(?:message|mail|e-?mail))? (?:to|for)|rcpt[ _]to|"
    r"undeliverable(?: mail)? to|address(?:es|ed to)?|recipients?|your (?:message|mail|e-?mail)(?: sent)? to|"
    r"permanent errors|message to|mail to|user|mailbox|for|to|"
    r"adresata|adres|odbiorc\w{1,4}|do|adres\u00e1t\w{0,3}|adresu|p\u0159\u00edjemc\w{0,3}|"
    r"\u043f\u043e\u043b\u0443\u0447\u0430\u0442\u0435\u043b\w{0,3}|\u0434\u043e|\u0430\u0434\u0440\u0435\u0441\w{0,2})"
    r"[\w() .,#]{0,40}?[: ]{0,4}[\"'(<\[]{0,3}$"
)
_DAEMON = re.compile(r"(?i)(?:mailer-daemon|postmaster|abuse|no-?reply|support|help)@")
_FIELD = re.compile(r"[ \t]{1,8}[A-Za-z-]{2,40}:[ \t]")
#: Lines, and addresses in running text, that are looked at.
_LINES, _ADDRESSES = 600, 300


def split_copy(text: str) -> tuple[str, str]:
    """(what the report says, the copy of the message it speaks of or "")."""
    lower = text.lower()
    ways = [
        way
        for way, words in ((_COPY, _COPY_WORDS), (_HEADER, _HEADER_WORDS))
        if any(word in lower for word in words)
    ]
    places = [found.start() for way in ways if (found := way.search(text))]
    if not places:
        return text, ""
    return text[: min(places)], text[min(places) :]


def copied_headers(copy: str) -> dict[str, list[str]]:
    """The headers of the message that a text gives back below its separator, {} when there are none."""
    for block in re.split(r"\n[ \t]{0,40}\n", copy[:40000])[:6]:
        lines = [
            line.lstrip() if line[:1] in " \t" and _FIELD.match(line) else line for line in block.split("\n")
        ]
        headers = header_block("\n".join(line for line in lines if line.strip()))
        if len(headers) > 1:
            return headers
    return {}


def findings(text: str, *, senders: frozenset[str]) -> list[Finding]:
    """The recipients that a text speaks of, each with the words around it.

    senders: addresses of the mail's own From and To, taken for a recipient only when nobody else is named.
    """
    opened = blocks(text)
    named = [address for address in opened if address not in senders]
    if not named:
        named = [address for address in _named(text) if address not in senders]
    if not named:
        named = list(opened) or _named(text)[:1]
    if not named:
        named = [one for one in addresses_in(text) if one not in senders and not _DAEMON.match(one)][:1]
    alone = text if len(named) == 1 else ""
    return [_finding(address, opened.get(address, ""), alone) for address in named[:200]]


def blocks(text: str) -> dict[str, str]:
    """Each address that opens a line -> the line and what follows until the next one.

    In the transcripts of Sendmail the address comes last, after what the server said ("<<<").
    """
    found: dict[str, list[str]] = {}
    transcript: list[str] = []
    current: list[str] | None = None
    for line in text.split("\n")[:_LINES]:
        address = ""
        if "@" in line:
            opening = _OPENS.match(line[:400])
            if opening and (match := ADDRESS.match(line, opening.end())):
                address = tidy(match.group(1))
        if address:
            current = found.setdefault(address, [])
            current += [*transcript, line]
            if line[:3].isdigit():
                current = None
            transcript = []
        elif line.startswith(">>>"):
            transcript = [line]
        elif line.startswith("<<<"):
            transcript.append(line)
            if current is not None:
                current.append(line)
        elif current is not None:
            if line.lstrip().startswith(("-----", "=====", "_____")):
                if "transcript" not in line.lower():
                    current = None
            elif len(current) < 60:
                current.append(line)
    return {address: "\n".join(lines) for address, lines in found.items()}


def _named(text: str) -> list[str]:
    """Addresses named in running text, those after a telling word only."""
    named: dict[str, None] = {}
    left = _ADDRESSES
    for line in text.split("\n")[:_LINES]:
        if "@" not in line:
            continue
        lower = line[:60].lower()
        if lower.lstrip().startswith(("from:", "cc:", "mail from", "reply-to:", "sender:")):
            continue
        for found in ADDRESS.finditer(line[:2000]):
            if (left := left - 1) < 0:
                break
            if _NAMES.search(line[max(0, found.start() - 80) : found.start()]):
                named.setdefault(tidy(found.group(1)))
    return [address for address in named if address]


def _finding(address: str, block: str, text: str) -> Finding:
    words = said_in(block) or _first_paragraph(block) or said_in(text) or block.strip()
    code = code_in(words) or code_in(block)
    return Finding(
        recipient=address,
        status=status_in(words) or status_in(block) or status_in(text),
        code=code if code[:1] in ("4", "5") else "",
        words=words,
        step=step_in(block) or step_in(text),
        context=text or block,
    )


def _first_paragraph(block: str) -> str:
    """The first paragraph that says more than the address."""
    said = ""
    for paragraph in re.split(r"\n[ \t]{0,40}\n", block[:6000]):
        said = f"{said}\n{paragraph}".strip()
        rest = said
        for address in addresses_in(said):
            rest = rest.replace(address, "")
        if len(rest.strip(" \t\n<>:\"'()*-")) > 6:
            return said
    return ""
