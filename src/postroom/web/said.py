"""What the layers below say, in the reader's language.

mail/ and wire/ know no languages, and what a daemon stores was said to nobody in particular: both speak English.
A message is looked up as a whole; one with values in it is recognised by its form in FORMS. What is not known is
shown as it is. scripts/messages.py collects the whole ones.
"""

import re
from functools import cache

from django.utils.translation import gettext, ngettext_lazy
from django.utils.translation import gettext_noop as _

from postroom.errors import PostroomError

#: Of Django, whose Bulgarian catalogue has an older form of it.
PASSWORD = ngettext_lazy(
    "This password is too short. It must contain at least %d character.",
    "This password is too short. It must contain at least %d characters.",
)

#: Whole ones of mail/template_words.py, which stand behind "line 3: ".
TEMPLATE = (
    _("this cannot be understood"),
    _("a tag without a name"),
    _("the name of a filter is missing after '|'"),
    _("a simple name is expected here"),
    _("'in' is missing in the tag 'for'"),
    _("only 'reversed', 'limit' and 'offset' can stand here"),
    _("nothing can stand behind this tag"),
    _("a field or a value is missing"),
    _("a whole number is expected here"),
    _("conditions cannot have brackets"),
    _("'not' is not understood; use the tag 'unless'"),
    _("a condition needs the tag 'if'"),
    _("this would divide by zero"),
    _("these two values cannot be compared"),
    _("the loops take too many rounds"),
    _("the text becomes too long"),
    _("too much is kept in variables"),
    _("the tags are nested too deeply"),
)

#: `why` is itself a message of this file, `fields` a list of ITEMS.
FORMS = (
    # mail/group_file.py, wire/imap_box.py
    _("The file cannot be read as %(what)s: %(why)s"),
    _("The server refuses that for the folder %(name)s."),
    # mail/address_words.py
    _("Before the @-sign these characters cannot stand: %(signs)s"),
    _("After the @-sign these characters cannot stand: %(signs)s"),
    _("An address cannot hold these characters: %(signs)s"),
    # mail/suppression.py
    _("Write an entry as user@firm.pl, @firm.pl, @*.firm.pl or name@. %(why)s"),
    # mail/exclusion.py
    _("Write an address or a domain: user@firm.pl, firm.pl or @firm.pl. %(why)s"),
    # mail/compose.py, mail/header.py
    _("The %(name)s cannot be written into a header."),
    _("The header %(name)s is written by Postroom itself."),
    _("That cannot be written into the header %(name)s."),
    _("%(name)s cannot be the name of a header."),
    # mail/template.py, mail/template_words.py
    _("line %(line)s: %(why)s"),
    _("The template cannot be read: %(why)s"),
    _("the tag '%(tag)s' has no end: '%(end)s' is missing"),
    _("the tag '%(tag)s' has no beginning"),
    _("the tag '%(tag)s' stands outside '%(outer)s'"),
    _("the tag '%(tag)s' cannot stand here"),
    _("the tag '%(tag)s' is not allowed"),
    _("there is no tag '%(tag)s'"),
    _("there is no filter '%(filter)s'"),
    _("the filter '%(filter)s' cannot be used like this"),
    _("expected '%(what)s'"),
    _("'%(found)s' is not expected here"),
    _("The field %(key)s is empty for this recipient and has no fallback."),
    _("The template is longer than %(n)s characters."),
    _("Unknown field: %(fields)s"),
    # wire/
    _("%(host)s does not answer at port %(port)s. Check host and port."),
    _("%(host)s did not answer in time."),
    _("%(host)s did not answer within %(n)s seconds."),
    _("%(host)s is at %(address)s, inside a private network, and connections there are not allowed. The administrator can allow private networks."),  # noqa: E501
    _("No server named %(host)s is known. Check the spelling."),
    _("Encryption could not be agreed: %(words)s."),
    _("The server's certificate is for another name than %(host)s."),
    _("The server's certificate is not trusted: %(words)s."),
    _("The server offers the logins %(offered)s, none of which is %(wanted)s."),
    _("The server said something unasked: %(words)s"),
    _("The server refused RSET: %(words)s"),
    _("The server gave a strange answer to DATA: %(words)s"),
    _("The server gave a strange answer: %(words)s"),
    _("The server does not open the folder %(folder)s."),
    _("The server names no UIDVALIDITY for the folder %(folder)s."),
    _("The connection could not be opened: %(words)s."),
    _("This is no SMTP server. It said: %(words)s"),
    # wire/http.py
    _("%(host)s answered %(words)s."),
    _("%(host)s sent it compressed, which was not asked for."),
    _("%(host)s closed the connection."),
    _("%(host)s does not speak HTTP as expected."),
    _("The document is larger than %(n)s MB."),
    # actions/webhook_call.py
    _("Switched off: for %(n)s days no call was taken. The last answer: %(words)s"),
    # actions/fault.py
    _("Postroom stopped this campaign because of a fault of its own (%(kind)s), met %(n)s times. Press Go on to try again; if it stops again, the administrator finds more in the log."),  # noqa: E501
    _("The campaign could not be prepared because of a fault of Postroom itself (%(kind)s). Start it again; if it fails again, the administrator finds more in the log."),  # noqa: E501
    _("Postroom could not send this because of a fault of its own (%(kind)s). The log says more."),
    # actions/import_child.py, actions/import_preview.py
    _("More than %(n)s rows have broken quotation marks; the last is line %(line)s. Check the separator, or save the file again as CSV."),  # noqa: E501
    _("The row has %(n)s columns, the heading %(limit)s. Is a separator inside a value?"),
    _("Longer than %(n)s characters."),
    _("No row of the file can be read. Line 1: %(why)s"),
    # actions/import_stage.py
    _("The same address as in line %(n)s."),
)  # fmt: skip
ITEMS = (
    _("%(field)s (line %(line)s, did you mean %(near)s?)"),
    _("%(field)s (line %(line)s)"),
)
_PLACE = re.compile(r"%\((\w+)\)s")


def said(words: "PostroomError | str") -> str:
    """An error, or the English message of one that was stored. "" stays ""."""
    message = words.message if isinstance(words, PostroomError) else words
    if not message:  # the translation of "" is the head of the catalogue
        return ""
    told = gettext(message)
    if told != message:
        return told
    return _filled(FORMS, message)


def _filled(forms: tuple[str, ...], message: str) -> str:
    for form, pattern in _patterns(forms):
        if found := pattern.fullmatch(message):
            values = found.groupdict()
            if "why" in values:
                values["why"] = said(values["why"])
            if "fields" in values:
                values["fields"] = "; ".join(_filled(ITEMS, item) for item in values["fields"].split("; "))
            return gettext(form) % values
    return message


def said_with_reply(words: str) -> str:
    """Our message with the other server's words behind it: only ours is translated."""
    told = said(words)
    for end in re.finditer(r"\. ", words) if told == words else ():
        ours = words[: end.start() + 1]
        if said(ours) != ours:
            told = f"{said(ours)} {words[end.end() :]}"
    return told


@cache
def _patterns(forms: tuple[str, ...]) -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((form, _pattern(form)) for form in forms)


def _pattern(form: str) -> re.Pattern[str]:
    parts = _PLACE.split(form)  # text, name, text, name, ... text
    return re.compile(
        "".join(f"(?P<{part}>.+?)" if at % 2 else re.escape(part) for at, part in enumerate(parts)), re.DOTALL
    )
