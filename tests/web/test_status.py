"""Settings > Mailer status: how each mailbox is read, the switches, what goes out a minute, and the log."""

import json
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from postroom.actions import collecting
from postroom.actions.figures import pace_add
from postroom.actions.log import Note, log_forget, log_note
from postroom.models.account import Account, Collector
from postroom.models.delivery import Delivery, SendingMinute, Shard
from postroom.models.event import LogLine
from postroom.models.message import Message
from postroom.models.profile import Profile, Right
from postroom.models.workspace import Workspace
from postroom.testing.cast import make_account, make_campaign, make_list

pytestmark = pytest.mark.django_db
LEASE = timedelta(seconds=30)
HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def account(cast):
    return make_account(
        cast.alice, port=2525, imap_host="imap.example", imap_login="sales", imap_password="correct horse"
    )


@pytest.fixture
def collector(account):
    return Collector.objects.create(account=account)


def claim():
    return collecting.collectors_claim(holder="one", lease=LEASE, most=10)[0]


def refuse(reading):
    collecting.collector_failed(
        reading=reading, code="LOGIN_REFUSED", words="The server refused the user name.", refused=True
    )


def page_of(web, path="/settings/status/"):
    answer = web.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def status_of(web, account):
    return web.get(f"/api/v1/status/{account.id}").json()["reading"]


# --- reading


def test_each_state_is_told_in_words(as_user, alice, account):
    web = as_user(alice)
    assert "Has no mailbox" in page_of(web)
    collector = Collector.objects.create(account=account, is_on=False)
    assert status_of(web, account)["state"] == "off"
    Collector.objects.update(is_on=True)
    assert status_of(web, account)["state"] == "idle"
    assert "On, not read yet" in page_of(web)
    reading = claim()
    collecting.collector_begun(collector_id=collector.id)
    collecting.collector_progress(collector_id=collector.id, taken=14, to_take=52)
    told = status_of(web, account)
    assert (told["state"], told["taken"], told["to_take"]) == ("syncing", 14, 52)
    assert "Reading, 14 of 52" in page_of(web)
    collecting.collector_done(reading=reading, new=52)
    told = status_of(web, account)
    assert (told["state"], told["last_new"], told["new_today"]) == ("ok", 52, 52)
    assert "Up to date, 52 new mails" in page_of(web)
    collecting.collector_failed(
        reading=reading, code="UNREACHABLE", words="The server does not answer at this port."
    )
    told = status_of(web, account)
    assert (told["state"], told["code"]) == ("error", "UNREACHABLE")
    assert told["since"] is not None
    assert told["next_at"] is not None
    assert "next try" in page_of(web)


def test_what_is_new_today_begins_anew_with_the_day(as_user, alice, account, collector):
    reading = claim()
    collecting.collector_done(reading=reading, new=3)
    collecting.collector_done(reading=reading, new=4)
    assert status_of(as_user(alice), account)["new_today"] == 7
    Collector.objects.update(day=timezone.localdate() - timedelta(days=1))
    assert status_of(as_user(alice), account)["new_today"] == 0
    collecting.collector_done(reading=reading, new=2)
    collector.refresh_from_db()
    assert collector.day_new == 2


def test_after_three_refusals_it_is_off_and_its_owner_has_been_told(as_user, alice, cast, account, collector):
    notices = make_account(cast.alice, port=2525, address="office@alderpike.example", name="Office")
    Workspace.objects.filter(id=account.workspace_id).update(notice_account=notices)
    other = make_account(
        cast.alice,
        port=2525,
        address="b@alderpike.example",
        name="Other",
        imap_host="imap.example",
        imap_login="b",
    )
    Collector.objects.create(account=other)
    reading = next(
        one
        for one in collecting.collectors_claim(holder="one", lease=LEASE, most=10)
        if one.account_id == account.id
    )
    web = as_user(alice)
    for tries in (1, 2):
        refuse(reading)
        told = status_of(web, account)
        assert (told["state"], told["is_on"]) == ("auth_failed", True), tries
    refuse(reading)
    told = status_of(web, account)
    assert (told["state"], told["is_on"], told["told"]) == ("auth_failed", False, str(alice))
    page = page_of(web)
    assert "Sales is not being read." in page
    assert "Off, password refused" in page
    assert f"{alice} has been told" in page
    (notice,) = Message.objects.filter(purpose="system")
    assert notice.to_address == alice.email
    assert "Sales is not read any more" in notice.subject
    assert status_of(web, other)["is_on"]


