"""What is said of a connection that failed."""

from postroom.errors import WireError


def words_of(error: WireError) -> str:
    """Our words and the server's."""
    said = error.reply.text if error.reply else ""
    return f"{error.message} {said}".strip()
