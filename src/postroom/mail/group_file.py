"""Groups as other programs write them: CommuniGate Pro, GNU Mailman 2 and 3, CSV.

CommuniGate: the dictionary of GETGROUP, `{Expand=YES;Members=("anna","jan@gmail.com");RealName="Office";}`. Mailman 2:
what config_list writes (Python assignments). Mailman 3: a list's configuration as JSON. Lists of members: one a line.
"""

import ast
import csv
import json
import re
from dataclasses import dataclass, field
from typing import Any

from postroom.errors import InputError

#: Keys of CommuniGate that are on or off -> ours.
_SWITCHES = {
    "SetReplyTo": "set_reply_to",
    "Expand": "expand",
    "RemoveAuthor": "remove_author",
    "RejectAutomatic": "reject_automatic",
    "RemoveToAndCc": "remove_to_and_cc",
    "EmailDisabled": "email_disabled",
    "FinalDelivery": "final_delivery",
    "SignalDisabled": "signal_disabled",
}
_BY_LOWER = {key.lower(): column for key, column in _SWITCHES.items()}
FORMATS = ("auto", "communigate", "mailman", "csv")
_DEEPEST = 20


@dataclass
class GroupFile:
    """name: what stands before the @-sign, "" = the file does not say; options: columns; members: as written."""

    name: str = ""
    options: dict[str, Any] = field(default_factory=dict)
    members: list[str] = field(default_factory=list)


def group_files(text: str, format: str = "auto") -> list[GroupFile]:
    """The groups of one file. Raises InputError when it cannot be read as what it should be."""
    if format == "auto":
        format = _guess(text)
    try:
        if format == "communigate":
            return [_communigate(text)]
        return _csv(text) if format == "csv" else [_mailman(text)]
    except (ValueError, SyntaxError, RecursionError, csv.Error, MemoryError) as error:
        raise InputError(f"The file cannot be read as {format}: {str(error)[:200]}") from error


def _guess(text: str) -> str:
    begin = text.lstrip("\ufeff \t\r\n")
    if begin.startswith("{") and not re.match(r'\{\s*"[^"]*"\s*:', begin):
        return "communigate"
    if begin.startswith("{") or re.search(r"(?m)^(real_name|owner|reply_goes_to_list)\s*=", begin):
        return "mailman"
    first = begin.split("\n", 1)[0].lower()
    return (
        "csv"
        if re.search(r"\b(address|e-?mail|member|group)\b.*[,;\t]|^(address|e-?mail)\s*$", first)
        else "mailman"
    )


# --- CommuniGate Pro

_TOKEN = re.compile(r'\s*(?:([{}()=;,])|"((?:[^"\\]|\\.)*)"|\[([^\]]*)\]|([^\s{}()=;,"\[\]]+))')


def _communigate(text: str) -> GroupFile:
    tokens = _Tokens(text)
    found = tokens.value(0)
    if not isinstance(found, dict):
        raise ValueError("it is no dictionary")
    made = GroupFile()
    for key, value in found.items():
        column = _BY_LOWER.get(key.lower())
        if column:
            made.options[column] = str(value).upper() in ("YES", "TRUE", "1", "ON")
        elif key.lower() == "realname":
            made.options["real_name"] = str(value)
        elif key.lower() == "members":
            made.members = [str(one) for one in (value if isinstance(value, list) else [value])]
        elif key.lower() == "name":
            made.name = str(value).partition("@")[0]
    return made


