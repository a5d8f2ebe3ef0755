"""A mail of ours in a frame: the very HTML that is sent, styles and pictures too, where nothing of it can act."""

import re

from django.http import HttpResponse
from django.utils.html import escape

from postroom.web.middleware import mail_frame

_DOCUMENT = re.compile(r"<\s*(?:!doctype|html)\b", re.IGNORECASE)
_HEAD = (
    '<!doctype html><meta charset="utf-8"><base target="_blank">'
    "<style>body{margin:1rem 1.25rem;font:15px/1.5 sans-serif;color:#1b1e22;background:#fff}"
    "pre{white-space:pre-wrap;font:inherit;margin:0}</style>"
)


def mail_page(html: str, text: str = "") -> HttpResponse:
    """html: as composed, not cleaned: the policy of mail_frame lets no script, form or frame of it live.

    A fragment gets a head before it, a whole page stays as it is. Without html the text is shown.
    """
    body = html or f"<pre>{escape(text)}</pre>"
    return mail_frame(HttpResponse(body if _DOCUMENT.search(body[:2000]) else _HEAD + body), remote=True)
