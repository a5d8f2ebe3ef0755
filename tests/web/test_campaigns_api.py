"""Campaigns through the API: write, start, take back, pause, go on, cancel, decide; and who may."""

import pytest

from postroom.actions.campaign_start import campaign_freeze
from postroom.models.campaign import Campaign
from postroom.models.delivery import CampaignFigures, Delivery
from postroom.queries.campaign import figures_of
from postroom.testing.cast import make_account, make_campaign, make_list

pytestmark = pytest.mark.django_db

JSON = "application/json"
#: Nothing listens there; no message leaves in these tests.
PORT = 9


@pytest.fixture
def account(cast):
    return make_account(cast.alice, port=PORT)


@pytest.fixture
def people(cast):
    return make_list(cast.alice, [f"p{n}@example.net" for n in range(60)])


@pytest.fixture
def draft(cast, account, people):
    return make_campaign(cast.alice, account, people)


@pytest.fixture
def api(as_user, alice):
    return as_user(alice)


def post(client, path, **body):
    return client.post(f"/api/v1{path}", body, content_type=JSON)


def put(client, path, **body):
    return client.put(f"/api/v1{path}", body, content_type=JSON)


def get(client, path):
    answer = client.get(f"/api/v1{path}")
    assert answer.status_code == 200, answer.content
    return answer.json()


def refused(answer, status):
    assert answer.status_code == status, answer.content
    body = answer.json()
    assert body["message"]
    return body["code"]


def doubt(campaign, count=2):
    """A frozen campaign whose first rows are uncertain."""
    rows = list(Delivery.objects.filter(campaign=campaign).order_by("position")[:count])
    for row in rows:
        row.state = row.trouble = "uncertain"
        row.save()
    CampaignFigures.objects.filter(campaign=campaign, lane=0).update(uncertain=count)
    return [row.id for row in rows]


def started(client, campaign):
    assert post(client, f"/campaigns/{campaign.id}/start").status_code == 200
    campaign_freeze(campaign_id=campaign.id)


def test_a_campaign_is_made_changed_and_read(api, account, people):
    made = post(api, "/campaigns", name="Autumn", subject="Hello", account=account.id, lists=[people.id])
    assert made.status_code == 201
    campaign = made.json()
    assert (campaign["state"], campaign["version"]) == ("draft", 2)
    changed = put(api, f"/campaigns/{campaign['id']}", version=2, html="Dear {{ name }}", receipt_read=True)
    assert changed.status_code == 200
    read = get(api, f"/campaigns/{campaign['id']}")
    assert (read["subject"], read["html"], read["receipt_read"]) == ("Hello", "Dear {{ name }}", True)
    assert (read["lists"], read["account"]["id"], read["version"]) == ([people.id], account.id, 3)
    assert [item["id"] for item in get(api, "/campaigns")["items"]] == [campaign["id"]]
    assert get(api, "/campaigns?state=running")["items"] == []


def test_a_stale_change_is_refused_and_both_texts_are_handed_back(api, draft):
    assert put(api, f"/campaigns/{draft.id}", version=1, subject="theirs").status_code == 200
    answer = put(api, f"/campaigns/{draft.id}", version=1, subject="mine")
    assert refused(answer, 409) == "STALE_VERSION"
    details = answer.json()["details"]
    assert (details["theirs"]["subject"], details["yours"]["subject"]) == ("theirs", "mine")
    assert Campaign.objects.get(id=draft.id).subject == "theirs"


@pytest.mark.parametrize(
    ("body", "field"),
    [({"name": "x" * 121}, "name"), ({"on_missing": "perhaps"}, "on_missing"), ({"subject": 7}, "subject")],
)
def test_wrong_values_are_refused_by_field(api, draft, body, field):
    answer = put(api, f"/campaigns/{draft.id}", version=1, **body)
    assert refused(answer, 422) == "BAD_VALUE"
    assert answer.json()["field"] == field


def test_what_another_firm_owns_cannot_be_chosen(api, cast, draft):
    foreign = make_account(cast.charlie, port=PORT)
    theirs = make_list(cast.charlie, ["x@example.net"])
    assert put(api, f"/campaigns/{draft.id}", version=1, account=foreign.id).status_code == 404
    assert put(api, f"/campaigns/{draft.id}", version=1, lists=[theirs.id]).status_code == 404
    assert post(api, "/campaigns", name="x", account=foreign.id).status_code == 404


def test_start_take_back_pause_go_on_and_cancel(api, draft):
    path = f"/campaigns/{draft.id}"
    assert refused(post(api, f"{path}/pause"), 409) == "NOT_RUNNING"
    started(api, draft)
    read = get(api, path)
    assert (read["state"], read["figures"]["total"], read["figures"]["queued"]) == ("running", 60, 60)
    assert refused(put(api, path, version=read["version"], subject="late"), 409) == "RUN_ACTIVE"
    assert post(api, f"{path}/unstart").json()["state"] == "draft"
    assert not Delivery.objects.filter(campaign=draft).exists()
    started(api, draft)
    assert post(api, f"{path}/pause").json()["state"] == "paused"
    assert post(api, f"{path}/resume").json()["state"] == "running"
    assert refused(post(api, f"{path}/resume"), 409) == "NOT_PAUSED"
    assert post(api, f"{path}/cancel").json()["state"] == "cancelled"
    assert refused(post(api, f"{path}/cancel"), 409) == "NOT_RUNNING"


