#!/usr/bin/env python3
"""Unpack Debian's Postfix and Dovecot below .cache/roots/, for tests and benchmarks.

Nothing is installed into the system.

    python3 scripts/roots.py [--json]

The packages are fetched with apt, by a state folder of its own, and only unpacked: no script of theirs runs. What is
started from the root runs in a chroot. Exit code 0: the root is there; 1: it cannot be made, and the last line
says why. Standard library only.
"""

import argparse
import fcntl
import json
import os
import shutil
import stat
import subprocess
import sys
import time
from pathlib import Path

CACHE = Path(__file__).resolve().parent.parent / ".cache"
APT = CACHE / "roots" / "apt"
PACKAGES = ("postfix", "dovecot-imapd", "dovecot-pop3d", "dovecot-lmtpd", "microsocks", "swaks", "openssl")
#: The configurations of our tests are written for the versions of this release.
SUITE = "bookworm"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
#: Grows when what this script makes changes; another checkout may still work with an older one.
VERSION = 3
ROOT = CACHE / "roots" / f"mail-{VERSION}"

PASSWD = """root:x:0:0:root:/:/bin/false
nobody:x:65534:65534:nobody:/nonexistent:/bin/false
postfix:x:6101:6101:Postfix:/nonexistent:/bin/false
dovecot:x:6103:6103:Dovecot:/nonexistent:/bin/false
dovenull:x:6104:6104:Dovecot, before login:/nonexistent:/bin/false
vmail:x:6105:6105:mailboxes:/nonexistent:/bin/false
"""
GROUP = """root:x:0:
nogroup:x:65534:
postfix:x:6101:
postdrop:x:6102:
dovecot:x:6103:
dovenull:x:6104:
vmail:x:6105:
"""
DEVICES = {"null": (1, 3), "zero": (1, 5), "random": (1, 8), "urandom": (1, 9)}


class Impossible(Exception):
    """The root cannot be made here; the text says why."""


