"""The address of a page as a person may give it: http or https, a host, and nothing secret. RFC 3986."""

from urllib.parse import SplitResult, urlsplit

from postroom.errors import InputError

SCHEMES = ("https", "http")
_MAX = 2000


def page_address(text: str) -> SplitResult:
    """Its parts, the path never empty, without fragment. Raises InputError BAD_URL."""
    text = text.strip()
    if not 1 <= len(text) <= _MAX or not text.isascii() or not text.isprintable() or " " in text:
        raise _bad("This is not the address of a page.")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise _bad("This is not the address of a page.") from None
    if parts.scheme not in SCHEMES or not parts.hostname or port == 0:
        raise _bad("The address must begin with https:// or http://.")
    if parts.username is not None or parts.password is not None:
        raise _bad("Leave user and password out of the address: everybody who sees it would see them.")
    return parts._replace(fragment="", path=parts.path or "/")


def _bad(words: str) -> InputError:
    return InputError(words, code="BAD_URL", field="url")