def test_a_draft_that_cannot_go_says_why(api, cast, account, people):
    path = f"/campaigns/{make_campaign(cast.alice, account).id}"
    assert refused(post(api, f"{path}/start"), 409) == "NO_RECIPIENTS"
    path = f"/campaigns/{make_campaign(cast.alice, account, people, html='').id}"
    assert refused(post(api, f"{path}/start"), 422)
    path = f"/campaigns/{make_campaign(cast.alice, account, people, html='{{ nonsense }}').id}"
    assert post(api, f"{path}/start").status_code == 422


def test_recipients_are_read_page_by_page_and_one_by_one(api, draft):
    started(api, draft)
    first = get(api, f"/campaigns/{draft.id}/deliveries")
    assert (len(first["items"]), first["next"]) == (50, "50")
    rest = get(api, f"/campaigns/{draft.id}/deliveries?at={first['next']}")
    assert ([row["position"] for row in rest["items"]], rest["next"]) == (list(range(51, 61)), None)
    assert get(api, f"/campaigns/{draft.id}/deliveries?show=failed")["items"] == []
    assert len(get(api, f"/campaigns/{draft.id}/deliveries?q=p59@")["items"]) == 1
    assert api.get(f"/api/v1/campaigns/{draft.id}/deliveries?show=nonsense").status_code == 404
    one = get(api, f"/deliveries/{first['items'][0]['id']}")
    assert (one["campaign"], one["address"], one["state"], one["timeline"]) == (
        draft.id,
        "p0@example.net",
        "queued",
        [],
    )


def test_doubt_is_settled_by_a_person(api, draft):
    started(api, draft)
    first, second = doubt(draft)
    assert refused(post(api, f"/campaigns/{draft.id}/decide", decision="perhaps"), 422)
    answer = post(api, f"/campaigns/{draft.id}/decide", decision="accepted", deliveries=[first])
    assert answer.json() == {"decided": 1}
    assert post(api, f"/campaigns/{draft.id}/decide", decision="again").json() == {"decided": 1}
    assert Delivery.objects.get(id=first).state == "accepted"
    assert Delivery.objects.get(id=second).state == "deferred"
    entry = get(api, f"/deliveries/{first}")["timeline"][0]
    assert (entry["what"], entry["by"], entry["decided"]) == ("uncertain", "Alice", "counted as accepted")
    figures = figures_of([Campaign.objects.get(id=draft.id)])[draft.id]
    assert (figures.uncertain, figures.accepted, figures.deferred) == (0, 1, 1)


def test_receipts_that_nobody_reads_need_force(api, draft):
    Campaign.objects.filter(id=draft.id).update(receipt_delivery=True)
    assert refused(post(api, f"/campaigns/{draft.id}/start"), 409) == "COLLECTOR_REQUIRED"
    assert Campaign.objects.get(id=draft.id).state == "draft"
    assert post(api, f"/campaigns/{draft.id}/start", force=True).json()["state"] == "freezing"


@pytest.mark.parametrize(("people_count", "warned"), [(50, False), (51, True)])
def test_asking_more_than_fifty_readers_is_warned_of(api, cast, account, people_count, warned):
    some = make_list(cast.alice, [f"r{n}@example.net" for n in range(people_count)])
    campaign = make_campaign(cast.alice, account, some, receipt_read=True)
    warnings = post(api, f"/campaigns/{campaign.id}/start", force=True).json()["warnings"]
    assert warnings == ([{"code": "READ_REQUESTS", "people": 51}] if warned else [])


ENDPOINTS = [
    ("get", "/campaigns/{c}"),
    ("put", "/campaigns/{c}"),
    ("post", "/campaigns/{c}/start"),
    ("post", "/campaigns/{c}/unstart"),
    ("post", "/campaigns/{c}/pause"),
    ("post", "/campaigns/{c}/resume"),
    ("post", "/campaigns/{c}/cancel"),
    ("post", "/campaigns/{c}/decide"),
    ("get", "/campaigns/{c}/deliveries"),
    ("get", "/deliveries/{d}"),
]


def test_another_firm_finds_none_of_it_and_changes_nothing(api, as_user, charlie, draft):
    started(api, draft)
    row = doubt(draft)[0]
    before = Campaign.objects.values().get(id=draft.id)
    stranger = as_user(charlie)
    for verb, path in ENDPOINTS:
        address = "/api/v1" + path.format(c=draft.id, d=row)
        body = {} if verb == "get" else {"version": 1, "decision": "again"}
        more = {} if verb == "get" else {"content_type": JSON}
        answer = getattr(stranger, verb)(address, body, **more)
        assert (path, answer.status_code) == (path, 404)
        assert "Autumn" not in answer.content.decode()
    assert Campaign.objects.values().get(id=draft.id) == before
    assert Delivery.objects.get(id=row).state == "uncertain"
    assert get(stranger, "/campaigns")["items"] == []


def test_who_is_not_signed_in_gets_401(client, draft):
    for verb, path in ENDPOINTS:
        address = "/api/v1" + path.format(c=draft.id, d=1)
        assert getattr(client, verb)(address).status_code == 401
    assert client.get("/api/v1/campaigns").status_code == 401
