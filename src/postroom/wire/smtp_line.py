"""One open SMTP connection that carries a dialogue: socket events in, bytes out, silence noticed."""

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from postroom.errors import ProtocolBroken
from postroom.mail.reply import Reply
from postroom.wire.server import Server
from postroom.wire.smtp_dialogue import Dialogue, Job
from postroom.wire.smtp_open import QUIT_S, Session, shut

#: A server that takes longer than this over a message is not given the next envelope before it has answered.
LOOK_AHEAD_S = 0.5
#: What the system may hold of a large body beyond what is on its way to the server.
UNSENT_BYTES = 65536
#: So many pieces of a large body are written before the loop may do something else.
CHUNKS_AT_ONCE = 8


class Line(asyncio.Protocol):
    """take gives the next job or None; on_free tells that there was none; on_closed, once, that this is over.

    on_closed gets the reply that ended it: 421, Reply(0, our words), or None when we closed it ourselves.
    pipelining: False keeps to one command at a time, whatever EHLO says.
    """

    def __init__(
        self,
        session: Session,
        server: Server,
        *,
        take: "Callable[[Line], Job | None]",
        on_free: "Callable[[Line], None]",
        on_closed: "Callable[[Line, Reply | None], None]",
        idle_close_s: float = 0.0,
        pipelining: bool = True,
    ) -> None:
        capabilities = session.capabilities
        if not pipelining:
            capabilities = replace(capabilities, pipelining=False)
        self.server = server
        self.dialogue = Dialogue(capabilities, self._next, limit=server.messages_per_connection)
        self.pipelining_broken = False
        self._take = take
        self._on_free = on_free
        self._on_closed = on_closed
        self._idle_close_s = idle_close_s
        self._loop = asyncio.get_running_loop()
        self._transport = session.transport
        self._parser = session.parser
        self._paused = self._resting = self._quitting = self._over = False
        self._last = self._handed_at = self._loop.time()
        self._transport.set_protocol(self)
        # the last chunk of a large body is handed over only when all others have left; with high=0 the TLS
        # transport would pause an empty buffer
        self._transport.set_write_buffer_limits(high=1, low=0)
        # left means left: the system holds back little of what the server does not take yet
        if sock := self._transport.get_extra_info("socket"):
            with suppress(OSError):  # the server has gone already
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)
        shortest = min(server.timeout_s, server.answer_timeout_s, idle_close_s or 60.0)
        self._watch_s = min(max(shortest / 4, 0.01), 1.0)
        self._timer = self._loop.call_later(self._watch_s, self._watch)
        if server.pause_s:
            self.dialogue.look_ahead = False

    def start(self) -> None:
        """Begin the next job if there is room for one."""
        dialogue = self.dialogue
        if self._over or self._quitting or self._resting or dialogue.opened:
            return
        if dialogue.sent is None or dialogue.look_ahead:
            self._last = self._loop.time()
            dialogue.begin()
            self._flush()
            if dialogue.closing and dialogue.idle:
                self.close()

    def close(self) -> None:
        """QUIT, and cut when that is not answered soon. What is in flight must have been settled."""
        if self._over or self._quitting:
            return
        self._quitting = self.dialogue.closing = True
        self._timer.cancel()
        if self.dialogue.cut or self._transport.is_closing():
            self._end(None)
            return
        self._transport.write(b"QUIT\r\n")
        self._timer = self._loop.call_later(QUIT_S, self._end, None)

    def abort(self, words: str, *, account_wide: bool = False) -> None:
        """Cut, and settle what is in flight as a lost connection does."""
        self._lost(Reply(0, words), account_wide=account_wide)

    # -- what asyncio tells

    def data_received(self, data: bytes) -> None:
        if self._quitting:
            self._end(None)
            return
        dialogue = self.dialogue
        now = self._last = self._loop.time()
        waiting = dialogue.sent
        self._resting = bool(self.server.pause_s)
        try:
            for reply in self._parser.feed(data):
                dialogue.receive(reply)
                if reply.code == 421:
                    self._end(reply)
                    return
        except ProtocolBroken as error:
            self._lost(Reply(0, error.message))
            return
        if waiting is not None and dialogue.sent is not waiting and not self.server.pause_s:
            dialogue.look_ahead = dialogue.pipelining and now - self._handed_at < LOOK_AHEAD_S
        self._flush()
        if dialogue.opened is None and dialogue.sent is None:
            self._idle()

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost(Reply(0, "The server closed the connection."))

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        self._last = self._loop.time()
        self._flush()

    # -- inside

    def _next(self) -> Job | None:
        return None if self._resting else self._take(self)

    def _idle(self) -> None:
        if self._over:
            return
        if self.dialogue.closing:
            self.close()
        elif self.server.pause_s:
            self._loop.call_later(self.server.pause_s, self._rested)
        else:
            self._on_free(self)

    def _rested(self) -> None:
        self._resting = False
        if not self._over and not self._quitting:
            self._on_free(self)

    def _flush(self) -> None:
        dialogue = self.dialogue
        chunks = 0
        while not self._over:
            if dialogue.out:
                data = b"".join(dialogue.out)
                dialogue.out.clear()
                self._transport.write(data)
                if self._transport.is_closing():
                    dialogue.not_handed(Reply(0, "The server closed the connection."))
                    self._lost(Reply(0, "The server closed the connection."))
                    return
                if dialogue.handed:
                    dialogue.handed = False
                    self._handed_at = self._last
            if dialogue.writing is None or self._paused:
                return
            if chunks == CHUNKS_AT_ONCE:
                # a fast reader never pauses us: let the other connections, and a refusal on this one, have their turn
                self._last = self._loop.time()
                self._loop.call_soon(self._flush)
                return
            chunks += 1
            dialogue.pump()

    def _watch(self) -> None:
        """Notice silence: once a second at most, so that messages need no timers of their own."""
        self._timer = self._loop.call_later(self._watch_s, self._watch)
        silent_s = self._loop.time() - self._last
        dialogue = self.dialogue
        if dialogue.idle:
            if self._idle_close_s and silent_s > self._idle_close_s and not self._resting:
                self.close()
            return
        allowed_s = self.server.answer_timeout_s if dialogue.sent else self.server.timeout_s
        if silent_s > allowed_s:
            self.pipelining_broken = dialogue.stalled_inside
            self.abort(f"The server did not answer within {allowed_s:g} seconds.", account_wide=True)

    def _lost(self, reply: Reply, *, account_wide: bool = False) -> None:
        if not self._over:
            self.dialogue.lost(reply, account_wide=account_wide or not self.dialogue.answered)
            self._end(None if self._quitting else reply)

    def _end(self, reply: Reply | None) -> None:
        if self._over:
            return
        self._over = True
        self._timer.cancel()
        if self._quitting:
            shut(self._transport)
        else:
            self._transport.abort()
        self._on_closed(self, reply)