def test_an_error_of_the_network_between_does_not_begin_the_count_anew(account, collector):
    reading = claim()
    refuse(reading)
    refuse(reading)
    collecting.collector_failed(reading=reading, code="UNREACHABLE", words="No answer.")
    refuse(reading)
    collector.refresh_from_db()
    assert not collector.is_on


# --- the switch


@pytest.mark.req("CM-53")
def test_one_and_many_are_switched_and_it_is_recorded_who_did_it(as_user, alice, cast, account, collector):
    web = as_user(alice)
    second = make_account(
        cast.alice,
        port=2525,
        address="b@alderpike.example",
        name="B",
        imap_host="imap.example",
        imap_login="b",
    )
    Collector.objects.create(account=second)
    answer = web.post(f"/settings/status/{account.id}/switch/", {"on": "0"}, follow=True)
    assert "Its mailbox is not read any more." in answer.content.decode()
    collector.refresh_from_db()
    assert (collector.is_on, collector.switched_by) == (False, alice)
    assert collector.switched_at is not None
    assert collecting.collectors_claim(holder="one", lease=LEASE, most=10)[0].account_id == second.id
    assert f"{alice}" in page_of(web)
    web.post("/settings/status/switch/", {"account": [account.id, second.id], "on": "0"})
    assert not Collector.objects.filter(is_on=True).exists()
    found = web.put(
        "/api/v1/status/switch",
        {"accounts": [account.id, second.id, 987654], "on": True},
        content_type="application/json",
    ).json()
    assert [one["code"] for one in found] == ["", "", "NOT_FOUND"]
    assert Collector.objects.filter(is_on=True).count() == 2
    assert Account.objects.count() == 2, "off is not deleted"


@pytest.mark.req("CM-55")
def test_the_two_arrows_switch_it_on_and_it_is_being_read(as_user, alice, account, collector):
    web = as_user(alice)
    Collector.objects.update(is_on=False)
    page = page_of(web)
    button = page.split(f'id="now-{account.id}"')[1].split("</button>")[0]
    assert "Start" in button
    assert "icons.svg#refresh" in button
    answer = web.post(f"/settings/status/{account.id}/now/", {"on": "1"}, **HTMX)
    assert "Reading begins" in answer.content.decode()
    assert status_of(web, account)["state"] == "syncing"
    collecting.collector_done(reading=claim(), new=0)
    assert status_of(web, account)["state"] == "ok"
    # on: the same button reads at once, but not every second
    assert web.post(f"/settings/status/{account.id}/now/", **HTMX).status_code == 429
    Collector.objects.update(asked_at=timezone.now() - timedelta(seconds=6))
    assert web.post(f"/settings/status/{account.id}/now/", **HTMX).status_code == 200
    assert status_of(web, account)["state"] == "syncing"


def test_all_at_once_is_asked_for_at_most_every_half_minute(as_user, alice, account, collector):
    web = as_user(alice)
    assert web.post("/api/v1/status/now").json() == {"asked": 1}
    assert web.post("/api/v1/status/now").status_code == 429
    Collector.objects.update(asked_at=timezone.now() - timedelta(seconds=31))
    assert web.post("/api/v1/status/now").status_code == 202


def test_who_may_read_the_log_but_not_change_the_account_cannot_switch_it(as_user, bob, account, collector):
    Account.objects.update(visibility="workspace", everyone=["use", "view"])
    Profile.objects.update(rights=[str(Right.LOG_VIEW)])
    web = as_user(bob)
    assert "Sales" in page_of(web)
    assert f'id="switch-{account.id}"' not in page_of(web)
    assert web.post(f"/settings/status/{account.id}/switch/", {"on": "0"}).status_code == 403
    assert Collector.objects.get().is_on


