"""The message catalogues: collect every English text that a page or a mail can show, and merge it into the .po files.

    .venv/bin/python scripts/messages.py extract [pl]    update src/postroom/web/locale/*/LC_MESSAGES/django.po
    .venv/bin/python scripts/messages.py missing [pl]    list what has no translation yet
    .venv/bin/python scripts/messages.py compile         write the .mo files, as `make setup` does

Needs nothing but the project's own environment. Translations are kept; texts that are gone are removed.
"""

import ast
import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TypeGuard

import catalogues
from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src" / "postroom"
LOCALE = PACKAGE / "web" / "locale"
#: Language -> plural rule of the catalogue.
LANGUAGES = {
    "bg": "nplurals=2; plural=(n != 1);",
    "pl": "nplurals=3; plural=(n==1 ? 0 : n%10>=2 && n%10<=4 && (n%100<12 || n%100>14) ? 1 : 2);",
}
#: Where the gettext functions are called.
DJANGO = ("web", "actions", "queries", "models", "conf")
#: Where messages of exceptions are plain English, which postroom.web.said translates.
PLAIN = ("errors.py", "mail", "wire", "actions", "queries")
KEYWORDS = {
    **dict.fromkeys(("_", "gettext", "gettext_lazy", "gettext_noop")),
    **dict.fromkeys(("ngettext", "ngettext_lazy"), (1, 2)),
    **dict.fromkeys(("pgettext", "pgettext_lazy"), ((1, "c"), 2)),
    **dict.fromkeys(("npgettext", "npgettext_lazy"), ((1, "c"), 2, 3)),
}
# No dates: a file changes when a text does.
HEADER = """\
# Texts of Postroom, {language}. scripts/messages.py keeps this file.
msgid ""
msgstr ""
"Project-Id-Version: Postroom\\n"
"Language: {language}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: {plural}\\n"

"""

Message = tuple[str, int, str | tuple[str, ...], str | None]  # path, line, id or (singular, plural), context


def main() -> None:
    command, *languages = sys.argv[1:] or [""]
    if not set(languages) <= set(LANGUAGES):
        command = ""
    if command == "extract":
        template = collected()
        for language in languages or LANGUAGES:
            merge(language, template)
    elif command == "missing":
        for language in languages or LANGUAGES:
            missing(language)
    elif command == "compile":
        catalogues.main()
    else:
        sys.exit(__doc__)


def collected() -> Catalog:
    """Every message, by place."""
    settings.configure(USE_I18N=False)
    template = Catalog()
    for path, line, words, context in sorted(found(), key=lambda message: message[:2]):
        template.add(words, locations=[(path, line)], context=context)
    return template


def found() -> Iterator[Message]:
    for path in files(DJANGO, ".py"):
        yield from calls(path, path.read_text("utf-8"))
    for path in files(("web/templates",), ".html", ".txt"):
        code = templatize(path.read_text("utf-8"), origin=str(path))
        yield from calls(path, "\n".join(line.lstrip() for line in code.split("\n")))
    for path in files(PLAIN, ".py"):
        yield from raised(path)
    yield from labels(PACKAGE / "mail" / "fields.py")


def files(places: tuple[str, ...], *endings: str) -> Iterator[Path]:
    for place in places:
        top = PACKAGE / place
        for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
            if path.suffix in endings and "migrations" not in path.parts:
                yield path


def calls(path: Path, code: str) -> Iterator[Message]:
    """Calls of the gettext functions."""
    for line, words, _, context in extract("python", io.BytesIO(code.encode()), KEYWORDS):
        yield place(path), line, words, context


def raised(path: Path) -> Iterator[Message]:
    """Messages of exceptions that stand there as a whole, and the docstrings of the exceptions."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ClassDef) and path.name == "errors.py":
            yield place(path), node.lineno, ast.get_docstring(node) or "", None
        elif isinstance(node, ast.Call | ast.Tuple | ast.IfExp | ast.Assign):
            for part in ast.iter_child_nodes(node):
                if isinstance(part, ast.Constant) and is_sentence(part.value):
                    yield place(path), part.lineno, part.value, None


def is_sentence(value: object) -> TypeGuard[str]:
    """Begins with a capital, ends with a full stop: other literals of these layers do not."""
    return isinstance(value, str) and bool(re.fullmatch(r"[A-Z][^%{\\]* [^%{\\]*\.", value))


def labels(path: Path) -> Iterator[Message]:
    """mail/fields.py: the fields of a contact and their groups."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "SpecialField":
            yield place(path), node.lineno, ast.literal_eval(node.args[2]), None
        elif isinstance(node, ast.AnnAssign) and getattr(node.target, "id", "") == "GROUPS" and node.value:
            for label in ast.literal_eval(node.value).values():
                yield place(path), node.lineno, label, None


def place(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def po(language: str) -> Path:
    return LOCALE / language / "LC_MESSAGES" / "django.po"


def opened(language: str) -> Catalog:
    """Empty when there is no file yet."""
    if not po(language).exists():
        return Catalog(locale=language)
    with po(language).open("rb") as file:
        return read_po(file, locale=language)


def merge(language: str, template: Catalog) -> None:
    catalogue = opened(language)
    catalogue.update(template, no_fuzzy_matching=True)
    for message in catalogue:
        message.previous_id = []
        message.locations = sorted({(name, None) for name, _ in message.locations})
    out = io.BytesIO(HEADER.format(language=language, plural=LANGUAGES[language]).encode())
    out.seek(0, io.SEEK_END)
    write_po(
        out,
        catalogue,
        width=110,
        omit_header=True,
        sort_by_file=True,
        ignore_obsolete=True,
        include_lineno=False,
    )
    po(language).parent.mkdir(parents=True, exist_ok=True)
    if not po(language).exists() or out.getvalue() != po(language).read_bytes():
        po(language).write_bytes(out.getvalue())


def missing(language: str) -> None:
    for message in opened(language):
        words = message.string if isinstance(message.string, tuple) else (message.string,)
        if message.id and (message.fuzzy or not all(words)):
            print(language, repr(message.context or ""), repr(message.id))


if __name__ == "__main__":
    main()
