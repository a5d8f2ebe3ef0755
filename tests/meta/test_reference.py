"""The reference pages are complete: rights, scopes, commands and their options."""

import argparse
import importlib
import pkgutil
import re
from pathlib import Path

from postroom import cli
from postroom.models.profile import OFFICE_RIGHTS, May, Right
from postroom.queries.scopes import NOUNS

DOCS = Path(__file__).resolve().parents[2] / "docs"


def rows(name):
    """First cell -> the others, of every table of a page."""
    lines = (DOCS / name).read_text("utf-8").replace(r"\|", "/").splitlines()
    cells = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| `")
    ]
    return {found[0].strip("`"): found[1:] for found in cells}


def test_every_right_is_explained_with_whether_the_first_profile_has_it():
    told = rows("rights.md")
    assert {name for name in told if "." in name} == {str(right) for right in Right}
    assert {name for name, cells in told.items() if "." in name and cells[1] == "yes"} == set(OFFICE_RIGHTS)
    assert {str(may) for may in May} <= set(told)


def test_every_scope_is_explained_with_its_addresses():
    told = {
        name: set(re.findall(r"`([a-z]+)`", cells[0]))
        for name, cells in rows("rights.md").items()
        if name in NOUNS.values()
    }
    assert told == {noun: {path for path, its in NOUNS.items() if its == noun} for noun in NOUNS.values()}


def commands():
    """(words of a command, its options) of all there are."""
    parser = argparse.ArgumentParser()
    subparsers = parser.add_subparsers()
    for module in pkgutil.iter_modules(cli.__path__):
        add = getattr(importlib.import_module(f"postroom.cli.{module.name}"), "add", None)
        if add:
            add(subparsers)
    waiting = [("postroom", parser)]
    while waiting:
        words, one = waiting.pop()
        below = [action for action in one._actions if isinstance(action, argparse._SubParsersAction)]
        if below:
            waiting += [(f"{words} {name}", inner) for name, inner in below[0].choices.items()]
        else:
            yield words, {name for action in one._actions for name in action.option_strings if name[2:]}


def test_every_command_is_explained_with_its_options():
    page = (DOCS / "commands.md").read_text("utf-8")
    lines = [line for line in page.splitlines() if line.startswith("| `postroom")]
    missing = []
    for words, options in commands():
        *_, last = words.split()
        said = [
            line
            for line in lines
            if words in line or (words.startswith("postroom campaign") and f"`{last} ID`" in line)
        ]
        told = set(re.findall(r"--[a-z-]+", " ".join(said)))
        # one row of several acts explains --workspace and --json for all of them
        gone = options - told - {"--help", "--workspace", "--json"}
        missing += [] if said and not gone else [f"{words} {sorted(gone)}"]
    assert missing == []