# --- figures


def test_the_page_shows_what_goes_out_and_what_waits(as_user, alice, cast, account):
    campaign = make_campaign(cast.alice, account, make_list(cast.alice, ["one@box.example"]), state="running")
    sent(campaign, account, accepted=30, deferred=5, uncertain=2)
    Shard.objects.create(
        workspace=account.workspace,
        account=account,
        campaign=campaign,
        first=100,
        size=40,
        mark=3,
        ready_at=timezone.now(),
    )
    answer = as_user(alice).get("/api/v1/status").json()
    now = answer["now"]
    assert (now["waiting"], now["deferred"], now["uncertain"]) == (37, 5, 2)
    assert now["next_at"] is not None
    assert sum(point["accepted"] for point in answer["minutes"]) * 4 == 30
    page = page_of(as_user(alice))
    assert f'href="/campaigns/{campaign.id}/?show=uncertain"' in page
    assert 'role="img" aria-label="Messages a minute since' in page


def sent(campaign, account, **counts):
    """Deliveries as a shard leaves them behind, noted in their minute."""
    now = timezone.now()
    size = sum(counts.values())
    shard = Shard.objects.create(
        workspace=account.workspace,
        account=account,
        campaign=campaign,
        first=1,
        size=size,
        mark=size,
        is_done=True,
        ready_at=now,
    )
    words = {
        "accepted": (250, "2.0.0 Ok: queued as 4fKz0w1RtB"),
        "deferred": (452, "4.2.2 mailbox full"),
        "uncertain": (0, ""),
    }
    rows = []
    for state, count in counts.items():
        for _ in range(count):
            number = len(rows) + 1
            code, said = words[state]
            rows.append(
                Delivery(
                    workspace=account.workspace,
                    campaign=campaign,
                    position=number,
                    address=f"p{number}@box.example",
                    canonical=f"p{number}@box.example",
                    state=state,
                    trouble=None if state == "accepted" else state,
                    state_at=now - timedelta(milliseconds=number),
                    retry_at=now + timedelta(minutes=5) if state == "deferred" else None,
                    code=code,
                    words=said,
                )
            )
    Delivery.objects.bulk_create(rows)
    pace_add(campaign_id=campaign.id, account_id=account.id, shard_id=shard.id, worker="w", decided=counts)
    return rows


# --- the log


def lines(web, **query):
    return web.get("/api/v1/log", query).json()["items"]


@pytest.mark.req("CM-50", "CM-51")
def test_one_delivery_is_found_by_its_recipient_its_message_id_and_its_queue_id(
    as_user, alice, cast, account
):
    campaign = make_campaign(cast.alice, account, make_list(cast.alice, ["one@box.example"]), state="running")
    rows = sent(campaign, account, accepted=20, deferred=3)
    Delivery.objects.filter(id=rows[7].id).update(words="2.0.0 Ok: queued as 9XyZ0w1RtB")
    log_note(
        Note(
            account.workspace_id,
            account.id,
            "out",
            "connection",
            "Connected to mx:25, TLSv1.3.",
            duration_ms=12,
        )
    )
    web = as_user(alice)
    (found,) = lines(web, q="P8@box.example")
    assert found["id"] == f"delivery-{rows[7].id}"
    assert (found["queue_id"], found["stage"], found["account"]) == (
        "9XyZ0w1RtB",
        "accepted",
        account.address,
    )
    assert found["words"] == "250 2.0.0 Ok: queued as 9XyZ0w1RtB"
    assert found["message_id"].endswith("@alderpike.example")
    for query in (found["message_id"], f"<{found['message_id']}>", "9XyZ0w1RtB"):
        assert [one["id"] for one in lines(web, q=query)] == [found["id"]], query
    assert lines(web, q="nobody@box.example") == []
    everything = lines(web)
    assert len(everything) == 24
    assert sorted((one["time"] for one in everything), reverse=True) == [one["time"] for one in everything]
    connection = next(one for one in everything if one["stage"] == "connection")
    assert (connection["duration_ms"], connection["direction"], connection["level"]) == (12, "out", "info")
    assert {one["stage"] for one in lines(web, trouble=True)} == {"deferred"}
    page = page_of(web, "/settings/status/log/?q=p8@box.example")
    assert "queued as 9XyZ0w1RtB" in page
    assert "250 2.0.0 Ok: queued as 4fKz0w1RtB" in page_of(web), "the newest lines stand on the page"


