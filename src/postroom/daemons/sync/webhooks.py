"""Makes the calls of webhooks: each webhook has one thread at a time, so that a slow receiver holds up nobody else."""

import json
import logging
import threading
import time

from django.db import connections

from postroom.actions.webhook_call import (
    WebhookOrder,
    webhook_call_end,
    webhook_calls_claim,
    webhook_calls_release,
)
from postroom.daemons.bridge import AWAY
from postroom.errors import PostroomError
from postroom.mail.webhook import HEADER, signature
from postroom.wire.http import http_post

log = logging.getLogger("postroom.sync")

#: Webhooks called at a time in this process, and the time a receiver has to answer.
MOST = 4
ANSWER_SECONDS = 10.0


class Webhooks:
    """The calls that this process makes."""

    def __init__(self) -> None:
        self._running: dict[int, threading.Thread] = {}
        self._stop = threading.Event()

    def look(self) -> None:
        """Begin what is due; call at least twice a second."""
        self._running = {number: one for number, one in self._running.items() if one.is_alive()}
        claimed = webhook_calls_claim(most=MOST - len(self._running), busy=list(self._running))
        for number, orders in claimed.items():
            one = threading.Thread(
                target=_call_all, args=(orders, self._stop), name=f"webhook-{number}", daemon=True
            )
            one.start()
            self._running[number] = one

    def stop(self) -> None:
        """No further call begins; what was taken and not called is free again."""
        self._stop.set()


def _call_all(orders: list[WebhookOrder], stop: threading.Event) -> None:
    left = list(orders)
    try:
        go_on = True
        while left and go_on and not stop.is_set():
            code, words = _call(left[0])
            go_on = webhook_call_end(order=left[0], code=code, words=words)
            del left[0]
        if left:
            webhook_calls_release(left)
    except AWAY as error:
        log.warning("webhook %s: the database is away: %s", orders[0].webhook_id, error)
    except Exception:
        log.exception("webhook %s", orders[0].webhook_id)
    finally:
        connections.close_all()


def _call(order: WebhookOrder) -> tuple[int, str]:
    """(status, words); 0 when there was no answer."""
    body = json.dumps(order.body, ensure_ascii=False, separators=(",", ":")).encode()
    headers = {
        "Content-Type": "application/json",
        HEADER: signature(order.secrets, at=int(time.time()), body=body),
    }
    try:
        return http_post(
            order.url, body=body, headers=headers, allow_private=order.allow_private, timeout_s=ANSWER_SECONDS
        )
    except PostroomError as error:
        return 0, error.message