class _Tokens:
    """A value of CommuniGate's data format: {a=b;}, (a,b), "string", atom."""

    def __init__(self, text: str) -> None:
        self.text = text.lstrip("\ufeff").rstrip()
        self.at = 0

    def _next(self) -> tuple[str, str]:
        """(sign, "") or ("", word). Raises ValueError at the end and for what is no token."""
        found = _TOKEN.match(self.text, self.at)
        if found is None:
            raise ValueError(f"nothing fits at character {self.at + 1}")
        self.at = found.end()
        if found[1]:
            return found[1], ""
        if found[2] is not None:
            return "", re.sub(r"\\(.)", _unescaped, found[2])
        return "", found[3] if found[3] is not None else found[4]

    def value(self, depth: int) -> Any:
        if depth > _DEEPEST:
            raise ValueError("it is nested too deeply")
        sign, word = self._next()
        if sign == "{":
            return self._dictionary(depth)
        if sign == "(":
            return self._array(depth)
        if sign:
            raise ValueError(f"{sign} at character {self.at}")
        return word

    def _dictionary(self, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while True:
            sign, key = self._next()
            if sign == "}":
                return found
            if sign or self._next()[0] != "=":
                raise ValueError(f"a name and = are missing at character {self.at}")
            found[key] = self.value(depth + 1)
            if self._next()[0] != ";":
                raise ValueError(f"; is missing at character {self.at}")

    def _array(self, depth: int) -> list[Any]:
        found: list[Any] = []
        before = self.at
        if self._next()[0] == ")":
            return found
        self.at = before
        while True:
            found.append(self.value(depth + 1))
            sign, _ = self._next()
            if sign == ")":
                return found
            if sign != ",":
                raise ValueError(f", is missing at character {self.at}")


def _unescaped(found: re.Match[str]) -> str:
    return {"n": "\n", "r": "\r", "t": "\t", "e": "\r\n"}.get(found[1], found[1])


# --- GNU Mailman


def _mailman(text: str) -> GroupFile:
    begin = text.lstrip("\ufeff \t\r\n")
    if begin.startswith("{"):
        return _settings(json.loads(begin))
    if re.search(r"(?m)^\w+\s*=\s*\S", begin):
        return _settings(_assigned(begin))
    lines = [line.strip() for line in begin.splitlines()]
    return GroupFile(members=[line for line in lines if line and not line.startswith("#")])


def _assigned(text: str) -> dict[str, Any]:
    """NAME = a plain value; what is none is passed over. Nothing is run."""
    found: dict[str, Any] = {}
    for node in ast.parse(text).body:
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            try:
                found[node.targets[0].id] = ast.literal_eval(node.value)
            except ValueError:
                continue
    return found


def _settings(given: dict[str, Any]) -> GroupFile:
    """reply_goes_to_list: 0 / no_munging = poster, anything else = the list. generic_nonmember_action: 0 accept."""
    made = GroupFile(name=str(given.get("list_name") or "").partition("@")[0])
    options = made.options
    title = given.get("display_name") or given.get("real_name")
    if title:
        options["real_name"] = str(title)
        made.name = made.name or re.sub(r"[^a-z0-9._-]", "", str(title).lower())
    if given.get("description"):
        options["description"] = str(given["description"])
    if "reply_goes_to_list" in given:
        options["set_reply_to"] = str(given["reply_goes_to_list"]).lower() not in ("0", "no_munging")
    if given.get("max_message_size"):
        options["size_max"] = int(given["max_message_size"]) * 1000
    if "archive" in given or "archive_policy" in given:
        options["archive"] = given.get("archive_policy", "private") != "never" and bool(
            given.get("archive", True)
        )
    outsiders = str(given.get("default_nonmember_action", given.get("generic_nonmember_action", ""))).lower()
    if outsiders:
        options["who_may_post"] = (
            "anyone"
            if outsiders in ("0", "accept", "defer")
            else "approved"
            if outsiders in ("1", "hold")
            else "members"
        )
    if given.get("emergency"):
        options["who_may_post"] = "approved"
    made.members = [str(one) for one in given.get("members") or []]
    return made


# --- CSV


def _csv(text: str) -> list[GroupFile]:
    """Columns by their heads: address (or email, member), and name, group; without heads the first is the address."""
    text = text.lstrip("\ufeff")
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    rows = [row for row in csv.reader(text.splitlines(), delimiter=delimiter) if any(map(str.strip, row))]
    if not rows:
        return []
    heads = [cell.strip().lower() for cell in rows[0]]
    places = {name: heads.index(name) for name in ("group", "name") if name in heads}
    address = next(
        (heads.index(name) for name in ("address", "email", "e-mail", "member") if name in heads), None
    )
    if address is not None:
        rows = rows[1:]
    found: dict[str, GroupFile] = {}
    for row in rows:
        cells = [cell.strip() for cell in row] + [""] * len(heads)
        group = cells[places["group"]].partition("@")[0] if "group" in places else ""
        name = re.sub(r'[<>"\\\r\n]', " ", cells[places["name"]]).strip() if "name" in places else ""
        spec = cells[address or 0]
        made = found.setdefault(group.lower(), GroupFile(name=group))
        if spec:
            made.members.append(f'"{name}" <{spec}>' if name else spec)
    return list(found.values())
