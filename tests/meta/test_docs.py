"""The documents hold together: links lead somewhere, decisions are numbered, the change log is kept."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)|<img[^>]+src=\"([^\"]+)\"|<source[^>]+srcset=\"([^\"]+)\"")


def names(paths):
    return [str(path.relative_to(ROOT)) for path in paths]


def anchors(text: str) -> set[str]:
    """The anchors of a document's headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", re.sub(r"```.*?```", "", text, flags=re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("path", DOCUMENTS, ids=names(DOCUMENTS))
def test_every_link_leads_somewhere(path):
    broken = []
    for groups in _LINK.findall(path.read_text("utf-8")):
        link = next(filter(None, groups))
        if re.match(r"(https?|mailto):", link):
            continue
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        there = target.exists() and target.is_relative_to(ROOT)
        if there and anchor and target.suffix == ".md":
            there = anchor in anchors(target.read_text("utf-8"))
        if not there:
            broken.append(link)
    assert broken == []


def test_the_change_log_has_a_section_for_what_is_not_released():
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    section = text.split("## [Unreleased]")[1].split("\n## ")[0]
    assert re.search(r"^- .+", section, re.MULTILINE)


def test_decisions_are_numbered_without_gaps_and_say_what_and_why():
    files = sorted((ROOT / "docs" / "adr").glob("*.md"))
    assert [int(path.name[:4]) for path in files] == list(range(1, len(files) + 1))
    for number, path in enumerate(files, 1):
        text = path.read_text("utf-8")
        assert text.startswith(f"# {number}. "), path.name
        assert "**Decided.**" in text, path.name
        assert "**Why.**" in text, path.name


def test_every_command_and_every_target_named_in_the_documents_exists():
    commands = {path.stem.rstrip("_") for path in (ROOT / "src/postroom/cli").glob("*.py")}
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for path in DOCUMENTS:
        for line in path.read_text("utf-8").splitlines():
            said = re.findall(r"(?:^|`)make ([a-z]+)", line)
            assert set(said) <= targets, (path.name, line)
            said = re.findall(r"(?:^|`)postroom ([a-z]+)", line)
            assert set(said) <= commands, (path.name, line)


def test_files_named_in_backticks_exist():
    """`mail/dsn.py` stands for src/postroom/mail/dsn.py."""
    missing = []
    for path in DOCUMENTS:
        for name in re.findall(r"`([\w./-]+/[\w.-]+\.(?:py|md|js|css|toml|json))`", path.read_text("utf-8")):
            if not any((base / name).exists() for base in (ROOT, ROOT / "src" / "postroom", path.parent)):
                missing.append(f"{path.name}: {name}")
    assert missing == []


def test_no_file_speaks_of_the_machine_it_was_written_on():
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True)
    if listed.returncode:  # an unpacked archive has no list of files
        pytest.fail("git ls-files does not work here")
    homes = re.compile(rf"{re.escape(str(ROOT))}\b|/(?:Users|home)/(?!clerk\b)\w+/|\.\./{'shared'}\b")
    found = []
    for name in listed.stdout.decode().split("\0"):
        path = ROOT / name
        if not path.is_file() or path == Path(__file__):
            continue
        try:
            text = path.read_text("utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{name}: {match.group()}" for match in homes.finditer(text)]
    assert found == []
