"""Settings > Sending: the arithmetic of slots, the limits of the firm and of its accounts."""

import pytest

from postroom.actions.limit import lot_take
from postroom.models.campaign import Campaign
from postroom.models.workspace import Instance, Workspace
from postroom.queries.limit import limits_of
from postroom.testing.cast import make_account, make_campaign, make_cast, make_list
from tests.daemons.test_delivery import send

pytestmark = pytest.mark.django_db


@pytest.mark.req("PI-07")
def test_the_number_of_campaigns_follows_the_memory_and_is_shown_with_the_arithmetic(client, settings):
    settings.POSTROOM_MEMORY_MB, settings.POSTROOM_MEMORY_RESERVE_MB = 700, 256
    settings.POSTROOM_RUN_MEMORY_MB = 200
    cast = make_cast()
    client.force_login(cast.alice.user)
    page = client.get("/settings/sending/").content.decode()
    assert "2 campaigns may be sent at the same time" in page
    assert "700 MB free, of which 256 MB stay free; 200 MB for each campaign. That allows 2." in page
    account = make_account(cast.alice, port=2525)
    campaigns = []
    for prefix in "abc":
        people = make_list(cast.alice, [f"{prefix}@example.net"], name=prefix)
        campaigns.append(make_campaign(cast.alice, account, people, name=f"Run {prefix}"))
        send(campaigns[-1], cast.alice, settings)
    states = [Campaign.objects.get(id=one.id).state for one in campaigns]
    assert states == ["running", "running", "waiting_for_slot"]
    page = client.get("/settings/sending/").content.decode()
    assert "Run c" in page
    assert "In the line" in page


def test_the_administrator_raises_the_number_and_the_waiting_campaign_begins(client, settings):
    cast = make_cast()
    Instance.objects.filter(id=1).update(parallel_runs=1)
    account = make_account(cast.alice, port=2525)
    campaigns = []
    for prefix in "ab":
        people = make_list(cast.alice, [f"{prefix}@example.net"], name=prefix)
        campaigns.append(make_campaign(cast.alice, account, people))
        send(campaigns[-1], cast.alice, settings)
    client.force_login(cast.bob.user)
    assert client.post("/settings/sending/slots/", {"parallel_runs": 2}).status_code == 403
    client.force_login(cast.charlie.user)
    assert client.post("/settings/sending/slots/", {"parallel_runs": 2}).status_code == 403
    client.force_login(cast.alice.user)
    assert client.post("/settings/sending/slots/", {"parallel_runs": -1}).status_code == 422
    assert client.post("/settings/sending/slots/", {"parallel_runs": 2}).status_code == 302
    assert Campaign.objects.get(id=campaigns[1].id).state == "running"


def test_the_limits_of_the_firm_are_saved_by_who_may_and_hold_for_every_account(client):
    cast = make_cast()
    values = {"per_minute": 10, "per_hour": 100, "parallel_runs_each": 1}
    client.force_login(cast.bob.user)
    assert client.post("/settings/sending/", values).status_code == 403
    client.force_login(cast.alice.user)
    assert client.post("/settings/sending/", {**values, "per_hour": "x"}).status_code == 422
    assert client.post("/settings/sending/", values).status_code == 302
    firm = Workspace.objects.get(id=cast.alice.workspace.id)
    assert (firm.per_minute, firm.per_hour, firm.parallel_runs_each) == (10, 100, 1)
    account = make_account(cast.alice, port=1, per_day=50)
    account.workspace.refresh_from_db()
    lot_take(account_id=account.id, limits=limits_of(account), wanted=1)
    page = client.get("/settings/sending/").content.decode()
    assert "1 of 50 a day" in page
    assert "1 of 10 a minute, of the whole firm" in page
