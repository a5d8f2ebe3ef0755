"""The exceptions of Postroom.

PostroomError
+-- InputError            what a person gave cannot be used (422; `field` names it)
|   +-- BadAddress        not an e-mail address
|   `-- BadTemplate       a template that cannot be compiled or rendered
|       `-- MissingValue  a field without value and without fallback (`field` names it)
+-- NotAllowed            the viewer has no right (403)
+-- NotFound              not there, or not visible to the viewer (404)
+-- Conflict              the state of the thing forbids it (409; `code` in capitals)
+-- TooMany               asked for too often (429)
+-- WireError             a conversation with another host went wrong
|   +-- HostRefused       the guard does not let us connect there
|   +-- NameNotFound      DNS knows no such host
|   +-- HostUnreachable   no connection
|   +-- TlsFailed         encryption could not be agreed, or the certificate is wrong
|   +-- ProxyFailed       the proxy in between does not take us there
|   +-- LoginRefused      user or password not accepted
|   +-- ProtocolBroken    the peer speaks something else
|   `-- WireTimeout       the peer went silent
`-- HostError             something on this machine is not as it must be (data folder, key file, database)
"""

from typing import Any


class PostroomError(Exception):
    """Something went wrong. The message says what, to what, and what to do next."""

    code = "ERROR"

    def __init__(
        self,
        message: str = "",
        *,
        code: str = "",
        field: str = "",
        details: dict[str, object] | None = None,
    ) -> None:
        super().__init__(message or (self.__doc__ or "").strip())
        self.message = message or (self.__doc__ or "").strip()
        if code:
            self.code = code
        self.field = field
        self.details = details or {}


class InputError(PostroomError):
    """That value cannot be used."""

    code = "BAD_VALUE"


class BadAddress(InputError):
    """That is not an e-mail address."""

    code = "BAD_ADDRESS"


class BadTemplate(InputError):
    """The template cannot be used."""

    code = "BAD_TEMPLATE"


class MissingValue(BadTemplate):
    """A field of the template has no value for this recipient and no fallback."""

    code = "MISSING_VALUE"


class NotAllowed(PostroomError):
    """You have no right to do this. Ask the owner of the workspace."""

    code = "NO_RIGHT"


class NotFound(PostroomError):
    """There is no such thing here."""

    code = "NOT_FOUND"


class Conflict(PostroomError):
    """This cannot be done in the present state."""

    code = "CONFLICT"


class TooMany(PostroomError):
    """That was asked for too often. Wait a minute."""

    code = "TOO_MANY"


class WireError(PostroomError):
    """The conversation with the other server failed."""

    code = "WIRE"
    #: Where in the dialogue (a mail.reply.Stage), "" when that does not apply.
    stage: str = ""
    #: The other side's reply (a mail.reply.Reply), secrets masked, None when it gave none.
    reply: Any = None


class HostRefused(WireError):
    """Connections to this address are not allowed here. The administrator can allow private networks."""

    code = "HOST_REFUSED"


class NameNotFound(WireError):
    """No server of this name is known. Check the spelling."""

    code = "NAME_NOT_FOUND"


class HostUnreachable(WireError):
    """The server does not answer at this port. Check host and port."""

    code = "UNREACHABLE"


class TlsFailed(WireError):
    """Encryption could not be agreed."""

    code = "TLS"


class ProxyFailed(WireError):
    """The proxy did not connect us to the server."""

    code = "PROXY"


class LoginRefused(WireError):
    """The server refused the user name or the password."""

    code = "LOGIN_REFUSED"


class ProtocolBroken(WireError):
    """The other side does not speak the expected protocol. Check port and encryption."""

    code = "PROTOCOL"


class WireTimeout(WireError):
    """The server went silent."""

    code = "TIMEOUT"


class HostError(PostroomError):
    """Something on this machine is not as it must be."""

    code = "HOST"
