import os
import signal
import subprocess
import sys
from contextlib import closing

import psycopg
import pytest
from django.conf import settings
from django.db import connection

from postroom.actions.campaign_start import campaign_start
from postroom.actions.job import enqueue
from postroom.daemons.worker.tasks import TRIES
from postroom.models.campaign import Campaign
from postroom.models.delivery import CampaignFigures, Delivery
from postroom.models.workspace import AuditLine
from postroom.testing.cast import make_account, make_campaign, make_cast, make_list
from tests.host import tools


@pytest.fixture
def work(child_env):
    """Start a worker as a process of its own; all are ended afterwards."""
    started = []
    env = {
        **child_env,
        "PYTHONPATH": str(tools.SOURCE),
        "POSTROOM_JOB_STALLED_SECONDS": "2",
        "POSTROOM_JOB_SWEEP_SECONDS": "0.5",
    }

    def start():
        started.append(subprocess.Popen([sys.executable, "-m", "postroom.cli.main", "worker"], env=env))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait(10)


def states():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT status::text, attempts FROM procrastinate_jobs WHERE task_name = 'house.clean'"
        )
        return cursor.fetchall()


def test_a_job_is_run_and_forgotten(work):
    enqueue("house.clean", timestamp=0)
    assert [state for state, _ in states()] == ["todo"]
    worker = work()
    assert tools.until(lambda: states() == [], 60)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(30) == 0


def test_the_job_of_a_killed_worker_runs_again(work):
    made = connection.settings_dict
    url = psycopg.conninfo.make_conninfo(settings.POSTROOM_DATABASE_URL, dbname=made["NAME"])
    with closing(psycopg.connect(url)) as blocker:
        blocker.execute("LOCK TABLE django_session")  # what the job wants to clear
        enqueue("house.clean", timestamp=0)
        first = work()
        assert tools.until(lambda: [state for state, _ in states()] == ["doing"], 60)
        os.kill(first.pid, signal.SIGKILL)
        first.wait(10)
        blocker.rollback()
    assert [state for state, _ in states()] == ["doing"]
    work()
    assert tools.until(lambda: states() == [], 60)


def test_a_job_that_nobody_knows_does_not_stop_the_others(work):
    enqueue("no.such.job", timestamp=0)
    enqueue("house.clean", timestamp=0)
    worker = work()
    assert tools.until(lambda: states() == [], 60)
    assert worker.poll() is None


@pytest.fixture
def freezing():
    """A campaign whose start was pressed."""
    cast = make_cast()
    account = make_account(cast.alice, port=25)
    campaign = make_campaign(cast.alice, account, make_list(cast.alice, ["a@example.net"]))
    return campaign_start(viewer=cast.alice, campaign_id=campaign.id, undo_s=0)


def draft_again(campaign):
    campaign.refresh_from_db()
    return campaign.state == "draft"


def test_a_campaign_that_cannot_be_prepared_is_a_draft_again_and_says_why(work, freezing):
    Campaign.objects.filter(id=freezing.id).update(html="{{ no_such_field }}")
    work()
    assert tools.until(lambda: draft_again(freezing), 60)
    assert "no_such_field" in freezing.reason
    assert freezing.start_at is None
    assert not Delivery.objects.exists()


def test_a_fault_in_preparing_is_tried_again_and_then_told(work, freezing):
    CampaignFigures.objects.create(campaign=freezing, lane=0)  # in the way of those that are to be made
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET attempts = %s", [TRIES])
    work()
    assert tools.until(lambda: draft_again(freezing), 60)
    assert "fault of Postroom itself (IntegrityError)" in freezing.reason
    assert (
        AuditLine.objects.get(noun_id=freezing.id, verb="back to draft").details["fault"] == "IntegrityError"
    )
