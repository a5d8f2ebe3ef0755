"""Triplets of letters: a text that holds a word holds all triplets of the word, so an index of them finds it."""

from postroom.mail.fold import fold

#: A word must be so long to have one.
LENGTH = 3


class _Grams(dict[str, str]):
    """The number of each triplet, as the database is given it: the low ten bits of each letter."""

    def __missing__(self, gram: str) -> str:
        first, second, third = (ord(sign) & 0x3FF for sign in gram)
        number = str(first << 20 | second << 10 | third)
        if len(self) < 1 << 18:  # of what people write; beyond that somebody plays
            self[gram] = number
        return number


_GRAMS = _Grams()


def grams(text: str, mark: int) -> str:
    """The different triplets of the folded words of a text, and a mark (below 0), as an array of the database."""
    found = {word[at : at + 3] for word in fold(text).split() for at in range(len(word) - 2)}
    return "{" + ",".join([str(mark), *{_GRAMS[gram] for gram in found}]) + "}"
