"""What the delivery daemon leaves for the log: its connections, its minutes, and each recipient among the newest."""

import pytest

from postroom.models.delivery import SendingMinute
from postroom.models.event import LogLine
from postroom.queries.log import log_page
from postroom.queries.log_line import LogFilter
from postroom.testing.cast import make_account, make_campaign, make_cast, make_list
from postroom.testing.counting import Manners, counting
from postroom.testing.run import running, until
from tests.daemons.test_delivery import QUICK, finished, send

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.req("CM-50")
def test_connections_minutes_and_recipients_are_in_the_log(child_env, settings, tmp_path):
    cast = make_cast()
    with counting(Manners(refuse=r"^gone", once=r"^later")) as (_desk, port):
        names = [f"ok{n}@example.net" for n in range(120)] + ["gone@example.net", "later@example.net"]
        account = make_account(cast.alice, port=port)
        campaign = make_campaign(cast.alice, account, make_list(cast.alice, names))
        send(campaign, cast.alice, settings)
        with running("delivery", env={**child_env, **QUICK}, log=tmp_path / "log"):
            until(finished(campaign))
    words = list(
        LogLine.objects.filter(account=account, stage="connection")
        .order_by("id")
        .values_list("words", flat=True)
    )
    assert words[0] == f"Connected to 127.0.0.1:{port}, no encryption."
    assert "messages accepted: " in words[-1]
    assert LogLine.objects.filter(stage="connection", duration_ms__isnull=False).exists()
    minutes = list(SendingMinute.objects.filter(account=account))
    assert sum(one.accepted for one in minutes) == 121
    assert sum(one.deferred for one in minutes) >= 1
    assert sum(one.failed for one in minutes) == 1
    shown, after = [], None
    for _ in range(10):
        page = log_page(cast.alice, LogFilter(), after=after)
        shown += page.lines
        after = page.next
        if after is None:
            break
    found = [line for line in shown if line.kind == "delivery"]
    assert sorted(line.address for line in found) == sorted(names), "each once"
    assert [line.address for line in shown if line.level == "error"] == ["gone@example.net"]
    (gone,) = log_page(cast.alice, LogFilter(find="gone@example.net")).lines
    assert gone.words == "550 5.1.1 User unknown"
