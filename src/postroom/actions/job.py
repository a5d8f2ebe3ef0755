"""Handing work to the worker daemon: by name, with ids only, in the caller's transaction."""

from procrastinate.contrib.django import app


def enqueue(name: str, **ids: int) -> None:
    """Defer the task `name` (daemons/worker/tasks.py). It is seen by a worker after the transaction commits."""
    app.configure_task(name, allow_unknown=True).defer(**ids)
