"""The worker daemon: runs jobs, several at a time in threads, and takes up again what a killed worker left."""

import asyncio
import logging

from django.conf import settings
from procrastinate import App
from procrastinate.contrib.django import app as django_app
from procrastinate.exceptions import ConnectorException

from postroom.daemons.worker import tasks  # noqa: F401  (the import registers them)

log = logging.getLogger(__name__)

#: A stop waits so long for the jobs in hand; what is left is taken up by the next worker.
STOP_SECONDS = 15.0


def run() -> int:
    """Work until SIGTERM or SIGINT. A lost database ends it with code 1: the supervisor starts it anew."""
    worker = django_app.with_connector(django_app.connector.get_worker_connector())
    try:
        asyncio.run(_work(worker))
    except ConnectorException as error:
        log.warning("The database went away: %s", error)
        return 1
    return 0


async def _work(app: App) -> None:
    async with app.open_async():
        sweeper = asyncio.create_task(_sweep(app), name="sweeper")
        try:
            await app.run_worker_async(
                name="postroom",
                concurrency=settings.POSTROOM_WORKER_THREADS,
                fetch_job_polling_interval=settings.POSTROOM_POLL_SECONDS,
                shutdown_graceful_timeout=STOP_SECONDS,
                delete_jobs="successful",
                update_heartbeat_interval=settings.POSTROOM_JOB_STALLED_SECONDS / 3,
                stalled_worker_timeout=settings.POSTROOM_JOB_STALLED_SECONDS,
            )
        finally:
            sweeper.cancel()
            await asyncio.gather(sweeper, return_exceptions=True)


async def _sweep(app: App) -> None:
    """A job whose worker shows no sign of life any more is given back, every POSTROOM_JOB_SWEEP_SECONDS."""
    while True:
        try:
            await sweep(app)
        except ConnectorException as error:
            log.warning("Left jobs could not be looked for: %s", error)
        await asyncio.sleep(settings.POSTROOM_JOB_SWEEP_SECONDS)


async def sweep(app: App) -> int:
    """Give back the jobs of dead workers; how many."""
    manager = app.job_manager
    left = list(await manager.get_stalled_jobs(seconds_since_heartbeat=settings.POSTROOM_JOB_STALLED_SECONDS))
    for job in left:
        log.warning("Job %s (%s) was left by a worker that ended; it runs again.", job.id, job.task_name)
        await manager.retry_job(job)
    return len(left)
