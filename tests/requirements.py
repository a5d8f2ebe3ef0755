"""Which rows of the requirement list have an acceptance check: `python -m tests.requirements --json` or `--write`.

The checks are the tests marked `@pytest.mark.req("CM-28")` and the dialogues with a line `req: RC-01`; they are read,
not run. A mark may name a pair: CM-14/15 is CM-14 and CM-15. The ids are those of docs/features.md.
"""

import argparse
import ast
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FEATURES = ROOT / "docs" / "features.md"

#: Layers at which a row counts as done: what people and programs were promised, not a helper of ours.
PROMISED = frozenset({"page", "api", "command", "protocol"})

#: Folder of tests/ -> layer. In web/ a file whose name has the word `api` checks the API.
_LAYERS = {
    "web": "page",
    "cli": "command",
    "host": "command",
    "wire": "protocol",
    "daemons": "protocol",
    "system": "protocol",
    "practice": "protocol",
    "actions": "action",
    "queries": "action",
    "models": "action",
    "mail": "rule",
}

_ROW = re.compile(r"^\| ([A-Z]{2}-\d\d) \| (.+?) \| (done|partly|planned) \| (.*?) \|$")
_ID = re.compile(r"([A-Z]{2})-(\d\d)(?:/(\d\d))?")


@dataclass(frozen=True)
class Check:
    """A marked test. test: as pytest takes it; layer: a value of _LAYERS, or api."""

    test: str
    layer: str

    @property
    def file(self) -> str:
        return self.test.partition("::")[0]


def single_ids(words: str) -> list[str]:
    """CM-14/15 -> CM-14, CM-15; a word that is no id comes back as it is."""
    found = _ID.fullmatch(words)
    if not found:
        return [words]
    kind, first, second = found.groups()
    return [f"{kind}-{first}"] + ([f"{kind}-{second}"] if second else [])


def checks(tests: Path = ROOT / "tests") -> dict[str, list[Check]]:
    """Id -> its checks, ids and checks in order. Ids are taken as written; whether they exist is for the caller."""
    found: dict[str, list[Check]] = {}
    for path in sorted(tests.rglob("*.py")):
        for name, words in _marks(ast.parse(path.read_text("utf-8"))):
            _note(found, words, f"{path.relative_to(tests.parent)}::{name}")
    for path in sorted(tests.rglob("*.dialog")):
        player = (
            f"{path.parent.parent.relative_to(tests.parent)}/test_dialogs.py::test_a_dialogue_goes_as_written"
        )
        for line in re.findall(r"^req: (.+)$", path.read_text("utf-8").partition("\n--\n")[0], re.MULTILINE):
            for words in line.split():
                _note(found, words, f"{player}[{path.stem}]")
    return dict(sorted(found.items()))


def _note(found: dict[str, list[Check]], words: str, test: str) -> None:
    for one in single_ids(words):
        check = Check(test, layer_of(test.partition("::")[0]))
        if check not in found.setdefault(one, []):
            found[one].append(check)


def _marks(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """(test, words) of each mark: on a function, a class, or as the module's `pytestmark`."""
    whole = [
        words
        for node in tree.body
        if isinstance(node, ast.Assign) and any(ast.unparse(t) == "pytestmark" for t in node.targets)
        for words in _words(node.value)
    ]
    yield from _marks_below(tree.body, "", whole)


def _marks_below(body: list[ast.stmt], prefix: str, inherited: list[str]) -> Iterator[tuple[str, str]]:
    for node in body:
        if isinstance(node, ast.ClassDef):
            own = [words for mark in node.decorator_list for words in _words(mark)]
            yield from _marks_below(node.body, f"{prefix}{node.name}::", inherited + own)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test"):
            own = [words for mark in node.decorator_list for words in _words(mark)]
            for words in inherited + own:
                yield prefix + node.name, words


def _words(mark: ast.expr) -> list[str]:
    """The strings given to every `pytest.mark.req(...)` in an expression."""
    return [
        argument.value
        for call in ast.walk(mark)
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "pytest.mark.req"
        for argument in call.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    ]


def layer_of(file: str) -> str:
    """The layer of a test file, given below the root: tests/web/test_accounts_api.py -> api; "" when it has none."""
    parts = Path(file).parts
    layer = _LAYERS.get(parts[1], "") if len(parts) > 2 else ""
    return "api" if layer == "page" and "api" in Path(file).stem.split("_") else layer


def listed(text: str) -> list[str]:
    """The ids of docs/features.md, in order, repeated ones twice."""
    return [row.group(1) for row in map(_ROW.match, text.splitlines()) if row]


def state_of(one: str, covered: dict[str, list[Check]]) -> str:
    """done: checked at a promised interface; partly: checked deeper down only, or named in PARTLY; else planned."""
    if one in PARTLY:
        return "partly"
    layers = {check.layer for check in covered.get(one, ())}
    return "done" if layers & PROMISED else "partly" if layers else "planned"


def rewritten(text: str, covered: dict[str, list[Check]]) -> str:
    """docs/features.md with the columns `state` and `where` as they are now."""
    return "\n".join(_row_now(line, covered) for line in text.split("\n"))


def _row_now(line: str, covered: dict[str, list[Check]]) -> str:
    row = _ROW.match(line)
    if not row:
        return line
    one, what = row.group(1), row.group(2)
    files = list(dict.fromkeys(check.file for check in covered.get(one, ())))
    where = ", ".join(f"[{Path(file).stem.removeprefix('test_')}](../{file})" for file in files)
    if one in PARTLY:
        where = f"{PARTLY[one]} {where}".strip()
    return f"| {one} | {what} | {state_of(one, covered)} | {where or 'later'} |"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.requirements", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print what is covered, and what is missing")
    parser.add_argument("--write", action="store_true", help="bring docs/features.md up to date")
    chosen = parser.parse_args()
    covered = checks()
    text = FEATURES.read_text("utf-8")
    ids = listed(text)
    if chosen.write:
        FEATURES.write_text(rewritten(text, covered), "utf-8")
    if chosen.json:
        answer = {
            "covered": {
                one: [{"test": check.test, "layer": check.layer} for check in covered[one]]
                for one in ids
                if one in covered
            },
            "missing": [one for one in ids if one not in covered],
        }
        print(json.dumps(answer, indent=1))
    else:
        states = [state_of(one, covered) for one in ids]
        print(", ".join(f"{states.count(state)} {state}" for state in ("done", "partly", "planned")))
    return 0


#: Rows of which a part is there, and what is missing; the reason is shown in docs/features.md.
PARTLY: dict[str, str] = {
    "PI-09": "CSV is read; XLSX is not yet.",
    "BC-08": "A broken mailbox holds up nobody; one operator for a group of mailboxes is missing.",
    "RC-07": "Every action is matched; one report about three recipients is not yet shown on three rows.",
}

if __name__ == "__main__":
    sys.exit(main())
