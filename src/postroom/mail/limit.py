"""What an account may send: sliding windows of tokens, and pauses (DESIGN 4.8)."""

from dataclasses import dataclass

#: A sliding window is kept as so many slices.
SLICES = 60


@dataclass(frozen=True, slots=True)
class Limits:
    """What one account may send. Windows are (seconds, tokens); the workspace's hold over all its accounts.

    pause: (messages, seconds): after so many the account rests; (0, 0) = never.
    """

    windows: tuple[tuple[int, int], ...] = ()
    workspace_id: int = 0
    workspace_windows: tuple[tuple[int, int], ...] = ()
    pause: tuple[int, int] = (0, 0)

    def __bool__(self) -> bool:
        return bool(self.windows or self.workspace_windows or all(self.pause))


def windows_of(
    per_minute: int, per_hour: int, per_day: int, per_span: int = 0, span_minutes: int = 0
) -> tuple[tuple[int, int], ...]:
    """(seconds, tokens) of each limit that is set."""
    named = {60: per_minute, 3600: per_hour, 86400: per_day}
    if per_span and span_minutes:
        same = named.get(span_minutes * 60, 0)
        named[span_minutes * 60] = min(per_span, same) if same else per_span
    return tuple((seconds, tokens) for seconds, tokens in sorted(named.items()) if tokens)
