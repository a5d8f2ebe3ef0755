"""People, imports, sending and attachments in the API; what all of it has in common."""

import json
from typing import get_args

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from ninja.constants import NOT_SET
from pydantic import BaseModel

from postroom.actions.import_check import import_check
from postroom.actions.import_run import import_run
from postroom.models.contact import Contact, ContactList, ContactSearch
from postroom.models.profile import Profile
from postroom.models.suppression import Suppression
from postroom.testing.cast import make_account, make_campaign, make_list
from postroom.web.api import api as api_of_all

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(as_user):
    """api(alice, "post", "/contacts", email=...): the answer."""

    def call(user, method, path, **body):
        client = as_user(user)
        url = f"/api/v1{path}"
        if method == "get":
            return client.get(url, body)
        if "file" in body:
            return client.post(url, body)
        return getattr(client, method)(url, json.dumps(body), content_type="application/json")

    return call


def test_a_person_is_added_found_changed_and_deleted(api, alice):
    made = api(alice, "post", "/contacts", email="Zofia@firm.pl", name="Zofia", surname="Żak")
    assert made.status_code == 201
    person = made.json()
    assert (person["email"], person["version"], person["kind"]) == ("Zofia@firm.pl", 1, "other")
    found = api(alice, "get", "/contacts", q="zak").json()
    assert [(one["id"], one["lists"], one["blocked"]) for one in found["items"]] == [
        (person["id"], [], False)
    ]
    path = f"/contacts/{person['id']}"
    changed = api(alice, "put", path, version=1, company="Meble").json()
    assert (changed["company"], changed["surname"], changed["version"]) == ("Meble", "Żak", 2)
    stale = api(alice, "put", path, version=1, company="Stoły")
    assert stale.status_code == 409
    told = stale.json()
    assert (told["code"], told["details"]["theirs"]["company"], told["details"]["yours"]["company"]) == (
        "STALE_VERSION",
        "Meble",
        "Stoły",
    )
    assert api(alice, "post", "/contacts", email="zofia@FIRM.pl").json()["code"] == "CONTACT_EXISTS"
    gone = api(alice, "post", "/contacts/delete", ids=[person["id"]]).json()
    assert gone["deleted"] == 1
    assert api(alice, "get", path).status_code == 404
    assert api(alice, "post", f"/contacts/undo/{gone['undo']}").json() == {"back": 1}
    assert api(alice, "delete", path).status_code == 204
    assert not Contact.objects.exists()


def test_people_come_a_page_at_a_time_each_once(api, alice, cast):
    make_list(cast.alice, [f"p{n:03}@firm.pl" for n in range(250)])
    ContactSearch.objects.bulk_create(
        ContactSearch(contact=one, workspace=one.workspace, text=one.email, sort_key=one.email)
        for one in Contact.objects.all()
    )
    found, at, answers = [], "", 0
    while at is not None:
        page = api(alice, "get", "/contacts", at=at).json()
        found += [one["email"] for one in page["items"]]
        at, answers = page["next"], answers + 1
    assert (len(found), len(set(found)), answers) == (250, 250, 3)
    assert api(alice, "get", "/contacts/count").json() == {"count": 250, "exact": True}


def test_a_free_field_is_made_and_filled(api, alice):
    assert api(alice, "post", "/contacts/fields", label="Nr klienta").json() == {
        "key": "nr_klienta",
        "label": "Nr klienta",
    }
    made = api(alice, "post", "/contacts", email="a@firm.pl", attributes={"nr_klienta": "K-7"}).json()
    assert made["attributes"] == {"nr_klienta": "K-7"}
    unknown = api(alice, "post", "/contacts", email="b@firm.pl", attributes={"colour": "red"})
    assert (unknown.status_code, unknown.json()["field"]) == (422, "colour")
    path = f"/contacts/{made['id']}"
    assert api(alice, "put", path, version=1, attributes={"nr_klienta": ""}).json()["attributes"] == {}


def test_what_was_sent_and_what_stops_mail_is_told(api, alice, cast):
    listed = make_list(cast.alice, ["no@firm.pl"])
    Suppression.objects.create(
        workspace=cast.alice.workspace, form="address", value="no@firm.pl", source="manual"
    )
    person = listed.listmember_set.get().contact_id
    told = api(alice, "get", f"/contacts/{person}").json()
    assert (told["blocked"], told["lists"]) == (True, ["Customers"])
    assert api(alice, "get", f"/contacts/{person}/deliveries").json() == {"items": [], "next": None}


def test_strangers_get_404_and_who_may_not_change_people_403(api, alice, bob, charlie, cast):
    person = make_list(cast.alice, ["a@firm.pl"]).listmember_set.get().contact_id
    path = f"/contacts/{person}"
    assert api(charlie, "get", path).status_code == 404
    assert api(charlie, "put", path, version=1, name="x").status_code == 404
    assert api(charlie, "delete", path).status_code == 404
    Profile.objects.update(rights=[])
    assert api(bob, "get", path).status_code == 200
    assert api(bob, "put", path, version=1, name="x").status_code == 403
    assert api(bob, "post", "/contacts", email="b@firm.pl").status_code == 403
    assert api(bob, "get", "/contacts/export").status_code == 403