def test_pages_of_the_log_hold_each_line_once(as_user, alice, cast, account, monkeypatch):
    campaign = make_campaign(cast.alice, account, make_list(cast.alice, ["one@box.example"]), state="running")
    sent(campaign, account, accepted=150, deferred=3)
    for number in range(120):
        log_note(
            Note(
                account.workspace_id,
                account.id,
                "in",
                "collect",
                f"Line {number}",
                at=timezone.now() - timedelta(seconds=number % 7),
            )
        )
    web, seen, at = as_user(alice), [], ""
    for _ in range(10):
        answer = web.get("/api/v1/log", {"at": at}).json()
        seen += [one["id"] for one in answer["items"]]
        at = answer["next"]
        if at is None:
            break
    assert at is None
    assert len(seen) == len(set(seen)) == 273


def test_a_page_goes_on_over_shards_of_many_minutes(as_user, alice, cast, account, monkeypatch):
    """More shards than are looked into at once, and rows decided just before the minute that notes them."""
    from postroom.queries import log_sent

    monkeypatch.setattr(log_sent, "SHARDS", 2)
    campaign = make_campaign(cast.alice, account, make_list(cast.alice, ["one@box.example"]), state="running")
    minute = timezone.now().replace(second=0, microsecond=0)
    wanted = []
    for number in range(9):
        at = minute - timedelta(minutes=number)
        shard = Shard.objects.create(
            workspace=account.workspace,
            account=account,
            campaign=campaign,
            first=1 + number,
            size=1,
            mark=1,
            is_done=True,
            ready_at=at,
        )
        row = Delivery.objects.create(
            workspace=account.workspace,
            campaign=campaign,
            position=1 + number,
            address="a@box.example",
            canonical="a@box.example",
            state="accepted",
            state_at=at - timedelta(milliseconds=1 if number % 2 else -1),
            code=250,
            words="Ok",
        )
        SendingMinute.objects.create(account=account, worker="w", minute_at=at, accepted=1, shards=[shard.id])
        wanted.append(f"delivery-{row.id}")
    web, seen, at = as_user(alice), [], ""
    while at is not None:
        answer = web.get("/api/v1/log", {"at": at}).json()
        seen += [one["id"] for one in answer["items"]]
        at = answer["next"]
    assert seen == wanted


def test_the_log_of_a_hidden_account_stays_hidden(as_user, bob, account):
    Account.objects.update(visibility="private")
    log_note(
        Note(account.workspace_id, account.id, "out", "login", "refused", "error", address="x@box.example")
    )
    Profile.objects.update(rights=[str(Right.LOG_VIEW)])
    assert lines(as_user(bob)) == []
    assert lines(as_user(bob), q="x@box.example") == []


def test_lines_are_kept_as_long_as_the_workspace_says(as_user, alice, account):
    for days in (1, 29, 31, 400):
        log_note(
            Note(
                account.workspace_id,
                account.id,
                "in",
                "collect",
                f"{days}",
                at=timezone.now() - timedelta(days=days),
            )
        )
    web = as_user(alice)
    assert web.post("/settings/status/log/days/", {"days": "0"}).status_code == 422
    web.post("/settings/status/log/days/", {"days": "30"})
    assert log_forget() == 2
    assert set(LogLine.objects.values_list("words", flat=True)) == {"1", "29"}


