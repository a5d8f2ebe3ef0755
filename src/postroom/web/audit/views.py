"""Settings > Audit trail: who changed what."""

from django.http import HttpResponse
from django.shortcuts import render

from postroom.queries.changes import audit_lines, audit_nouns
from postroom.queries.member import member_rows
from postroom.web.audit.words import details_words, noun_word, verb_word
from postroom.web.typed import number
from postroom.web.viewer import ViewerRequest

#: Lines on one page.
PAGE = 100


def index(request: ViewerRequest) -> HttpResponse:
    viewer = request.viewer
    who, before = (number(request.GET.get(name, ""), 0) for name in ("who", "before"))
    noun = request.GET.get("what", "")[:40]
    found = list(audit_lines(viewer, user_id=who, noun=noun, before=before)[: PAGE + 1])
    lines = [
        (line, noun_word(line.noun), verb_word(line.verb), details_words(line.details))
        for line in found[:PAGE]
    ]
    values = {
        "lines": lines,
        "older": found[PAGE - 1].id if len(found) > PAGE else 0,
        "people": [row.user for row in member_rows(viewer)],
        "nouns": sorted(((one, noun_word(one)) for one in audit_nouns(viewer)), key=lambda pair: pair[1]),
        "who": who,
        "what": noun,
    }
    return render(request, "people/audit.html", values)
