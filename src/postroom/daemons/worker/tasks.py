"""What the worker daemon can do: each task calls one action.

The names here are those that `actions.job.enqueue` is given. A killed worker's job runs again, so every action called
from here may run twice.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from django.core.management import call_command
from procrastinate import JobContext, RetryStrategy
from procrastinate.contrib.django import app

from postroom.actions.campaign_start import campaign_freeze
from postroom.actions.event import events_process, events_waiting
from postroom.actions.fault import freeze_failed
from postroom.actions.import_check import import_check
from postroom.actions.import_run import import_run
from postroom.actions.import_undo import import_undo
from postroom.actions.log import log_forget
from postroom.actions.mailbox_change import changes_tidy
from postroom.actions.search_index import search_index
from postroom.actions.suppression_import import suppression_import_run
from postroom.actions.webhook_call import webhook_calls_forget
from postroom.daemons.worker.exclusions import exclusion_read
from postroom.daemons.worker.signals import signal_tell
from postroom.errors import PostroomError

F = TypeVar("F", bound=Callable[..., Any])


#: A job that raises is run again so many times.
TRIES = 5


def task(name: str, *, with_context: bool = False) -> Callable[[F], F]:
    """Register a function as the task `name`. One that raises is run again after 4, 16, 64 ... s, TRIES times."""

    def register(function: F) -> F:
        retry = RetryStrategy(max_attempts=TRIES, exponential_wait=4)
        app.task(name=name, retry=retry, pass_context=with_context)(function)
        return function

    return register


@task("campaign_freeze", with_context=True)
def freeze_campaign(context: JobContext, campaign_id: int) -> None:
    """Recipients and values are fixed. What cannot be, ever, is a draft again."""
    try:
        campaign_freeze(campaign_id=campaign_id)
    except PostroomError as error:  # it would be the same every time
        freeze_failed(campaign_id=campaign_id, reason=error.message)
    except Exception as error:
        if context.job.attempts >= TRIES:
            freeze_failed(campaign_id=campaign_id, kind=type(error).__name__)
        raise


@task("import_check")
def check_import(import_id: int) -> None:
    """Every row of the file is read and counted."""
    import_check(import_id=import_id)


@task("import_run")
def run_import(import_id: int) -> None:
    """The checked rows are taken over."""
    import_run(import_id=import_id)


@task("import_undo")
def undo_import(import_id: int) -> None:
    """The import is taken back."""
    import_undo(import_id=import_id)


@task("suppression_import")
def import_suppressions(import_id: int) -> None:
    """A long file of entries is stored."""
    suppression_import_run(import_id=import_id)


@task("signal_send")
def send_signal(signal_id: int) -> None:
    """People are told of a signal through their other channels."""
    signal_tell(signal_id)


@task("exclusion_read")
def read_exclusion(exclusion_id: int) -> None:
    """A set is read again from where it lies."""
    exclusion_read(exclusion_id)


def house_clean(timestamp: int) -> None:
    """Sessions that ended, old calls of webhooks, lines of the log and changes of mailboxes are forgotten."""
    call_command("clearsessions")
    changes_tidy()
    webhook_calls_forget()
    log_forget()


def events_sweep(timestamp: int) -> None:
    """What was stored and not looked at, because a process ended in between."""
    events_process(events_waiting())


def search_sweep(timestamp: int) -> None:
    """What is new or changed is found by the index."""
    search_index()


app.periodic(cron="* * * * *")(app.task(name="events.sweep")(events_sweep))
app.periodic(cron="* * * * *")(app.task(name="search.sweep")(search_sweep))
app.periodic(cron="17 3 * * *")(app.task(name="house.clean")(house_clean))