POSTFIX = b"\n".join(
    (
        b"2026-11-22T02:28:18.5+01:00 mx postfix/cleanup[12]: 4fKz0w1RtB2: message-id=<abc@shop.example>",
        b"2026-11-22T02:28:19.1+01:00 mx postfix/smtp[13]: 4fKz0w1RtB2: to=<Ann@Box.example>, "
        b"relay=mx.box.example[192.0.2.1]:25, delay=0.6, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 9XyZ)",
        b"Nov 22 02:28:20 mx postfix/smtp[13]: AB12CD34EF: to=<eve@box.example>, relay=none, delay=30, dsn=4.4.1, "
        b"status=deferred (connect to mx.box.example[192.0.2.1]:25: Connection timed out)",
        b"Nov 22 02:28:21 mx sshd[1]: Accepted publickey",
        b"this is no line of a log",
    )
)


@pytest.mark.req("CM-52")
def test_a_log_of_postfix_is_taken_in_once(as_user, alice, account):
    web = as_user(alice)

    def send(data=POSTFIX):
        return web.post("/api/v1/log/import", {"file": SimpleUploadedFile("mail.log", data)}).json()

    assert send() == {"lines": 5, "new": 3, "known": 0, "other": 1, "unreadable": 1}
    assert send() == {"lines": 5, "new": 0, "known": 3, "other": 1, "unreadable": 1}
    (found,) = lines(web, q="ann@box.example")
    assert (found["message_id"], found["queue_id"], found["level"]) == (
        "abc@shop.example",
        "4fKz0w1RtB2",
        "info",
    )
    assert found["time"].startswith("2026-11-22T01:28:19.1")
    assert "250 2.0.0 Ok: queued as 9XyZ" in found["words"]
    assert lines(web, q="eve@box.example")[0]["level"] == "warning"
    assert len(lines(web, q="4fKz0w1RtB2")) == 2
    answer = web.post("/settings/status/log/import/", {"file": SimpleUploadedFile("mail.log", POSTFIX)})
    assert "known already" in answer.content.decode()


@pytest.mark.req("CM-52")
def test_what_was_exported_is_known_here_and_new_elsewhere(as_user, alice, cast, account):
    campaign = make_campaign(cast.alice, account, make_list(cast.alice, ["one@box.example"]), state="running")
    sent(campaign, account, accepted=5, deferred=1)
    log_note(Note(account.workspace_id, account.id, "in", "collect", "=1+1, a formula"))
    for form in ("json", "csv"):
        answer = as_user(alice).get("/settings/status/log/export/", {"as": form})
        data = b"".join(answer.streaming_content)
        if form == "csv":
            assert b"'=1+1" in data, "a spreadsheet must not run it"
        else:
            assert len([json.loads(line) for line in data.splitlines()]) == 7
        for who, new, known in ((alice, 0, 7), (cast.charlie.user, 7, 0), (cast.charlie.user, 0, 7)):
            file = SimpleUploadedFile("log", data)
            counts = as_user(who).post("/api/v1/log/import", {"file": file}).json()
            assert (counts["new"], counts["known"], counts["unreadable"]) == (new, known, 0), (form, who)
        LogLine.objects.filter(workspace=cast.charlie.workspace).delete()
    Profile.objects.update(rights=[str(Right.LOG_VIEW)])
    assert as_user(cast.bob.user).get("/settings/status/log/export/").status_code == 403


def test_rotated_logs_in_the_folder_are_pulled_by_who_administers(as_user, alice, cast, settings, tmp_path):
    settings.POSTROOM_DATA = tmp_path
    web = as_user(alice)
    answer = web.post("/settings/status/log/import/", {"pull": "1"})
    assert answer.status_code == 404
    assert "There is no log in" in answer.content.decode()
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "mail.log.1").write_bytes(POSTFIX)
    web.post("/settings/status/log/import/", {"pull": "1"})
    assert LogLine.objects.filter(source="mail.log.1").count() == 3
    assert as_user(cast.charlie.user).post("/settings/status/log/import/", {"pull": "1"}).status_code == 403
