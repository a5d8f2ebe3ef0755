"""Where in a mail the writer's own words end and what is quoted begins, in text and in sanitised HTML."""

import re

# What programs write before a quotation, in the languages our users get mail in; always at the end of a line.
_INTRO = re.compile(
    r"(?mi)^(?:>\s?)?(?:"
    r"(?:on|w dniu|dnia|на|le|am|il|el|dne|den|op|em|в|від)\b[^\n]{3,200}(?:\n[^\n]{0,120})?"
    r"(?:wrote|napisał(?:\(a\)|a)?|pisze|написа(?:л(?:\(а\)|а)?)?|a écrit|schrieb|ha scritto|escribió"
    r"|napsal(?:\(a\)|a)?|skrev|schreef|escreveu|пише|пишет)[^\n]{0,120}:"
    r"|\d{1,4}[-./]\d{1,2}[-./]\d{1,4}[^\n]{0,120}<[^\n<>]{3,100}>[^\n]{0,20}:"
    r"|-{2,}\s*(?:original message|wiadomość oryginalna|oryginalna wiadomość|treść oryginalnej wiadomości"
    r"|оригинално съобщение|original-nachricht|ursprüngliche nachricht|message d'origine|forwarded message"
    r"|wiadomość przekazana|препратено съобщение)\s*-{2,}"
    r"|(?:from|od|от|von|de):\s[^\n]{3,200}\n(?:(?:sent|wysłano|date|data|дата|изпратено|gesendet|envoyé|to|do|до)\s?:)"
    r")[ \t]*$|^_{20,}\s*\n(?=(?:from|od|от|von|de):)"
)
_MARKED = re.compile(r"(?m)^>")
_BLOCK = re.compile(r"<(/?)blockquote\b[^>]*>", re.IGNORECASE)


def split(text: str) -> tuple[str, str]:
    """(own words, quotation) of a plain text; the quotation is "" when there is none, or when all is quoted.

    Answers between the lines of a quotation are own words: then nothing is folded.
    """
    found = _INTRO.search(text)
    at = found.start() if found else -1
    if at < 0:
        marked = _MARKED.search(text)
        at = marked.start() if marked else -1
        if at >= 0 and not _all_marked(text[at:]):
            return text, ""
    elif _MARKED.search(text, at) and not _all_marked(text[found.end() if found else at :]):
        return text, ""
    if at < 0 or not text[:at].strip():
        return text, ""
    return text[:at].rstrip(), text[at:].strip("\n")


def _all_marked(text: str) -> bool:
    """Whether next to nothing but quoted lines stands here; a signature below it does not count."""
    lines = [line for line in text.split("\n-- \n")[0].split("\n") if line.strip()]
    return sum(not line.startswith(">") for line in lines) <= 2


def fold(html: str, label: str) -> str:
    """Sanitised, so well-formed HTML with each outermost quotation in a `<details>`, closed.

    label: what stands on it, escaped. Unchanged when nothing but quotations is there.
    """
    pieces: list[str] = []
    own = ""
    depth, at = 0, 0
    for found in _BLOCK.finditer(html):
        if not found[1]:
            if depth == 0:
                own += html[at : found.start()]
                pieces += (html[at : found.start()], f"<details><summary>{label}</summary>")
                at = found.start()
            depth += 1
        elif depth:
            depth -= 1
            if depth == 0:
                pieces += (html[at : found.end()], "</details>")
                at = found.end()
    if depth or not pieces or not re.sub(r"<[^>]*>|\s|&nbsp;", "", own + html[at:]):
        return html
    return "".join((*pieces, html[at:]))
