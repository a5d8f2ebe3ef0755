"""The MIME parts around the bodies: boundaries, part headers, encoded attachments. RFC 2045, RFC 2046, RFC 2183."""

import base64
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from postroom.mail import header
from postroom.mail.body import BOUNDARY_MARK

_TYPE = re.compile(
    r"(?!message/|multipart/)[a-z0-9][a-z0-9!#$&^_.+-]*/[a-z0-9][a-z0-9!#$&^_.+-]*", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class AttachmentFile:
    """name: as shown to the recipient, any characters; content_type: "application/pdf"; data: the file."""

    name: str
    content_type: str
    data: bytes


class Frame:
    """What stands before, between and after the bodies of a message.

    attached: all attachments, encoded once, with the closing boundary; b"" without any. The same object for everybody.
    """

    def __init__(
        self, attachments: tuple[AttachmentFile, ...], bodies: tuple[str, ...], salt: Iterable[str]
    ) -> None:
        """bodies: their subtypes in order, ("plain", "html"). salt: anything of the message, to name the boundaries."""
        digest = hashlib.sha256("\0".join(sorted(salt)).encode() + repr(bodies).encode())
        for attachment in attachments:
            digest.update(attachment.name.encode("utf-8", "replace") + attachment.data[:4096])
        name = digest.hexdigest()[:24]
        self._mixed = f"{BOUNDARY_MARK}m{name}" if attachments else ""
        self._alternative = f"{BOUNDARY_MARK}a{name}" if len(bodies) > 1 else ""
        self._bodies = bodies
        self._around: dict[tuple[str, ...], tuple[bytes, list[bytes], bytes]] = {}
        self.attached = self._attach(attachments) if attachments else b""

    def around(self, encodings: tuple[str, ...]) -> tuple[bytes, list[bytes], bytes]:
        """For the bodies' transfer encodings: the last header lines and all before the first body, what stands
        between the bodies, what stands after the last (b"" when nothing)."""
        found = self._around.get(encodings)
        if found is None:
            found = self._around[encodings] = self._build(encodings)
        return found

    def _build(self, encodings: tuple[str, ...]) -> tuple[bytes, list[bytes], bytes]:
        # RFC 2045 section 6.4: a multipart that holds 8-bit parts says so itself.
        outer = "Content-Transfer-Encoding: 8bit\r\n" if "8bit" in encodings else ""
        opening = "MIME-Version: 1.0\r\n"
        for kind, boundary in (("mixed", self._mixed), ("alternative", self._alternative)):
            if boundary:
                opening += f'Content-Type: multipart/{kind};\r\n boundary="{boundary}"\r\n{outer}\r\n--{boundary}\r\n'
        heads = [
            f"Content-Type: text/{kind}; charset=utf-8\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
            for kind, encoding in zip(self._bodies, encodings, strict=True)
        ]
        between = [f"--{self._alternative}\r\n{head}".encode() for head in heads[1:]]
        closing = f"--{self._alternative}--\r\n" if self._alternative else ""
        return (opening + heads[0]).encode(), between, closing.encode()

    def _attach(self, attachments: tuple[AttachmentFile, ...]) -> bytes:
        parts = []
        for attachment in attachments:
            name = re.sub(r"[/\\]", "_", header.one_line(attachment.name)) or "attachment"
            # RFC 2046 section 5.2.1: message/rfc822 and multipart may not be encoded; as a file they may.
            kind = attachment.content_type.partition(";")[0].strip()
            kind = kind if _TYPE.fullmatch(kind) else "application/octet-stream"
            head = (
                f"--{self._mixed}\r\nContent-Type: {kind}\r\nContent-Transfer-Encoding: base64\r\n"
                + header.with_parameters("Content-Disposition", "attachment", [("filename", name)])
            )
            parts += [head.encode(), b"\r\n", base64.encodebytes(attachment.data).replace(b"\n", b"\r\n")]
        parts.append(f"--{self._mixed}--\r\n".encode())
        return b"".join(parts)
