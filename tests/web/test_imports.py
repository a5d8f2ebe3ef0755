"""Contacts > Imports, from the upload to the people and back."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from postroom.actions.import_check import import_check
from postroom.actions.import_run import import_run
from postroom.actions.import_undo import import_undo
from postroom.actions.suppression import suppression_enter
from postroom.models.contact import Contact, ImportRun

pytestmark = pytest.mark.django_db

FILE = (
    "Imię;Nazwisko;E-mail;Firma;Nr klienta\r\n"
    "Żaneta;Świątek;zaneta@meble.example;Meble Klon;K-1\r\n"
    "Łukasz;Zięba;lukasz@zieba.example;;K-2\r\n"
    "Zły;Adres;not an address;;K-3\r\n"
)


@pytest.fixture
def web(as_user, alice):
    return as_user(alice)


def upload(web, data=FILE, encoding="cp1250", name="klienci-2026.csv"):
    raw = data if isinstance(data, bytes) else data.encode(encoding)
    return web.post("/contacts/imports/new/", {"file": SimpleUploadedFile(name, raw)})


def fields_of(page):
    """What the browser would send: chosen options, ticked boxes, texts of the form of columns."""
    form = page.split('<form id="columns"')[1].split("</form>")[0]
    sent = {}
    for name, body in re.findall(r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', form, re.S):
        chosen = re.search(r'<option value="([^"]*)" selected', body) or re.search(
            r'<option value="([^"]*)"', body
        )
        sent[name] = chosen[1].replace("&#x27;", "'")
    for tag in re.findall(r"<input[^>]*>", form):
        name, value = re.search(r'name="([^"]+)"', tag)[1], re.search(r'value="([^"]*)"', tag)
        if "checkbox" in tag or "radio" in tag:
            if "checked" in tag:
                sent[name] = value[1] if value else "on"
        elif name != "csrfmiddlewaretoken":
            sent[name] = value[1]
    return sent


def test_a_file_is_looked_at_checked_brought_in_and_taken_back(cast, web):
    suppression_enter(viewer=cast.alice, entry="@zieba.example")
    answer = upload(web)
    run = ImportRun.objects.get()
    assert answer.headers["Location"] == f"/contacts/imports/{run.id}/"
    page = web.get(answer.headers["Location"]).content.decode()
    assert "Żaneta Świątek · Łukasz Zięba" in page
    assert "New field: Nr klienta" in page
    assert "2 valid, 1 not" in page
    sent = fields_of(page)
    assert sent["col-2"] == "email"
    assert sent["encoding"] == "cp1250"
    assert sent["new_list"] == "klienci-2026"
    web.post(f"/contacts/imports/{run.id}/", {**sent, "go": "check"})
    live = web.get(f"/contacts/imports/{run.id}/").content.decode()
    assert "Checking every row" in live
    assert "data-poll" in live
    import_check(import_id=run.id)
    gone = web.get(f"/contacts/imports/{run.id}/live/")
    assert gone.headers["HX-Redirect"] == f"/contacts/imports/{run.id}/"
    page = web.get(f"/contacts/imports/{run.id}/?line=2").content.decode()
    assert "Import 2 people" in page
    assert "not an address" in page
    assert "1 person in this file has unsubscribed or is suppressed" in page
    assert "Meble Klon" in page
    web.post(f"/contacts/imports/{run.id}/run/")
    import_run(import_id=run.id)
    assert "See the people" in web.get(f"/contacts/imports/{run.id}/").content.decode()
    assert "Świątek" in web.get("/contacts/?q=swiatek").content.decode()
    assert "klienci-2026.csv" in web.get("/contacts/imports/").content.decode()
    web.post(f"/contacts/imports/{run.id}/undo/")
    import_undo(import_id=run.id)
    assert "2 people were removed." in web.get(f"/contacts/imports/{run.id}/").content.decode()
    assert not Contact.objects.exists()


@pytest.mark.req("PI-09")
def test_fifty_thousand_rows_in_windows_1250_come_in_through_the_pages(web):
    rows = [
        f"Żaneta{n};Świątek-Źdźbło;osoba{n}@firma{n % 700}.example;Łąka i Gęś sp. z o.o.;K-{n:05d}"
        for n in range(1, 50_001)
    ]
    upload(web, "Imię;Nazwisko;E-mail;Firma;Nr klienta\r\n" + "\r\n".join(rows) + "\r\n")
    run = ImportRun.objects.get()
    here = f"/contacts/imports/{run.id}/"
    page = web.get(here).content.decode()
    assert "Żaneta1 Świątek-Źdźbło" in page
    web.post(here, {**fields_of(page), "go": "check"})
    import_check(import_id=run.id)
    page = web.get(
        f"{here}?line=50000"
    ).content.decode()  # line 50 000 of the file: row 49 999 below the heading
    for words in (
        "Żaneta49999",
        "Świątek-Źdźbło",
        "osoba49999@firma299.example",
        "Łąka i Gęś sp. z o.o.",
        "K-49999",
    ):
        assert words in page
    web.post(f"{here}run/")
    import_run(import_id=run.id)
    found = web.get("/contacts/?q=zaneta49999+zdzblo").content.decode()
    assert "Żaneta49999 Świątek-Źdźbło" in found
    assert Contact.objects.count() == 50_000


def test_another_alphabet_shows_other_names_at_once(web):
    upload(web)
    run = ImportRun.objects.get()
    sent = fields_of(web.get(f"/contacts/imports/{run.id}/").content.decode())
    web.post(f"/contacts/imports/{run.id}/", {**sent, "encoding": "cp1251"})
    page = web.get(f"/contacts/imports/{run.id}/").content.decode()
    assert "Żaneta" not in page
    sent = fields_of(page)
    assert sent["encoding"] == "cp1251"
    assert sent["col-2"] == "email"


def test_another_separator_makes_other_columns(web):
    upload(web, "name,mail;work\nJan,jan@b.example;x\n", "utf-8")
    run = ImportRun.objects.get()
    sent = fields_of(web.get(f"/contacts/imports/{run.id}/").content.decode())
    web.post(f"/contacts/imports/{run.id}/", {**sent, "separator": ","})
    assert set(ImportRun.objects.get().choices["mapping"]) == {"0", "1"}
    web.post(f"/contacts/imports/{run.id}/", {**sent, "separator": ";"})
    assert ImportRun.objects.get().choices["separator"] == ";"


def test_a_wrong_column_can_be_chosen_and_is_told(web):
    upload(web)
    run = ImportRun.objects.get()
    sent = fields_of(web.get(f"/contacts/imports/{run.id}/").content.decode())
    answer = web.post(f"/contacts/imports/{run.id}/", {**sent, "col-2": "", "go": "check"})
    assert answer.status_code == 422
    assert "Choose the column that holds the e-mail address" in answer.content.decode()
    twice = web.post(f"/contacts/imports/{run.id}/", {**sent, "col-0": "email", "go": "check"})
    assert twice.status_code == 422
    assert "same field" in twice.content.decode()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"PK\x03\x04\x14\x00", "CSV UTF-8"),
        (b"\r\n\r\n", "The file is empty"),
        (b'"never closed', "quotation mark"),
    ],
)
def test_what_is_no_csv_is_refused_on_the_page(web, data, words):
    answer = upload(web, data)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not ImportRun.objects.exists()


def test_the_report_is_a_file_with_line_column_value_and_reason(web):
    upload(web)
    run = ImportRun.objects.get()
    sent = fields_of(web.get(f"/contacts/imports/{run.id}/").content.decode())
    web.post(f"/contacts/imports/{run.id}/", {**sent, "go": "check"})
    import_check(import_id=run.id)
    answer = web.get(f"/contacts/imports/{run.id}/report/")
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    assert text.splitlines()[0] == "Line;Column;Value;Reason"
    assert text.splitlines()[1].startswith("4;E-mail;not an address;")


def test_a_list_name_that_is_taken_is_told_before_anything_is_stored(cast, web):
    from postroom.actions.contact_list import contact_list_add

    contact_list_add(viewer=cast.alice, name="klienci-2026")
    upload(web)
    run = ImportRun.objects.get()
    sent = fields_of(web.get(f"/contacts/imports/{run.id}/").content.decode())
    web.post(
        f"/contacts/imports/{run.id}/", {**sent, "target": "new", "new_list": "klienci-2026", "go": "check"}
    )
    import_check(import_id=run.id)
    answer = web.post(f"/contacts/imports/{run.id}/run/")
    assert answer.status_code == 409
    assert "There is a list" in answer.content.decode()
    assert not Contact.objects.exists()


def test_a_cancelled_import_leaves_the_list(web):
    upload(web)
    run = ImportRun.objects.get()
    web.post(f"/contacts/imports/{run.id}/cancel/")
    assert "klienci-2026" not in web.get("/contacts/imports/").content.decode()


def test_a_stranger_gets_404(web, as_user, charlie):
    upload(web)
    run = ImportRun.objects.get()
    other = as_user(charlie)
    for path in ("", "live/", "report/"):
        assert other.get(f"/contacts/imports/{run.id}/{path}").status_code == 404
    for path in ("", "run/", "undo/", "cancel/"):
        assert other.post(f"/contacts/imports/{run.id}/{path}").status_code == 404
