"""From the outcome of a try to what is recorded of the delivery. All rules are those of mail/."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta

from postroom.actions.doubt import DOUBT_TRIES
from postroom.actions.record import Result
from postroom.actions.shard import Row
from postroom.mail.bounce import BounceClass, classify_reply
from postroom.mail.reply import Outcome, OutcomeKind, Stage
from postroom.mail.retry import next_try

#: Too large, 8-bit text, or a character set that this server does not take (RFC 3463).
_UNFIT = ("5.3.4", "5.6.3", "5.6.7")


def is_unfit(row: Row, outcome: Outcome) -> bool:
    """A single message that this server will never take, as it is. Of a campaign's all would be: that stops it."""
    return row.message_id is not None and outcome.reply.status in _UNFIT


class Rules:
    """The settings that decide when a delivery is tried again. resend_doubt: the campaign's policy for doubt."""

    def __init__(
        self, *, schedule: Sequence[float], give_up_after: timedelta, resend_doubt: bool = False
    ) -> None:
        self.schedule = schedule
        self.give_up_after = give_up_after
        self.resend_doubt = resend_doubt

    def result(self, row: Row, outcome: Outcome, now: datetime) -> Result:
        """What to record. `was` is the state in which the row was loaded."""
        reply = outcome.reply
        result = Result(
            delivery_id=row.id,
            was=row.state,
            state=str(outcome.kind),
            at=now,
            code=reply.code,
            words=reply.text[:2000],
            stage=str(outcome.stage),
            dsn_requested=outcome.dsn_requested,
        )
        if outcome.kind is OutcomeKind.UNSENT:
            result.state, result.counted, result.retry_at = "back", False, now
        elif (
            outcome.kind is OutcomeKind.FAILED and outcome.stage is Stage.MAIL and not is_unfit(row, outcome)
        ):
            self._defer(result, row, now)  # it is about our sender, not about this recipient
        elif outcome.kind is OutcomeKind.FAILED:
            reason, bounce_class, permanent = classify_reply(reply.code, reply.status, reply.text)
            result.reason, result.bounce_class = reason, str(bounce_class)
            result.gone = permanent and bounce_class is BounceClass.ADDRESS_GONE
        elif outcome.kind is OutcomeKind.DEFERRED:
            self._defer(result, row, now)
        elif outcome.kind is OutcomeKind.UNCERTAIN:
            result.doubt = True
            if self.resend_doubt and row.attempts + 1 < DOUBT_TRIES:
                result.state, result.retry_at, result.reason = "deferred", now, "doubt"
        return result

    def _defer(self, result: Result, row: Row, now: datetime) -> None:
        result.state = "deferred"
        result.retry_at = next_try(
            row.attempts + 1,
            row.queued_at,
            now,
            schedule=self.schedule,
            give_up_after=self.give_up_after,
            jitter=random.random(),
        )
        if result.retry_at is None:
            result.state, result.reason, result.bounce_class = "failed", "expired", "infrastructure"
