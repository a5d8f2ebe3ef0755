"""What is wrong with an address, in a closed set of our own sentences.

email-validator speaks English and changes its words with its versions: they are recognised here and never passed on.
"""

import re
import unicodedata

UNREADABLE = "This is not an e-mail address. Write it like anna@firm.example."

_BLANK = "An e-mail address cannot hold blanks."
_PAIR = "The part after the @-sign is not a name that a domain can have."
#: What the library says -> what we say; `signs` are characters it names.
_SAID: tuple[tuple[str, str], ...] = (
    (
        r".*at-sign.*|.*small commercial at.*|An email address must have an @-sign\.",
        "The address has no @-sign.",
    ),
    (r"There must be something after the @-sign\.", "Something must stand after the @-sign."),
    (r"There must be something before the @-sign\.", "Something must stand before the @-sign."),
    (r"An email address cannot have two periods in a row\.", "Two dots cannot stand side by side."),
    (r"An email address cannot start with a period\.", "The address cannot begin with a dot."),
    (r"An email address cannot end with a period\.", "The address cannot end with a dot."),
    (r"An email address cannot end with a hyphen\.", "The address cannot end with a hyphen."),
    (r".*have a period immediately after the @-sign\.", "A dot cannot stand right after the @-sign."),
    (r".*have a period immediately before the @-sign\.", "A dot cannot stand right before the @-sign."),
    (r".*have a hyphen immediately after the @-sign\.", "A hyphen cannot stand right after the @-sign."),
    (r".*have a period and a hyphen next to each other\.", "A dot and a hyphen cannot stand side by side."),
    (
        r".*characters (?:in quotes )?before the @-sign: (?P<signs>.*)\.",
        "Before the @-sign these characters cannot stand: %(signs)s",
    ),
    (
        r".*after the @-sign contains invalid characters[^:(]*: (?P<signs>.*)\.",
        "After the @-sign these characters cannot stand: %(signs)s",
    ),
    (r".*contains unsafe characters: (?P<signs>.*)\.", "An address cannot hold these characters: %(signs)s"),
    (
        r".*too long before the @-sign.*",
        "The part before the @-sign is too long: 64 characters is the limit.",
    ),
    (r".*too long after the @-sign.*", "The part after the @-sign is too long."),
    (
        r".*periods cannot be separated by so many.*",
        "After the @-sign, at most 63 characters can stand between two dots.",
    ),
    (r"The email address is too long.*", "The address is too long: 254 characters is the limit."),
    (r".*should have a period\.", "The part after the @-sign is not complete: it has no dot."),
    (
        r"A bracketed IP address.*|.*in brackets.*",
        "After the @-sign a name is needed, not a number in brackets.",
    ),
    (
        r"Quoting the part before.*|Extra character.*after close quote.*",
        "Quotation marks cannot stand before the @-sign.",
    ),
    (
        r".*display name.*|.*angle bracket.*|There can't be anything after.*",
        "Only the address can stand here, without a name.",
    ),
    (r"The part after the @-sign.*|.*two letters followed by two dashes.*|.*after IDNA encoding.*", _PAIR),
)  # fmt: skip
_SIGNS = re.compile(r"'(?:\\.|[^'])+'|\"(?:\\.|[^\"])+\"|[^,]+")
_PATTERNS = tuple((re.compile(pattern, re.DOTALL), words) for pattern, words in _SAID)


def explained(message: str) -> str:
    """Our sentence for one of the library's; UNREADABLE for one that is not known."""
    for pattern, words in _PATTERNS:
        if found := pattern.fullmatch(message):
            if "signs" not in found.groupdict():
                return words
            shown = [sign for word in _SIGNS.findall(found["signs"]) if (sign := _sign(word))]
            return words % {"signs": " ".join(shown)} if shown else _BLANK
    return UNREADABLE


def _sign(word: str) -> str:
    """A character as the library shows it -> the character, its number when it cannot be seen, "" for a blank."""
    word = word.strip()
    if len(word) >= 3 and word[0] == word[-1] and word[0] in "'\"":
        return word[-2]
    try:
        character = unicodedata.lookup(word)
    except KeyError:
        return word if re.fullmatch(r"U\+[0-9A-F]{4,8}", word) else ""
    return "" if character.isspace() else f"U+{ord(character):04X}"
