"""The words a mail is found by, and what a search asks of them: folded, letters and digits only.

The same cutting on both sides, so what is copied from a mail finds it: "FV/2026/11" is fv, 2026 and 11.
"""

import re
from collections.abc import Iterable
from itertools import chain
from unicodedata import normalize

from postroom.mail.fold import fold

#: Characters of a body, different words of a mail, letters of a word that are kept.
TEXT_MAX, WORDS_MAX, WORD_MAX = 100_000, 3000, 40
#: Words of a search that are asked for; shorter ones must stand as they are, longer ones may go on.
ASKED_MAX, BEGINS = 8, 3

_WORD = re.compile(r"[^\W_]+")
_MARK = re.compile("[\u0300-\u036f\u0483-\u0489]")
_QUOTED = re.compile(r'"([^"]*)"')


def words_of(*texts: str, after: Iterable[str] = ()) -> list[str]:
    """The different words of these texts, in order, at most WORDS_MAX; what stands first counts first.

    after: words that were cut before, to stand behind them.
    """
    found: dict[str, None] = {}
    for text in texts:
        found.update(dict.fromkeys(_cut(text[:TEXT_MAX])))
    found.update(dict.fromkeys(after))
    return list(found)[:WORDS_MAX]


def terms_of(asked: str) -> list[tuple[str, bool]]:
    """The words of a search, which must all be there, each with whether it may go on: those of BEGINS letters may.

    Words in quotation marks must stand as they are.
    """
    exact = dict.fromkeys(word for found in _QUOTED.findall(asked[:1000]) for word in _cut(found))
    begun = dict.fromkeys(word for word in _cut(_QUOTED.sub(" ", asked[:1000])) if word not in exact)
    terms = [(word, False) for word in exact] + [(word, len(word) >= BEGINS) for word in begun]
    return terms[:ASKED_MAX]


def query_of(asked: str) -> str:
    """The search as a tsquery; "" when nothing is asked."""
    return tsquery(terms_of(asked))


def tsquery(terms: Iterable[tuple[str, bool]]) -> str:
    """Words of `terms_of`, which must all be there; "" for none."""
    return " & ".join(f"'{word}'{':*' if begins else ''}" for word, begins in terms)


def account_word(account_id: int) -> str:
    """Stands among the words of every mail of an account; nobody can ask for it: what is asked has no signs."""
    return f"@{account_id}"


def space_word(workspace_id: int) -> str:
    """The same for a workspace."""
    return f"@@{workspace_id}"


def _cut(text: str) -> Iterable[str]:
    """Words of a text; a lone surrogate, which no database takes, is none."""
    if not text.isascii():
        return chain.from_iterable(map(_KNOWN.__getitem__, dict.fromkeys(text.split())))
    words = dict.fromkeys(text.lower().translate(_PLAIN).split())
    if len(text) > WORD_MAX and max(map(len, words), default=0) > WORD_MAX:
        return [word[:WORD_MAX] for word in words]
    return words


class _Known(dict[str, list[str]]):
    """The words of what stands between two blanks, mostly one. People use the same again and again, and to look a word
    up is a fraction of the work."""

    def __missing__(self, piece: str) -> list[str]:
        if piece.isascii():
            words = piece.lower().translate(_PLAIN).split()
        else:
            whole = normalize("NFC", piece.lower())
            if _MARK.search(whole):  # a mark on a letter that has no such letter ends no word
                words = whole.translate(_SIGNS).split()
            else:
                words = [one for found in _WORD.findall(whole) for one in found.translate(_SIGNS).split()]
        words = [word[:WORD_MAX] for word in words]
        if len(piece) <= WORD_MAX:
            if len(self) >= _KNOWN_MAX:
                self.clear()
            self[piece] = words
        return words


class _Signs(dict[int, str]):
    """What becomes of each character of a text: folded, or a blank where it is neither letter nor digit."""

    def __missing__(self, point: int) -> str:
        sign = fold(chr(point))
        self[point] = "".join(one if one.isalnum() else " " for one in sign)
        return self[point]


_SIGNS = _Signs()
_KNOWN, _KNOWN_MAX = _Known(), 1 << 15
_PLAIN = {point: sign if sign.isalnum() else " " for point, sign in enumerate(map(chr, range(128)))}
