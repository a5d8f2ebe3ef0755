"""The keys of this installation: one JSON file, readable by its owner only.

Made at the first `postroom serve`. Whoever has lost it cannot read the stored passwords any more, and links
and return paths of mail already sent are no longer recognised; so a file that is missing or wrong stops the
program and is never silently replaced. New keys go to the front of a list; the old ones stay valid.
"""

import base64
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from postroom.errors import HostError


@dataclass(frozen=True)
class Keys:
    #: Signs sessions and links of the pages.
    secret_key: str
    #: Sign the tokens in outgoing mail; newest first, 32 bytes each.
    token_keys: tuple[bytes, ...]
    #: Encrypt stored passwords; newest first, url-safe base64 of 32 bytes each.
    fernet_keys: tuple[str, ...]


def create(path: Path) -> bool:
    """Write new keys to `path`, mode 0600. False, touching nothing, when the file is there already."""
    keys = {
        "secret_key": secrets.token_urlsafe(48),
        "token_keys": [secrets.token_hex(32)],
        "fernet_keys": [_fernet_key()],
    }
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    except OSError as error:
        raise HostError(f"The key file {path} cannot be written: {error.strerror}.") from error
    with os.fdopen(handle, "w", encoding="ascii") as file:
        json.dump(keys, file, indent=2)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    return True


def load(path: Path) -> Keys:
    """Raises HostError naming the file when it is missing, unreadable, or not what `create` writes."""
    try:
        if path.stat().st_mode & 0o077:
            raise HostError(f"The key file {path} can be read by others. Run: chmod 600 {path}")
        data = json.loads(path.read_text(encoding="utf-8"))
        keys = Keys(
            secret_key=data["secret_key"],
            token_keys=tuple(bytes.fromhex(key) for key in data["token_keys"]),
            fernet_keys=tuple(data["fernet_keys"]),
        )
    except FileNotFoundError as error:
        raise HostError(
            f"The key file {path} is missing. `postroom serve` makes one in a new data folder; for a"
            " folder with data put the original file back, without it stored passwords cannot be read."
        ) from error
    except OSError as error:
        raise HostError(f"The key file {path} cannot be read: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise HostError(f"The key file {path} is damaged. Put the original file back.") from error
    if not _sound(keys):
        raise HostError(f"The key file {path} is damaged. Put the original file back.")
    return keys


def _sound(keys: Keys) -> bool:
    try:
        fernet = [len(base64.urlsafe_b64decode(key)) == 32 for key in keys.fernet_keys]
    except (ValueError, TypeError):
        return False
    tokens = [len(key) == 32 for key in keys.token_keys]
    secret = isinstance(keys.secret_key, str) and len(keys.secret_key) >= 32
    return bool(secret and fernet and all(fernet) and tokens and all(tokens))


def renew(path: Path, *, finish: bool = False) -> int:
    """Put a new key for stored passwords in front of the old ones; or, with finish, drop all but the newest.

    Returns how many there are now. The file is replaced in one step; running processes see it with their next use.
    Raises HostError as `load`, and when the file cannot be written.
    """
    load(path)
    data = json.loads(path.read_text(encoding="utf-8"))
    old = data["fernet_keys"]
    data["fernet_keys"] = old[:1] if finish else [_fernet_key(), *old]
    new = path.with_name(f".{path.name}.new")
    try:
        was = path.stat()
        new.unlink(missing_ok=True)
        with os.fdopen(
            os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii"
        ) as file:
            json.dump(data, file, indent=2)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        if os.geteuid() == 0:
            os.chown(new, was.st_uid, was.st_gid)
        os.replace(new, path)
    except OSError as error:
        raise HostError(f"The key file {path} cannot be written: {error.strerror}.") from error
    return len(data["fernet_keys"])


def _fernet_key() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


_kept: dict[Path, tuple[int, Keys]] = {}


def current() -> Keys:
    """The keys of the settings in force; read again when the file was replaced.

    A process that has read them goes on with these when it can no longer look at the file.
    """
    from postroom.conf import place

    path = place.key_file()
    kept = _kept.get(path)
    try:
        stamp = path.stat().st_mtime_ns
    except OSError:
        if kept:
            return kept[1]
        stamp = 0
    if kept and kept[0] == stamp:
        return kept[1]
    found = load(path)
    _kept[path] = (stamp, found)
    return found
