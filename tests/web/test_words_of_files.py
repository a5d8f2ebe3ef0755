"""Files that are taken out speak the language of who takes them, and show their time."""

import csv
import io
from datetime import UTC, datetime

import pytest

from postroom.actions.campaign_start import campaign_freeze, campaign_start
from postroom.actions.contact import ContactValues, contact_add
from postroom.actions.import_child import kind_of, language_of
from postroom.actions.suppression import suppression_enter
from postroom.mail.csvfields import guess_mapping
from postroom.models.delivery import Delivery
from postroom.models.suppression import Suppression
from postroom.testing.cast import make_account, make_campaign, make_list

pytestmark = pytest.mark.django_db

NIGHT = datetime(2026, 3, 1, 23, 30, 5, tzinfo=UTC)


@pytest.fixture
def reader(cast, as_user):
    """Alice, with a language; her clock is two hours before that of Greenwich."""

    def speaks(language):
        user = cast.alice.user
        user.language, user.time_zone = language, "Europe/Sofia"
        user.save()
        return as_user(user)

    return speaks


def rows(answer):
    raw = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(raw), delimiter=";"))


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("pl", ("Stan", "Nieudana", "Serwer zamknął połączenie.")),
        ("en", ("State", "Failed", "The server closed")),
    ],
)
def test_the_recipients_of_a_campaign(cast, reader, language, words):
    people = make_list(cast.alice, ["jan@klient.example"])
    campaign = make_campaign(cast.alice, make_account(cast.alice, port=25), people, subject="x", html="y")
    campaign_start(viewer=cast.alice, campaign_id=campaign.id, undo_s=0)
    campaign_freeze(campaign_id=campaign.id)
    Delivery.objects.update(state="failed", words="The server closed the connection.", state_at=NIGHT)
    heading, row = rows(reader(language).get(f"/campaigns/{campaign.id}/export.csv"))
    assert (heading[2], row[2]) == words[:2]
    assert row[5] == "2026-03-02 01:30:05"
    assert row[7].startswith(words[2])


def test_suppressed_addresses(cast, reader):
    suppression_enter(viewer=cast.alice, entry="@firma.pl", why="Nowak")
    Suppression.objects.update(at=NIGHT)
    heading, row = rows(reader("pl").get("/contacts/suppressed/export/"))
    assert heading[:2] == ["Wpis", "Obejmuje"]
    assert row[1:3] == ["jedna domena", "Ręcznie"]
    assert "domain" not in row
    assert row[-1] == "2026-03-02 01:30:05"


@pytest.mark.parametrize("language", ["en", "pl", "bg"])
def test_people_are_understood_again_by_an_import(cast, reader, language):
    values = ContactValues(email="jan@klient.example", name="Jan", kind="contractor", language="bg")
    contact_add(viewer=cast.alice, values=values)
    heading, row = rows(reader(language).get("/contacts/export/"))
    known = ["email", "name", "surname", "salutation", "company"]
    assert list(guess_mapping(heading, [row]).values()) == known
    assert (kind_of(row[5]), language_of(row[6])) == ("contractor", "bg")
