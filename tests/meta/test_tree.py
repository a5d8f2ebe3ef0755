"""The tree keeps its habits: modules say what they are for, imports point down, no file grows without end."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "postroom"
MODULES = [path for path in sorted(SOURCE.rglob("*.py")) if "migrations" not in path.parts]

#: Layers that hold no coroutines (async code lives in wire, daemons, practice and their fakes).
BLOCKING = ("mail", "models", "queries", "actions", "web", "cli", "conf", "host")
#: What rules of mail may not know: they are handed values, and the time.
FORBIDDEN_IN_MAIL = {"django", "asyncio", "socket", "os", "time", "random", "ssl", "threading", "subprocess"}


def test_every_module_says_what_it_is_for():
    """Empty ones and tables of URLs aside."""
    silent = []
    for path in MODULES:
        text = path.read_text("utf-8")
        if text.strip() and path.name != "urls.py" and not ast.get_docstring(ast.parse(text)):
            silent.append(str(path.relative_to(ROOT)))
    assert silent == []


def test_coroutines_live_where_talking_is_done():
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for layer in BLOCKING
        for path in (SOURCE / layer).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.AsyncFunctionDef)
    ]
    assert found == []


def test_rules_of_mail_know_no_world():
    found = []
    for path in (SOURCE / "mail").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            found += [f"{path.name}: {name}" for name in names if name.partition(".")[0] in FORBIDDEN_IN_MAIL]
    assert found == []


def test_the_inner_loop_checks_the_imports():
    check = re.search(r"^check:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.MULTILINE).group(1)
    for step in ("ruff format --check", "ruff check", "mypy", "lint-imports", "pytest"):
        assert step in check
    assert (ROOT / ".ci" / "run").read_text().count("make check") >= 1


def test_no_test_is_left_out_for_good():
    """What cannot run here must say so at run time; a bare skip or xfail would only hide it."""
    marks = re.compile(r"@pytest\.mark\.(skip|xfail)\b")
    found = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in (ROOT / "tests").rglob("*.py")
        for match in marks.finditer(path.read_text("utf-8"))
    ]
    assert found == []
