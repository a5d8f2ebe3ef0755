"""No page speaks English to somebody who chose another language."""

import re
from datetime import timedelta
from html.parser import HTMLParser

import pytest
from django.core import mail
from django.utils import timezone, translation

from postroom.actions.account_state import account_refused
from postroom.actions.blob import blob_put
from postroom.actions.campaign_start import campaign_freeze, campaign_start
from postroom.actions.suppression import suppression_add
from postroom.models.account import Account, AccountStatus, Collector
from postroom.models.campaign import Campaign
from postroom.models.contact import Contact, ImportRun
from postroom.models.delivery import Delivery
from postroom.models.event import Event, EventReport
from postroom.models.message import Message
from postroom.models.template import Template
from postroom.testing.cast import make_account, make_campaign, make_list

pytestmark = pytest.mark.django_db

#: Said alike in every language: names, protocols, and what this file writes.
ALIKE = re.compile(
    r"\S+@\S+|\{\{.*?\}\}|\b[a-z]+[._][a-z]+\b|postroom|smtp|imap|starttls|tls|dkim|https?|html|csv|utf-8|example|polski|english|български|alder|pike"
    r"|alice|bob|klient|jan|nowak|wpis|raport|zwrot|port|folder|inbox|xcode|ctrl|enter|esc|"
    r"import|europe|min|sofia|warsaw|utc|iso|windows|koi8|limit|system",
    re.I,
)
#: Keys of fields, as they stand between braces.
KEYS = {
    "SOCKS5",
    "HTTP CONNECT",
    "Proxy",
    "Office",
    "name",
    "surname",
    "salutation",
    "company",
    "email",
    "full_name",
    "Australia",
}
#: Words of no other language here.
ENGLISH = re.compile(
    r"(?<![-\w])(the|and|with|this|that|you|your|of|from|for|is|are|was|not|it)(?![-\w])", re.I
)
SPOKEN = ("placeholder", "title", "aria-label", "alt", "label", "data-empty", "data-confirm")


class Said(HTMLParser):
    """Every text that is seen or read out."""

    def __init__(self) -> None:
        super().__init__()
        self.words: set[str] = set()
        self._silent = 0

    def handle_starttag(self, tag, attrs):
        self._silent += tag in ("script", "style", "code", "pre", "kbd", "textarea")
        self.words |= {value for name, value in attrs if name in SPOKEN and value}

    def handle_endtag(self, tag):
        self._silent -= tag in ("script", "style", "code", "pre", "kbd", "textarea")

    def handle_data(self, data):
        if not self._silent:
            self.words.add(" ".join(data.split()))


def said_on(answer) -> set[str]:
    reader = Said()
    reader.feed(answer.content.decode())
    return {words for words in reader.words if re.search(r"[A-Za-z]{3}", ALIKE.sub("", words))}


@pytest.fixture
def office(cast, settings):
    """A firm in which everything has happened once; its people have Polish names."""
    settings.POSTROOM_START_UNDO_SECONDS = 0
    alice = cast.alice
    works = make_account(alice, port=25, name="Klient A", display_name="Klient")
    failing = make_account(
        alice,
        port=25,
        name="Klient B",
        address="b@alder.example",
        status=AccountStatus.FAILING,
        status_reason="The server refused the user name or the password.",
        status_since=timezone.now(),
        imap_host="imap.example",
        imap_login="jan",
    )
    Collector.objects.update_or_create(
        account=failing,
        defaults={"is_on": True, "error": "No server named 'imap.example' is known. Check the spelling."},
    )
    emails = [f"jan{number}@klient.example" for number in range(12)]
    people = make_list(alice, emails, name="Klient", company="Nowak")
    Contact.objects.filter(workspace=alice.workspace).update(name="Jan", surname="Nowak")
    draft = make_campaign(
        alice, works, people, name="Klient", subject="Nowak", html="{{ company }}", receipt_read=True
    )
    make_campaign(alice, failing, name="Klient 2", html="", subject="")
    sent = make_campaign(alice, works, people, name="Klient 3", subject="Nowak", html="Jan")
    campaign_start(viewer=alice, campaign_id=sent.id, undo_s=0)
    campaign_freeze(campaign_id=sent.id)
    states = ["accepted", "deferred", "failed", "uncertain", "skipped", "accepted", "accepted"]
    arrivals = ["delivered", "", "", "", "", "relayed", "bounced"]
    for delivery, state, arrival in zip(Delivery.objects.order_by("id"), states, arrivals, strict=False):
        delivery.state, delivery.arrival = state, arrival or "unknown"
        delivery.reason = "suppressed_shared" if state == "skipped" else ""
        delivery.retry_at = timezone.now() + timedelta(minutes=5) if state == "deferred" else None
        delivery.state_at = timezone.now()
        delivery.save()
    Campaign.objects.filter(id=sent.id).update(state="paused", reason="account_failing", account=failing)
    Template.objects.create(workspace=alice.workspace, name="Klient", html="Jan", created_by=alice.user)
    ImportRun.objects.create(
        workspace=alice.workspace,
        user=alice.user,
        file=blob_put(b"E-mail\njan@klient.example\n"),
        file_name="klient.csv",
        state="failed",
        error="The file has a heading and no rows.",
        choices={"has_header": True, "encoding": "utf-8", "separator": ";", "mapping": {}},
    )
    suppression_add(
        workspace_id=alice.workspace.id,
        entry_form="address",
        value="jan3@klient.example",
        source="manual",
        why="Nowak",
        by=alice.user,
    )
    Message.objects.create(
        workspace=alice.workspace,
        direction="in",
        subject="Jan",
        from_address="jan1@klient.example",
        raw=blob_put(b"From: jan1@klient.example\r\nSubject: Jan\r\n\r\nNowak\r\n"),
    )
    event = Event.objects.create(
        workspace=alice.workspace,
        raw=blob_put(b"Subject: Zwrot\r\n\r\nRaport\r\n"),
        source="smtp",
        kind="failure",
        subject="Zwrot",
        from_address="jan@klient.example",
    )
    EventReport.objects.create(event=event, kind="failure", recipient="jan@klient.example", words="550 5.1.1")
    return {"draft": draft.id, "sent": sent.id, "failing": failing.id, "works": works.id, "event": event.id}


