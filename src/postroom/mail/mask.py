"""Addresses and names as they are shown to who may write to people without seeing them: ann@firm.pl -> a…@f….pl."""

import re

DOTS = "…"
_ADDRESS = re.compile(r"[^\s<>()\[\]\",;:]+@[^\s<>()\[\]\",;:]+")


def mask_address(address: str, dots: str = DOTS) -> str:
    """First letters and the last label: enough to tell two people apart, not to write to them."""
    local, _, domain = address.rpartition("@")
    name, point, top = domain.rpartition(".")
    if not point:
        return f"{local[:1]}{dots}@{dots}"
    return f"{local[:1]}{dots}@{name[:1]}{dots}.{top}"


def mask_name(text: str, dots: str = DOTS) -> str:
    """Initials: "Ann Nowak" -> "A… N…"; "" stays ""."""
    return " ".join(f"{word[:1]}{dots}" for word in text.split())


def mask_words(words: str, *addresses: str) -> str:
    """What a server or a report said: every address in it, and the parts of these ones, masked."""
    for address in addresses:
        local, _, domain = address.rpartition("@")
        if len(local) > 1:
            words = re.sub(
                rf"(?<![\w.@-]){re.escape(local)}(?![\w@-])", f"{local[:1]}{DOTS}", words, flags=re.I
            )
        if domain:
            masked = mask_address(f"@{domain}").removeprefix(f"{DOTS}@")
            words = re.sub(rf"(?<![\w-])(?:[\w-]+\.)*{re.escape(domain)}(?![\w-])", masked, words, flags=re.I)
    return _ADDRESS.sub(lambda found: _masked(found[0]), words)


def _masked(address: str) -> str:
    """An address found in a text, with the full stop that ended the sentence."""
    bare = address.rstrip(".'")
    return mask_address(bare) + address[len(bare) :]
