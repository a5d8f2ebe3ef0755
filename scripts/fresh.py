"""`make fresh`: `make demo` on a bare Debian that holds only git, make, python3 and ca-certificates.

    python3 scripts/fresh.py [--recipients 300] [--only user|root|closed]

A root made by debootstrap (kept below .cache/roots/) is copied; in it the last commit is cloned and `make demo` run
three times, with an empty home each: by an ordinary user, by root, and by root below a folder of mode 0700. Mounts and
processes live in namespaces of their own and end with them. How the package index is reached is passed on: pip's and
npm's settings, proxies, certificates. Needs root. Exit code 0: all three passed; 1: one did not, or could not be run.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
ROOTS = HERE / ".cache/roots"
BASE = ROOTS / "fresh-base"
PACKAGES = "git,make,python3,ca-certificates"
MIRROR = "http://deb.debian.org/debian"
TIME_LIMIT_SECONDS = 900
#: Variables that say how the network is reached.
NETWORK = re.compile(
    r"(?i)^((https?|ftp|all|no)_proxy|pip_(index_url|extra_index_url|cert|proxy|trusted_host|default_timeout)"
    r"|uv_(default_index|index|native_tls|system_certs)|npm_config_\w+"
    r"|ssl_cert_(file|dir)|node_extra_ca_certs|git_ssl_cainfo|requests_ca_bundle|curl_ca_bundle)$"
)
#: name: (user in the root, folder of the clone, folder closed to others)
CASES = {
    "user": ("clerk", "/home/clerk/postroom", ""),
    "root": ("root", "/srv/postroom", ""),
    "closed": ("root", "/srv/closed/postroom", "/srv/closed"),
}


def main() -> int:
    parser = argparse.ArgumentParser(description="Run `make demo` on a bare Debian.")
    parser.add_argument("--recipients", type=int, default=300)
    parser.add_argument("--only", choices=sorted(CASES))
    args = parser.parse_args()
    if os.geteuid() != 0:
        return refuse("it needs root, for debootstrap and chroot")
    if shutil.which("debootstrap") is None:
        return refuse("debootstrap is missing (apt-get install debootstrap)")
    if subprocess.run(["unshare", "--mount", "--pid", "--fork", "true"]).returncode:  # noqa: S607
        return refuse("this machine allows no namespaces (unshare)")
    make_base()
    root = ROOTS / f"fresh-{os.getpid()}"
    say("Copying the bare Debian.")
    subprocess.run(["cp", "-a", "--reflink=auto", str(BASE), str(root)], check=True)  # noqa: S603, S607
    try:
        well = [run(root, name, args.recipients) for name in CASES if args.only in (None, name)]
    finally:
        shutil.rmtree(root, ignore_errors=True)
    return 0 if all(well) else 1


def make_base() -> None:
    if (BASE / "made").exists():
        return
    shutil.rmtree(BASE, ignore_errors=True)
    BASE.mkdir(parents=True)
    suite = "bookworm"
    for line in Path("/etc/os-release").read_text().splitlines():
        if line.startswith("VERSION_CODENAME=") and "ID=debian" in Path("/etc/os-release").read_text():
            suite = line.partition("=")[2]
    say(f"Making a bare Debian {suite}.")
    mirror = os.environ.get("DEBIAN_MIRROR", MIRROR)
    command = ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", suite, str(BASE), mirror]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)  # noqa: S603
    if done.returncode:
        sys.exit(f"fresh: could not be run: debootstrap failed:\n{done.stdout[-2000:]}")
    shutil.rmtree(BASE / "var/cache/apt", ignore_errors=True)
    (BASE / "dev/shm").mkdir(mode=0o1777, exist_ok=True)
    (BASE / "dev/shm").chmod(0o1777)
    (BASE / "made").write_text(f"{suite}\n")


def run(root: Path, name: str, recipients: int) -> bool:
    """One case; tells how it went."""
    user, folder, closed = CASES[name]
    home = f"/home/{user}" if user != "root" else "/root"
    if user != "root" and not (root / home[1:]).exists():
        inside(root, ["useradd", "--create-home", user])
        (root / home[1:]).chmod(0o700)
    env = network(root)
    env.update(HOME=home, PATH="/usr/sbin:/usr/bin:/sbin:/bin", USER=user, LANG="C.UTF-8")
    if closed:
        (root / closed[1:]).mkdir(mode=0o700, parents=True)
    clone = root / folder[1:]
    clone.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["git", "clone", "-q", "--no-hardlinks", str(HERE), str(clone)], check=True)  # noqa: S603, S607
    inside(root, ["chown", "-R", f"{user}:", folder])
    say(f"{name}: make demo as {user} in {folder}")
    started = time.monotonic()
    script = f'cd {folder} && exec make demo ARGS="--recipients {recipients} --exit --json"'
    try:
        done = inside(root, ["sh", "-c", script], env=env, user=user, capture=True)
    except subprocess.TimeoutExpired:
        say(f"{name}: FAILED, not finished after {TIME_LIMIT_SECONDS} s")
        return False
    fault = judge(done, recipients)
    say(f"{name}: {'FAILED, ' + fault if fault else 'passed'}, {time.monotonic() - started:.0f} s")
    return not fault


def judge(done: "subprocess.CompletedProcess[str]", recipients: int) -> str:
    """What is wrong with the demo's answer; "" when nothing is."""
    if done.returncode:
        return f"exit code {done.returncode}"
    try:
        told = json.loads(done.stdout)
    except ValueError:
        return f"stdout is not one JSON object: {done.stdout[:200]!r}"
    states = sum(told[key] for key in ("accepted", "failed", "skipped", "uncertain", "deferred"))
    if told["lost"] or told["duplicates"] or not states == told["recipients"] == recipients:
        return f"wrong figures: {told}"
    print(json.dumps(told), flush=True)
    return ""