PLACES = [
    "/campaigns/",
    "/campaigns/?q=zzz",
    "/campaigns/new/",
    "/campaigns/{draft}/",
    "/campaigns/{draft}/aside/",
    "/campaigns/{sent}/",
    "/campaigns/{sent}/?show=uncertain",
    "/campaigns/{sent}/message/",
    "/contacts/",
    "/contacts/?q=zzz",
    "/contacts/new/",
    "/contacts/lists/",
    "/contacts/imports/",
    "/contacts/imports/new/",
    "/contacts/suppressed/",
    "/contacts/suppressed/import/",
    "/contacts/suppressed/covers/?entry=@klient.example",
    "/templates/",
    "/templates/new/",
    "/messages/",
    "/messages/unmatched/",
    "/messages/unmatched/{event}/",
    "/archive/",
    "/groups/",
    "/settings/",
    "/settings/accounts/",
    "/settings/accounts/new/",
    "/settings/accounts/{works}/",
    "/settings/accounts/{failing}/",
    "/settings/workspace/",
    "/settings/profile/",
    "/more/",
    "/nowhere/",
    "/settings/second-factor/",
    "/password/change/",
    "/sign-out/",
    "/sign-in/again/",
    "/contacts/999999/",
    "/u/xxxx/",
    "/setup/account/",
]


@pytest.mark.parametrize("language", ["pl", "bg"])
def test_no_page_says_the_same_as_the_english_one(as_user, cast, office, language):
    places = [place.format(**office) for place in PLACES]
    places += [f"/campaigns/{office['sent']}/people/{row.id}/" for row in Delivery.objects.order_by("id")[:7]]
    places += [f"/contacts/{Contact.objects.filter(workspace=cast.alice.workspace).first().id}/"]
    places += [f"/contacts/imports/{ImportRun.objects.get().id}/", f"/messages/{Message.objects.get().id}/"]
    places += [f"/templates/{Template.objects.get().id}/"]
    left = {}
    for place in places:
        both = []
        for spoken in ("en", language):
            cast.alice.user.language = cast.alice.workspace.language = spoken
            cast.alice.user.save()
            cast.alice.workspace.save()
            client = as_user(cast.alice.user)
            answer = client.get(place, HTTP_ACCEPT_LANGUAGE=spoken)
            assert answer.status_code in (200, 302, 403, 404), place
            both.append(said_on(answer))
        if same := (both[0] & both[1]) - KEYS | {words for words in both[1] if ENGLISH.search(words)}:
            left[place] = sorted(same)
    assert [f"{words} ({place})" for place, found in left.items() for words in found] == []


@pytest.mark.parametrize("language", ["pl", "bg"])
def test_pages_before_signing_in_follow_the_browser(client, cast, language):
    left = {}
    for place in ("/sign-in/", "/password/reset/", "/password/reset/sent/", "/sign-up/", "/u/xxxx/"):
        english, other = (
            client.get(place, HTTP_ACCEPT_LANGUAGE=spoken, follow=True) for spoken in ("en", language)
        )
        assert f'<html lang="{language}"' in other.content.decode(), place
        if same := said_on(english) & said_on(other):
            left[place] = sorted(same)
    assert left == {}


def test_a_form_complains_in_the_language_of_the_reader(as_user, cast):
    cast.alice.user.language = "pl"
    cast.alice.user.save()
    client = as_user(cast.alice.user)
    page = client.post("/contacts/new/", {"email": "jan@", "kind": "other"}).content.decode()
    assert "Po znaku @ musi coś być." in page
    page = client.post("/settings/accounts/new/", {"name": "Klient"}).content.decode()
    assert "This field is required" not in page


def test_a_notice_is_written_in_the_language_of_who_gets_it(cast, settings):
    owner = cast.alice.user
    owner.language = "pl"
    owner.save()
    notices = make_account(cast.alice, port=25, name="Klient")
    refused = make_account(cast.alice, port=25, name="Nowak", address="n@alder.example")
    cast.alice.workspace.notice_account = notices
    cast.alice.workspace.save()
    with translation.override("en"):
        account_refused(account_id=refused.id, words="535 5.7.8 Bad login")
    notice = Message.objects.get()
    assert notice.subject == "Postroom: konto Nowak zostało odrzucone"
    assert Account.objects.get(id=refused.id).status_reason == "535 5.7.8 Bad login", (
        "kept as the server said"
    )


def test_the_link_for_a_new_password_comes_in_the_language_of_its_reader(client, cast, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    cast.alice.user.language = "pl"
    cast.alice.user.save()
    cast.alice.workspace.notice_account = make_account(cast.alice, port=25)
    cast.alice.workspace.save()
    client.post("/password/reset/", {"email": cast.alice.user.email}, HTTP_ACCEPT_LANGUAGE="en")
    assert mail.outbox[0].subject == "Postroom: nowe hasło"
    assert "Dzień dobry" in mail.outbox[0].body
