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