def made() -> bool:
    try:
        mark = json.loads((ROOT / "made.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return mark == {"version": VERSION, "suite": SUITE, "packages": list(PACKAGES)}


def check() -> None:
    """Raises Impossible with the reason."""
    if not sys.platform.startswith("linux"):
        raise Impossible("Debian's mail servers need Linux.")
    if os.geteuid() != 0:
        raise Impossible("Only root can start mail servers in a root of their own. Run it as root.")
    os.environ["PATH"] = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"  # `su` may leave them out
    for tool in ("apt-get", "dpkg-deb", "chroot"):
        if shutil.which(tool) is None:
            raise Impossible(f"{tool} is missing; it is there on Debian.")


def make() -> None:
    """Build the root beside its place and move it there when it is whole."""
    new, old = (ROOT.with_name(f"{word}.{os.getpid()}") for word in ("new", "old"))
    shutil.rmtree(new, ignore_errors=True)
    try:
        unpack(fetch(), new)
        furnish(new)
        try_out(new)
        mark = {"version": VERSION, "suite": SUITE, "packages": list(PACKAGES)}
        (new / "made.json").write_text(json.dumps(mark), encoding="utf-8")
        if ROOT.exists():
            ROOT.rename(old)  # half of a root must never stand there, however this ends
        new.rename(ROOT)
    finally:
        for gone in (new, old):
            shutil.rmtree(gone, ignore_errors=True)
        shutil.rmtree(APT, ignore_errors=True)


def sources() -> list[str]:
    """apt options: this machine's own sources where they are of the right release, else Debian's."""
    release = Path("/etc/os-release")
    if release.exists() and f"VERSION_CODENAME={SUITE}\n" in release.read_text(encoding="utf-8"):
        return []
    if not Path(KEYRING).exists():
        raise Impossible(f"This is not Debian {SUITE}, and {KEYRING} is missing (debian-archive-keyring).")
    listed = APT / "sources.list"
    listed.write_text(
        f"deb [signed-by={KEYRING}] http://deb.debian.org/debian {SUITE} main\n"
        f"deb [signed-by={KEYRING}] http://deb.debian.org/debian-security {SUITE}-security main\n",
        encoding="utf-8",
    )
    return ["-o", f"Dir::Etc::SourceList={listed}", "-o", "Dir::Etc::SourceParts=/dev/null"]


def fetch() -> list[Path]:
    """The packages with everything they need, as .deb files."""
    for folder in ("lists/partial", "cache/archives/partial"):
        (APT / folder).mkdir(parents=True, exist_ok=True)
    options = [
        *("-q", "-o", f"Dir::State={APT}", "-o", "Dir::State::status=/dev/null"),
        *("-o", f"Dir::Cache={APT / 'cache'}", "-o", "APT::Sandbox::User=root"),
        *("-o", "Acquire::Retries=2", "-o", "APT::Update::Error-Mode=any", *sources()),
    ]
    run("the package lists", "apt-get", *options, "update")
    wanted = ("--yes", "--no-install-recommends", "--download-only", "install", *PACKAGES)
    run("the packages", "apt-get", *options, *wanted)
    return sorted((APT / "cache" / "archives").glob("*.deb"))


def unpack(packages: list[Path], root: Path) -> None:
    # Since usrmerge, libraries and programs of both places meet in /usr.
    for name in ("bin", "sbin", "lib", "lib64"):
        (root / "usr" / name).mkdir(parents=True)
        (root / name).symlink_to(f"usr/{name}")
    root.chmod(0o755)
    for package in packages:
        run(package.name, "dpkg-deb", "--extract", str(package), str(root))


def furnish(root: Path) -> None:
    """What the packages' own scripts would have done, as far as it is needed."""
    for name in ("dev", "etc", "tmp", "run", "srv", "proc"):
        (root / name).mkdir(exist_ok=True)
    (root / "tmp").chmod(0o1777)
    (root / "etc/passwd").write_text(PASSWD, encoding="utf-8")
    (root / "etc/group").write_text(GROUP, encoding="utf-8")
    (root / "etc/hosts").write_text("127.0.0.1 localhost\n", encoding="utf-8")
    (root / "etc/nsswitch.conf").write_text("passwd: files\ngroup: files\nhosts: files\n", encoding="utf-8")
    (root / "etc/resolv.conf").write_text("", encoding="utf-8")
    for name, (major, minor) in DEVICES.items():
        try:
            os.mknod(root / "dev" / name, 0o666 | stat.S_IFCHR, os.makedev(major, minor))
            (root / "dev" / name).chmod(0o666)
            with open(root / "dev" / name, "r+b", buffering=0):
                pass
        except OSError as error:
            raise Impossible(f"{root} cannot have device files here: {error.strerror}.") from error
    for name in ("var/lib/apt", "usr/share/doc", "usr/share/man", "usr/share/locale"):
        shutil.rmtree(root / name, ignore_errors=True)


def try_out(root: Path) -> None:
    """Raises Impossible when a program of the root does not run: a library is missing, or chroot is forbidden."""
    for command in (
        ("/usr/sbin/postconf", "-d", "mail_version"),
        ("/usr/sbin/dovecot", "--version"),
        ("/usr/bin/swaks", "--version"),
        ("/usr/bin/openssl", "version"),
    ):
        if command[0] == "/usr/sbin/postconf":  # it wants a configuration, be it empty
            (root / "etc/postfix/main.cf").write_text("", encoding="utf-8")
        run(command[0], "chroot", str(root), *command)


def run(what: str, *command: str) -> None:
    done = subprocess.run(  # noqa: S603
        command,
        capture_output=True,
        text=True,
        errors="replace",
        env={**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"},
    )
    if done.returncode:
        words = (done.stderr or done.stdout).strip().splitlines()
        raise Impossible(f"{what}: {command[0]} failed: {' '.join(words[-3:])}")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--json", action="store_true", help="one JSON object: root, made, seconds, error")
    parser.add_argument("--again", action="store_true", help="build it even if it is there")
    args = parser.parse_args()
    began = time.monotonic()
    answer: dict[str, object] = {"root": str(ROOT), "made": False, "error": ""}
    try:
        check()
        ROOT.parent.mkdir(parents=True, exist_ok=True)
        with open(ROOT.with_name("lock"), "a", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # two test runs at a time: the second finds it made
            if args.again or not made():
                make()
                answer["made"] = True
    except (Impossible, OSError) as error:
        answer["error"] = str(error)
    answer["seconds"] = round(time.monotonic() - began, 1)
    if args.json:
        print(json.dumps(answer))
    elif answer["error"]:
        print(f"The root of the mail servers cannot be made. {answer['error']}", file=sys.stderr)
    else:
        print(f"{answer['root']} {'made' if answer['made'] else 'is there'} ({answer['seconds']} s)")
    return 1 if answer["error"] else 0


if __name__ == "__main__":
    sys.exit(main())
