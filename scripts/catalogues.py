"""Compile the message catalogues (.po -> .mo) with Babel; a bare machine has no msgfmt."""

import sys
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LOCALE = Path(__file__).resolve().parent.parent / "src/postroom/web/locale"


def main() -> None:
    for po in sorted(LOCALE.glob("*/LC_MESSAGES/*.po")):
        mo = po.with_suffix(".mo")
        if mo.exists() and mo.stat().st_mtime_ns >= po.stat().st_mtime_ns:
            continue
        with po.open("rb") as file:
            catalogue = read_po(file, locale=po.parts[-3])
        broken = [str(error) for message in catalogue for error in message.check(catalogue)]
        if broken:
            sys.exit(f"{po}: {broken[0]}")
        with mo.open("wb") as file:
            write_mo(file, catalogue)


if __name__ == "__main__":
    main()