def test_a_file_is_brought_in_by_steps(api, alice):
    file = SimpleUploadedFile("klienci.csv", "E-mail;Imię\na@firm.pl;Ala\nnope;Ola\nb@firm.pl;Ewa\n".encode())
    run = api(alice, "post", "/imports", file=file).json()
    assert (run["state"], run["choices"]["mapping"]["0"], run["choices"]["new_list"]) == (
        "new",
        "email",
        "klienci",
    )
    path = f"/imports/{run['id']}"
    assert api(alice, "post", f"{path}/run").json()["code"] == "IMPORT_STATE"
    assert api(alice, "put", path, existing="replace", new_list="Klienci").json()["state"] == "new"
    assert api(alice, "post", f"{path}/check").status_code == 202
    import_check(import_id=run["id"])
    assert api(alice, "get", path).json()["state"] == "checked"
    assert api(alice, "post", f"{path}/run").status_code == 202
    import_run(import_id=run["id"])
    done = api(alice, "get", path).json()
    assert (done["state"], done["added"], done["rejected"], done["percent"]) == ("done", 2, 1, 100)
    assert ContactList.objects.get(id=done["list"]).name == "Klienci"
    wrong = api(alice, "get", f"{path}/errors").json()
    assert [(one["line"], one["value"]) for one in wrong["items"]] == [(3, "nope")]
    assert [one["id"] for one in api(alice, "get", "/imports").json()["items"]] == [run["id"]]
    assert api(alice, "delete", path).status_code == 409


def test_no_table_is_no_import(api, alice):
    refused = api(alice, "post", "/imports", file=SimpleUploadedFile("a.csv", b""))
    assert (refused.status_code, refused.json()["field"]) == (422, "file")


def test_the_limits_of_the_firm_are_read_and_set(api, alice, bob, cast):
    make_account(cast.alice, port=25, per_minute=30)
    told = api(alice, "put", "/sending", per_minute=600, per_hour=0, parallel_runs_each=2).json()
    assert told["workspace"]["per_minute"] == 600
    assert told["workspace"]["parallel_runs_each"] == 2
    limits = told["accounts"][0]["limits"]
    assert [(one["whose"], one["window_s"], one["limit"], one["used"]) for one in limits] == [
        ("account", 60, 30, 0),
        ("workspace", 60, 600, 0),
    ]
    assert api(bob, "put", "/sending", per_minute=0, per_hour=0, parallel_runs_each=0).status_code == 403
    assert api(alice, "put", "/sending/slots", parallel_runs=3).json()["slots"]["configured"] == 3
    assert api(bob, "put", "/sending/slots", parallel_runs=0).status_code == 403


def test_files_are_attached_to_a_draft_and_the_draft_deleted_and_restored(api, alice, cast):
    campaign = make_campaign(cast.alice, make_account(cast.alice, port=25))
    path = f"/campaigns/{campaign.id}"
    file = SimpleUploadedFile("../cennik.pdf", b"%PDF", content_type='text/html("x")')
    made = api(alice, "post", f"{path}/attachments", file=file)
    assert made.status_code == 201
    assert (made.json()["name"], made.json()["content_type"]) == ("cennik.pdf", "application/octet-stream")
    assert api(alice, "get", path).json()["attachments"] == [made.json()]
    assert api(alice, "delete", f"{path}/attachments/{made.json()['id']}").status_code == 204
    assert api(alice, "get", path).json()["attachments"] == []
    assert api(alice, "delete", path).status_code == 204
    assert api(alice, "get", path).status_code == 404
    assert api(alice, "post", f"{path}/restore").json()["id"] == campaign.id


@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
def test_what_is_no_text_is_refused_with_its_field(api, alice, text):
    refused = api(alice, "post", "/contacts", email="a@firm.pl", name=text)
    assert (refused.status_code, refused.json()["field"]) == (422, "name")


def test_broken_deep_and_large_json_is_refused(as_user, alice):
    web = as_user(alice)

    def post(body):
        return web.post("/api/v1/contacts", body, content_type="application/json")

    assert post("{").status_code == 400
    assert post("[" * 200_000).status_code == 400
    assert post('{"email": "a@firm.pl", "name": "' + "a" * 3_000_000 + '"}').status_code == 413
    assert post('"x"').status_code == 422
    assert web.get("/api/v1/contacts?q=%00").status_code == 422
    assert web.get("/api/v1/campaigns?at=x").json()["field"] == "at"
    assert web.get(f"/api/v1/contacts/{10**30}").status_code == 404


def test_the_document_names_every_operation_and_answer(client):
    document = client.get("/api/openapi.json").json()
    assert document["openapi"].startswith("3.")
    acts = [act for path in document["paths"].values() for act in path.values()]
    names = [act["operationId"] for act in acts]
    assert len(names) == len(set(names)) > 100
    for act in acts:
        assert {"401", "403", "429"} <= set(act["responses"]), act["operationId"]
        assert all(one["description"] for one in act["responses"].values())


def test_no_two_shapes_of_the_document_share_a_name():
    """They stand in one place there, by name alone: the second would describe the answers of the first."""
    shapes = {}
    for router in (one for _prefix, one in api_of_all._routers):
        for view in router.path_operations.values():
            for operation in view.operations:
                models = [*operation.models, *operation.response_models.values()]
                for shape in _shapes([one for one in models if one not in (None, NOT_SET)]):
                    assert shapes.setdefault(shape.__name__, shape) is shape, shape


def _shapes(models):
    """Our own schemas among these and within them."""
    seen, waiting = set(), list(models)
    while waiting:
        one = waiting.pop()
        if isinstance(one, type) and issubclass(one, BaseModel):
            if one in seen:
                continue
            seen.add(one)
            waiting += [field.annotation for field in one.model_fields.values()]
        else:
            waiting += get_args(one)
    return {one for one in seen if one.__module__.startswith("postroom.")}
