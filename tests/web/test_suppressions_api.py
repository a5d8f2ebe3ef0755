"""Suppressed addresses through the API and the pages: rows SX-03 to SX-05, and who may do what."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from postroom.actions.suppression import suppression_add
from postroom.actions.suppression_import import suppression_import_run
from postroom.models.message import Message
from postroom.models.profile import Profile, Right
from postroom.models.suppression import Suppression, SuppressionImport
from postroom.models.workspace import AuditLine, Workspace
from postroom.testing.cast import make_account, make_campaign, make_list
from tests.actions.test_suppression import ADDRESSES, COVERED, PATTERNS

pytestmark = pytest.mark.django_db

API = "/api/v1/suppressions"
JSON = "application/json"


@pytest.fixture
def api(as_user, cast):
    """api(bob, "post", "/lift", ids=[1]): an answer of the API, signed in as this person."""

    def call(user, method, path="", **body):
        client = as_user(user)
        if method == "get":
            return client.get(API + path, body)
        return getattr(client, method)(API + path, body, content_type=JSON)

    return call


def without(cast, *rights):
    profile = Profile.objects.get(members__user=cast.bob.user)
    profile.rights = [right for right in profile.rights if right not in rights]
    profile.save()


def arrange(cast, policy):
    Workspace.objects.filter(id=cast.alice.workspace.id).update(suppression_policy=policy)


def entries(answer):
    return {item["entry"] for item in answer.json()["items"]}


@pytest.mark.req("SX-03")
def test_twelve_patterns_cover_exactly_the_addresses_of_their_rows(api, alice):
    for row, pattern in zip(COVERED.split(), PATTERNS, strict=True):
        assert api(alice, "post", entry=pattern).status_code in (200, 201), pattern
        found = api(alice, "post", "/check", addresses=ADDRESSES).json()["items"]
        covered = {item["address"] for item in found}
        given = [address for address, sign in zip(ADDRESSES, row, strict=True) if sign == "x"]
        # two spellings of one address are told once
        assert {address.lower() for address in covered} == {address.lower() for address in given}, pattern
        Suppression.objects.all().delete()


def test_an_entry_says_who_when_why_and_from_where(api, alice, bob):
    made = api(bob, "post", entry="Jan@Firma.PL", why="called us\n today")
    assert (made.status_code, made.json()) == (201, {"entry": "jan@firma.pl", "is_new": True})
    assert api(alice, "post", entry="jan@firma.pl").status_code == 200
    (item,) = api(alice, "get").json()["items"]
    told = {name: item[name] for name in ("entry", "covers", "scope", "source", "why", "by")}
    assert told == {
        "entry": "jan@firma.pl",
        "covers": "address",
        "scope": "shared",
        "source": "manual",
        "why": "called us today",
        "by": "Bob",
    }
    assert item["at"]


@pytest.mark.parametrize("entry", ["", "firma.pl", "@@firma.pl", "*@firma.pl", "a@b@c.pl", "@*.*.pl", "@"])
def test_any_other_form_is_422(api, alice, entry):
    answer = api(alice, "post", entry=entry)
    assert (answer.status_code, answer.json()["code"]) == (422, "BAD_ENTRY")


@pytest.mark.req("SX-03")
def test_a_file_with_one_bad_line_answers_422_with_its_number_and_stores_the_good_ones(as_user, alice):
    text = b"a@firm.pl\n@firm.pl\nnonsense\nname@\na@firm.pl\n"
    web = as_user(alice)
    answer = web.post(f"{API}/import", {"file": SimpleUploadedFile("x.txt", text), "why": "old list"})
    assert answer.status_code == 422
    told = answer.json()
    assert told["code"] == "BAD_LINES"
    report = told["details"]
    assert (report["accepted"], report["duplicates"], report["rejected"]) == (3, 1, 1)
    (bad,) = report["rejected_lines"]
    assert (bad["line"], bad["text"]) == (3, "nonsense")
    assert set(Suppression.objects.values_list("value", "source", "why")) == {
        ("a@firm.pl", "import", "old list"),
        ("firm.pl", "import", "old list"),
        ("name", "import", "old list"),
    }
    lines = web.get(f"{API}/imports/{report['id']}/lines").json()
    assert [one["line"] for one in lines["items"]] == [3]
    assert web.post(f"{API}/bulk", {"entries": ["b@firm.pl", "c@firm.pl"]}, JSON).json()["accepted"] == 2


def test_a_long_file_is_read_by_the_worker_and_goes_on_after_a_cut(as_user, alice, cast, monkeypatch):
    from postroom.actions import suppression_import

    monkeypatch.setattr(suppression_import, "AT_ONCE", 10)
    lines = [f"p{n}@firm.pl" if n % 7 else f"bad {n}" for n in range(35)]
    file = SimpleUploadedFile("long.txt", "\n".join(lines).encode())
    web = as_user(alice)
    answer = web.post(f"{API}/import", {"file": file})
    assert answer.status_code == 202
    run = SuppressionImport.objects.get(id=answer.json()["id"])
    assert not Suppression.objects.exists()
    was, calls = suppression_import._store, []

    def cut(*args):
        calls.append(args)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return was(*args)

    monkeypatch.setattr(suppression_import, "_store", cut)
    with pytest.raises(KeyboardInterrupt):
        suppression_import_run(import_id=run.id)
    page = web.get(f"/contacts/suppressed/imports/{run.id}/").content.decode()
    assert "20 of 35 lines done" in page
    monkeypatch.setattr(suppression_import, "_store", was)
    suppression_import_run(import_id=run.id)
    suppression_import_run(import_id=run.id)
    told = web.get(f"{API}/imports/{run.id}").json()
    assert (told["state"], told["accepted"], told["duplicates"], told["rejected"]) == ("done", 30, 0, 5)
    assert [bad["line"] for bad in told["rejected_lines"]] == [1, 8, 15, 22, 29]
    assert Suppression.objects.count() == 30
    page = web.get(f"/contacts/suppressed/imports/{run.id}/").content.decode()
    assert "5 lines could not be read" in page


def test_the_own_export_can_be_imported_again(as_user, alice):
    web = as_user(alice)
    for entry in ("a@firm.pl", "@firm.pl", "@*.firm.pl", "name@"):
        web.post(API, {"entry": entry, "why": "x; y # z"}, JSON)
    for path in (f"{API}/export", "/contacts/suppressed/export/"):
        kept = set(Suppression.objects.values_list("form", "value"))
        text = b"".join(web.get(path).streaming_content)
        Suppression.objects.all().delete()
        answer = web.post(f"{API}/import", {"file": SimpleUploadedFile("x.csv", text)})
        assert answer.status_code == 200, answer.content
        assert set(Suppression.objects.values_list("form", "value")) == kept


@pytest.mark.parametrize(
    ("text", "status"), [(b"", 422), (b"\xff\xfea\x00@\x00b\x00.\x00p\x00l\x00", 200), (b"\x00\x01\x02", 422)]
)
def test_odd_files_are_told_in_words(as_user, alice, text, status):
    answer = as_user(alice).post(f"{API}/import", {"file": SimpleUploadedFile("x", text)})
    assert answer.status_code == status, answer.content
    assert "application/json" in answer["Content-Type"]


def test_an_own_entry_is_seen_by_its_person_only(api, alice, bob):
    assert api(bob, "post", entry="x@firm.pl", scope="personal").status_code == 201
    assert entries(api(bob, "get", scope="personal")) == {"x@firm.pl"}
    assert entries(api(bob, "get")) == set()
    assert entries(api(alice, "get", scope="personal")) == set()
    assert api(bob, "post", "/check", addresses=["x@firm.pl"]).json()["items"]
    assert not api(alice, "post", "/check", addresses=["x@firm.pl"]).json()["items"]
    number = Suppression.objects.get().id
    assert api(alice, "post", "/lift", ids=[number]).status_code == 404
    lifted = api(bob, "post", "/lift", ids=[number]).json()
    assert not Suppression.objects.exists()
    assert api(bob, "post", f"/undo/{lifted['undo']}").json() == {"back": 1}
    assert Suppression.objects.get().owner == bob


@pytest.mark.req("SX-05")
def test_switching_the_policy_hides_entries_and_loses_none(api, cast, alice, bob):
    for entry, scope in (("made@firm.pl", "shared"), ("own@firm.pl", "personal")):
        assert api(bob, "post", entry=entry, scope=scope).status_code == 201
    suppression_add(
        workspace_id=cast.bob.workspace.id, entry_form="address", value="left@firm.pl", source="unsubscribe"
    )
    before = list(Suppression.objects.order_by("id").values())

    def seen():
        asked = ["made@firm.pl", "own@firm.pl", "left@firm.pl"]
        found = api(bob, "post", "/check", addresses=asked).json()["items"]
        listed = entries(api(bob, "get")) | entries(api(bob, "get", scope="personal"))
        assert {item["address"] for item in found} == listed  # what is hidden is not in force
        return {address.partition("@")[0] for address in listed}

    def switch(policy):
        assert api(alice, "put", "/policy", policy=policy).status_code == 200

    assert seen() == {"made", "own", "left"}
    switch("shared")
    assert seen() == {"made", "left"}
    refused = api(bob, "post", entry="new@firm.pl", scope="personal")
    assert (refused.status_code, refused.json()["code"]) == (409, "PERSONAL_OFF")
    switch("personal")
    assert seen() == {"own", "left"}
    refused = api(bob, "post", entry="new@firm.pl")
    assert (refused.status_code, refused.json()["code"]) == (409, "SHARED_OFF")
    switch("both")
    assert seen() == {"made", "own", "left"}
    assert list(Suppression.objects.order_by("id").values()) == before
    assert AuditLine.objects.filter(noun="suppression policy").count() == 3
    assert api(bob, "put", "/policy", policy="shared").status_code == 403


@pytest.mark.req("SX-05")
def test_own_entries_become_shared_after_a_look_and_can_be_taken_back(api, alice, bob):
    for entry in ("a@firm.pl", "b@firm.pl", "@c.pl"):
        api(bob, "post", entry=entry, scope="personal", why="met them")
    api(alice, "post", entry="b@firm.pl")
    before = list(Suppression.objects.order_by("id").values())
    look = api(bob, "post", "/promote", preview=True)
    assert look.json() == {"new": 2, "already": 1, "undo": None}
    assert list(Suppression.objects.order_by("id").values()) == before
    done = api(bob, "post", "/promote").json()
    assert (done["new"], done["already"]) == (2, 1)
    items = api(alice, "get").json()["items"]
    assert {(item["entry"], item["by"], item["why"]) for item in items} == {
        ("a@firm.pl", "Bob", "met them"),
        ("@c.pl", "Bob", "met them"),
        ("b@firm.pl", "Alice", ""),
    }
    assert api(bob, "post", f"/promote/undo/{done['undo']}").json() == {"back": 2}
    assert list(Suppression.objects.order_by("id").values()) == before
    assert api(bob, "post", f"/promote/undo/{done['undo']}").status_code == 409


def test_only_the_chosen_are_promoted_and_all_of_everybody_by_who_manages(api, alice, bob):
    api(bob, "post", entry="a@firm.pl", scope="personal")
    api(bob, "post", entry="b@firm.pl", scope="personal")
    api(alice, "post", entry="b@firm.pl", scope="personal")
    assert api(bob, "post", "/promote", whose="all", preview=True).status_code == 403
    look = api(alice, "post", "/promote", whose="all", preview=True).json()
    assert (look["new"], look["already"]) == (2, 1)
    chosen = [Suppression.objects.get(value="a@firm.pl").id]
    assert api(alice, "post", "/promote", ids=chosen).status_code == 404  # Bob's is not Alice's
    assert api(bob, "post", "/promote", ids=chosen).json()["new"] == 1
    assert entries(api(alice, "get")) == {"a@firm.pl"}


def test_who_has_no_right_to_the_shared_list_may_look_and_keep_an_own_one(api, cast, bob, as_user):
    without(cast, Right.SUPPRESSIONS_EDIT, Right.SUPPRESSIONS_EXPORT)
    suppression_add(
        workspace_id=cast.bob.workspace.id, entry_form="address", value="a@firm.pl", source="manual"
    )
    number = Suppression.objects.get().id
    assert entries(api(bob, "get")) == {"a@firm.pl"}
    assert api(bob, "post", entry="b@firm.pl").status_code == 403
    assert api(bob, "post", "/bulk", entries=["b@firm.pl"]).status_code == 403
    assert api(bob, "post", "/lift", ids=[number]).status_code == 403
    assert api(bob, "post", "/promote", preview=True).status_code == 403
    assert api(bob, "get", "/export").status_code == 403
    assert api(bob, "post", entry="b@firm.pl", scope="personal").status_code == 201
    assert api(bob, "get", "/export", scope="personal").status_code == 200
    web = as_user(bob)
    page = web.get("/contacts/suppressed/").content.decode()
    assert 'id="entry"' not in page
    assert ">Lift</button>" not in page
    assert web.get("/contacts/suppressed/export/").status_code == 403
    assert web.get("/contacts/suppressed/import/").status_code == 403
    own = web.get("/contacts/suppressed/?mine=1").content.decode()
    assert 'id="entry"' in own
    assert "b@firm.pl" in own


def test_another_firm_sees_and_changes_nothing(api, cast, charlie, alice):
    api(alice, "post", entry="a@firm.pl")
    number = Suppression.objects.get().id
    run = api(alice, "post", "/bulk", entries=["x@firm.pl"]).json()["id"]
    assert entries(api(charlie, "get")) == set()
    assert api(charlie, "post", "/lift", ids=[number]).status_code == 404
    assert api(charlie, "get", f"/imports/{run}").status_code == 404
    assert api(charlie, "get", f"/imports/{run}/lines").status_code == 404
    assert not api(charlie, "post", "/check", addresses=["a@firm.pl"]).json()["items"]


def test_pages_go_on_where_the_last_one_ended(api, cast, alice):
    Suppression.objects.bulk_create(
        Suppression(workspace=cast.alice.workspace, form="address", value=f"p{n}@firm.pl", source=source)
        for n, source in enumerate(["manual", "bounce", "import"] * 40)
    )
    found, at = [], ""
    while at is not None:
        page = api(alice, "get", at=at).json()
        found += [item["entry"] for item in page["items"]]
        at = page["next"]
    assert found == [f"p{n}@firm.pl" for n in reversed(range(120))]
    assert page["total"] == 120
    assert len(api(alice, "get", source="bounce").json()["items"]) == 40
    assert entries(api(alice, "get", q="p77@")) == {"p77@firm.pl"}


def test_the_page_of_own_entries_adds_lifts_and_shares(as_user, cast, bob):
    web = as_user(bob)
    added = web.post("/contacts/suppressed/add/", {"entry": "a@firm.pl", "mine": "1"}, follow=True)
    assert "No mail from you goes to a@firm.pl any more." in added.content.decode()
    assert Suppression.objects.get().owner == bob
    look = web.get("/contacts/suppressed/promote/").content.decode()
    assert "Share 1 entry" in look
    assert Suppression.objects.get().owner == bob
    done = web.post("/contacts/suppressed/promote/", follow=True).content.decode()
    assert "1 entry holds for everybody now." in done
    undo = done.split('action="/contacts/suppressed/promote/undo/')[1].split('"')[0]
    web.post(f"/contacts/suppressed/promote/undo/{undo}")
    assert Suppression.objects.get().owner == bob
    web.post("/contacts/suppressed/lift/", {"id": Suppression.objects.get().id, "mine": "1"})
    assert not Suppression.objects.exists()


def test_the_policy_is_set_on_the_page_by_who_runs_the_workspace(as_user, cast, alice, bob):
    assert as_user(bob).post("/contacts/suppressed/policy/", {"policy": "shared"}).status_code == 403
    web = as_user(alice)
    web.post("/contacts/suppressed/policy/", {"policy": "shared"})
    page = web.get("/contacts/suppressed/?mine=1").content.decode()
    assert "Only mine" not in page
    assert Workspace.objects.get(id=cast.alice.workspace.id).suppression_policy == "shared"


def test_a_test_to_other_people_is_refused_while_one_of_them_is_suppressed(as_user, cast, alice):
    """So far the one place where a person types recipients; SX-02 asks it of every such place."""
    people = make_list(cast.alice, ["ann@example.net"])
    campaign = make_campaign(cast.alice, make_account(cast.alice, port=25), people)
    web, path = as_user(alice), f"/api/v1/campaigns/{campaign.id}/test"
    for entry in ("@firm.pl", alice.email):
        assert web.post(API, {"entry": entry}, JSON).status_code == 201
    assert web.post(API, {"entry": "mine@other.pl", "scope": "personal"}, JSON).status_code == 201
    asked = {"to": ["ok@example.net", "Jan@Firm.pl", "mine@other.pl"]}
    answer = web.post(path, asked, JSON)
    assert (answer.status_code, answer.json()["code"]) == (422, "RECIPIENT_SUPPRESSED")
    assert answer.json()["details"]["addresses"] == ["Jan@Firm.pl", "mine@other.pl"]
    assert not Message.objects.exists()
    assert web.post(path, {"to": ["ok@example.net"]}, JSON).status_code == 202
    assert web.post(path, {}, JSON).status_code == 202  # one's own address is never refused
    assert set(Message.objects.values_list("to_address", flat=True)) == {"ok@example.net", alice.email}