def inside(
    root: Path,
    command: list[str],
    *,
    env: "dict[str, str] | None" = None,
    user: str = "root",
    capture: bool = False,
) -> "subprocess.CompletedProcess[str]":
    """Run in the root, in namespaces of its own: when it ends, so do its children and mounts."""
    wrapped = ["unshare", "--mount", "--pid", "--fork", "--kill-child", f"--mount-proc={root / 'proc'}"]
    wrapped += ["chroot", f"--userspec={user}", str(root), *command]
    return subprocess.run(  # noqa: S603
        wrapped,
        env=env or {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
        stdout=subprocess.PIPE if capture else sys.stderr,
        stdin=subprocess.DEVNULL,
        text=True,
        check=not capture,
        timeout=TIME_LIMIT_SECONDS,
    )


def network(root: Path) -> "dict[str, str]":
    """The variables that say how the network is reached; the files they and pip and npm need are copied in."""
    env = {name: value for name, value in os.environ.items() if NETWORK.match(name)}
    files = {Path(value) for name, value in env.items() if value.startswith("/")}
    files |= {Path(p) for p in ("/etc/resolv.conf", "/etc/hosts", "/etc/pip.conf", "/etc/npmrc")}
    files.add(Path("/etc/ssl/certs/ca-certificates.crt"))
    for file in files:
        if file.is_file():
            target = root / str(file)[1:]
            target.parent.mkdir(parents=True, exist_ok=True)
            target.unlink(missing_ok=True)
            shutil.copy(file, target)
            target.chmod(0o644)
    npmrc = Path(os.path.expanduser("~/.npmrc"))
    if npmrc.is_file() and not any(name.lower() == "npm_config_userconfig" for name in env):
        shutil.copy(npmrc, root / "etc/npmrc-of-the-host")
        (root / "etc/npmrc-of-the-host").chmod(0o644)
        env["npm_config_userconfig"] = "/etc/npmrc-of-the-host"
    return env


def refuse(why: str) -> int:
    say(f"could not be run: {why}.")
    return 1


def say(words: str) -> None:
    sys.stderr.write(f"fresh: {words}\n")


if __name__ == "__main__":
    sys.exit(main())
