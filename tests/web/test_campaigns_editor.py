"""The editor in a browser, by keyboard alone."""

import pytest

from postroom.models.campaign import Campaign
from postroom.testing.cast import make_account, make_campaign, make_list

pytestmark = pytest.mark.django_db(transaction=True)


def test_ctrl_enter_from_the_text_opens_the_question_and_once_more_starts(browse, cast):
    account = make_account(cast.alice, port=9)
    draft = make_campaign(cast.alice, account, make_list(cast.alice, ["ann@example.net"]))
    page = browse(cast.alice.user)
    page.goto(f"/campaigns/{draft.id}/")
    page.focus("#id_html")
    page.keyboard.type("Good morning. ")
    with page.expect_response("**/save/"):
        pass
    page.keyboard.press("Control+Enter")
    page.locator("#start").wait_for()
    page.wait_for_timeout(2000)  # longer than the editor waits before it saves
    assert page.locator("#start").is_visible(), "saving left the open question alone"
    page.keyboard.press("Control+Enter")
    page.locator(".pr-head").get_by_text("Being prepared").wait_for()
    started = Campaign.objects.get(id=draft.id)
    assert started.state == "freezing"
    assert "Good morning." in started.html


def test_among_thousands_of_lists_one_is_found_by_its_name_and_the_chosen_stay(
    as_user, alice, cast, monkeypatch
):
    monkeypatch.setattr("postroom.queries.campaign_choice.LISTS_SHOWN", 2)
    chosen = make_list(cast.alice, ["a@example.net"], name="Zebra")
    for name in ("Łódź", "Lyon", "Oslo", "Rome"):
        make_list(cast.alice, [], name=name)
    campaign = make_campaign(cast.alice, make_account(cast.alice, port=9), chosen)
    shown = as_user(alice).get(f"/campaigns/{campaign.id}/").content.decode()
    assert "Zebra" in shown
    assert "and 2 more lists" in shown
    found = as_user(alice).get(f"/campaigns/{campaign.id}/lists/", {"find_list": "lodz", "lists": chosen.id})
    assert "Łódź" in found.content.decode()
    assert f'value="{chosen.id}" checked' in found.content.decode()
    assert "Rome" not in found.content.decode()
