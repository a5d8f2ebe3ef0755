"""Words of limits."""

from django import template
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from postroom.queries.limit import Used

register = template.Library()


@register.simple_tag
def window(one: Used) -> str:
    """ "12 of 60 a minute"; the firm's are marked so."""
    used, limit = number_format(one.used, force_grouping=True), number_format(one.limit, force_grouping=True)
    words = _("%(used)s of %(limit)s %(window)s") % {
        "used": used,
        "limit": limit,
        "window": window_words(one.window_s),
    }
    return _("%(words)s, of the whole firm") % {"words": words} if one.whose == "workspace" else words


def window_words(seconds: int) -> str:
    """ "a minute", "an hour", "in 12 hours"."""
    known = {60: _("a minute"), 3600: _("an hour"), 86400: _("a day")}
    if seconds in known:
        return known[seconds]
    if seconds % 3600 == 0:
        n = seconds // 3600
        return ngettext("in %(n)s hour", "in %(n)s hours", n) % {"n": n}
    n = seconds // 60
    return ngettext("in %(n)s minute", "in %(n)s minutes", n) % {"n": n}
