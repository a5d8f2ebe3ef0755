"""Where things of this installation are: data folder, key file, objects, the embedded database. No Django."""

import hashlib
import os
import tempfile
from pathlib import Path
from urllib.parse import quote

from postroom.conf import env

#: sun_path holds 108 bytes with the final NUL; "/.s.PGSQL.5432" and ".lock" are appended.
SOCKET_FOLDER_MOST = 107 - len("/.s.PGSQL.5432.lock")


def data() -> Path:
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    return env.folder("POSTROOM_DATA", Path("/var/lib/postroom") if root else Path("data"))


def key_file() -> Path:
    return env.file("POSTROOM_KEY_FILE") or data() / "keys.json"


def objects() -> Path:
    """Raw mail and attachments by SHA-256."""
    return data() / "objects"


def cluster() -> Path:
    """What belongs to the embedded PostgreSQL."""
    return data() / "postgres"


def socket_folder(cluster: Path) -> Path:
    """Beside the cluster; where that path is too long for a socket, below the temporary folder."""
    beside = cluster / "run"
    if len(os.fsencode(beside)) <= SOCKET_FOLDER_MOST:
        return beside
    mark = hashlib.sha256(os.fsencode(cluster)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"postroom-{mark}"


def embedded_url(cluster: Path) -> str:
    return f"postgresql://postroom@/postroom?host={quote(str(socket_folder(cluster)), safe='')}"


def database_url() -> str:
    """POSTROOM_DATABASE_URL, or that of the embedded server."""
    return env.secret("POSTROOM_DATABASE_URL") or embedded_url(cluster())


def is_embedded() -> bool:
    return not env.secret("POSTROOM_DATABASE_URL")


def pg_bin() -> Path | None:
    """The folder with `postgres` and `initdb` to use instead of those of the wheel."""
    return env.file("POSTROOM_PG_BIN")
