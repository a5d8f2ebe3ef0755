"""Asking a running practice post office (or counting server): one word a line in, one JSON object a line out."""

import asyncio
import json
import socket
from collections.abc import Callable, Mapping
from typing import Any

_ANSWER_MOST = 256 << 20


async def control_serve(host: str, port: int, questions: Mapping[str, Callable[[], Any]]) -> asyncio.Server:
    """Answer each word of `questions` with what its function returns."""

    async def session(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                ask = questions.get(line.decode("utf-8", "replace").strip())
                answer = ask() if ask else {"error": f"Ask one of: {', '.join(questions)}."}
                writer.write(json.dumps(answer).encode() + b"\n")
                await writer.drain()
        except (ConnectionError, ValueError):
            pass
        finally:
            writer.close()

    return await asyncio.start_server(session, host, port)


def control_ask(at: tuple[str, int], question: str, *, timeout_s: float = 10) -> Any:
    """The answer. Raises OSError when nobody answers."""
    with socket.create_connection(at, timeout=timeout_s) as line:
        line.sendall(question.encode() + b"\n")
        with line.makefile("rb") as answers:
            return json.loads(answers.readline(_ANSWER_MOST) or b"{}")
