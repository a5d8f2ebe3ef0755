"""An import from the file to the people, as the worker and the pages do it."""

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from postroom.actions import imports
from postroom.actions.contact import ContactValues, contact_add, contact_edit
from postroom.actions.contact_list import contact_list_add, contact_list_fill
from postroom.actions.import_check import import_check
from postroom.actions.import_guess import import_guess, import_preview
from postroom.actions.import_run import import_run
from postroom.actions.import_stage import stage_count
from postroom.actions.import_undo import import_undo
from postroom.actions.suppression import suppression_add
from postroom.errors import Conflict, InputError, NotFound
from postroom.models.contact import Contact, ContactList, ContactSearch, ImportRun, ListMember
from postroom.models.delivery import Delivery
from postroom.models.suppression import Suppression
from postroom.queries.contact import contact_page
from postroom.queries.imports import import_errors, import_row, import_visible_to
from postroom.testing.cast import make_cast

pytestmark = pytest.mark.django_db

HEADER = "Imię;Nazwisko;E-mail;Firma;Nr klienta\r\n"


@pytest.fixture
def cast():
    return make_cast()


@pytest.fixture
def start(tmp_path, cast):
    def make(data: str | bytes, encoding: str = "utf-8", name: str = "klienci.csv", viewer=None) -> ImportRun:
        path = tmp_path / "upload"
        path.write_bytes(data if isinstance(data, bytes) else data.encode(encoding))
        return imports.import_start(viewer=viewer or cast.alice, file=path, file_name=name)

    return make


def check(viewer, run, **choices):
    if choices:
        imports.import_choose(viewer=viewer, import_id=run.id, choices=choices)
    imports.import_check_ask(viewer=viewer, import_id=run.id)
    import_check(import_id=run.id)
    run.refresh_from_db()
    return run


def bring_in(viewer, run, **choices):
    check(viewer, run, **choices)
    assert run.state == "checked", run.error
    imports.import_run_ask(viewer=viewer, import_id=run.id)
    import_run(import_id=run.id)
    run.refresh_from_db()
    return run


def undo(viewer, run):
    imports.import_undo_ask(viewer=viewer, import_id=run.id)
    import_undo(import_id=run.id)
    run.refresh_from_db()
    return run


@pytest.mark.req("PI-09")
def test_fifty_thousand_rows_in_windows_1250_come_in_with_every_polish_letter(cast, start):
    rows = [
        f"Żaneta{n};Świątek-Źdźbło;osoba{n}@firma{n % 700}.example;Łąka i Gęś sp. z o.o.;K-{n:05d}"
        for n in range(1, 50_001)
    ]
    run = start(HEADER + "\r\n".join(rows) + "\r\n", "cp1250")
    assert run.choices["encoding"] == "cp1250"
    assert run.choices["separator"] == ";"
    assert import_preview(run)["names"][0] == "Żaneta1 Świątek-Źdźbło"
    check(cast.alice, run)
    assert (run.rows, run.rejected, run.duplicates) == (50_000, 0, 0)
    row = import_row(run, 50_000)  # line 50 000 of the file: row 49 999 below the heading
    assert row == {
        "line": 50_000,
        "email": "osoba49999@firma299.example",
        "name": "Żaneta49999",
        "surname": "Świątek-Źdźbło",
        "salutation": "",
        "company": "Łąka i Gęś sp. z o.o.",
        "kind": "",
        "language": "",
        "attributes": '{"nr_klienta": "K-49999"}',
    }
    imports.import_run_ask(viewer=cast.alice, import_id=run.id)
    import_run(import_id=run.id)
    run.refresh_from_db()
    assert (run.state, run.added) == ("done", 50_000)
    found = contact_page(cast.alice, words="zaneta49999 zdzblo").rows
    assert [str(row.contact) for row in found] == ["Żaneta49999 Świątek-Źdźbło"]
    assert found[0].contact.attributes == {"nr_klienta": "K-49999"}
    assert ContactList.objects.get(id=run.target_list_id).size == 50_000


@pytest.mark.parametrize(
    ("encoding", "words", "expected"),
    [
        ("utf-8", "Józef;Gąsior", "utf-8"),
        ("utf-8-sig", "Józef;Gąsior", "utf-8"),
        ("cp1250", "Żaneta;Świątek", "cp1250"),
        ("iso8859-2", "Żaneta;Świątek", "iso-8859-2"),
        ("cp1251", "Живко;Петров", "cp1251"),
        ("cp1251", "ЖИВКО;ПЕТРОВ", "cp1251"),
        ("koi8-r", "Живко;Петров", "koi8-r"),
        ("utf-16", "Żaneta;Świątek", "utf-16"),
        ("utf-16-le", "Jan;Nowak", "utf-16-le"),
        ("ascii", "Jan;Nowak", "utf-8"),
    ],
)
def test_the_alphabet_is_guessed_from_the_names(start, encoding, words, expected):
    run = start(f"name;surname;email\r\n{words};a@b.example\r\n".encode(encoding))
    assert run.choices["encoding"] == expected
    preview = import_preview(run)
    assert preview["names"] == [words.replace(";", " ")]


@pytest.mark.parametrize("sign", [";", ",", "\t", "|"])
def test_the_separator_is_guessed(start, sign):
    run = start(f"name{sign}email\nJan{sign}jan@nowak.example\n")
    assert run.choices["separator"] == sign
    assert run.choices["mapping"] == {"0": "name", "1": "email"}


def test_the_separator_line_of_excel_is_no_row(cast, start):
    run = bring_in(cast.alice, start("sep=;\r\nname;email\r\nJan;jan@nowak.example\r\n"))
    assert (run.rows, run.added, run.rejected) == (1, 1, 0)


def test_a_file_without_heading_is_understood(cast, start):
    run = bring_in(cast.alice, start("jan@nowak.example\nanna@nowak.example\n"))
    assert run.choices["has_header"] is False
    assert run.added == 2


def test_the_same_file_once_more_goes_onto_the_same_list(cast, start):
    rows = "name;email\nAnn;ann@example.net\n"
    bring_in(cast.alice, start(rows))
    bring_in(cast.alice, start(rows + "Ben;ben@example.net\n"))
    assert [(one.name, one.size) for one in ContactList.objects.all()] == [("klienci", 2)]


def test_a_wrong_guess_can_be_changed(cast, start):
    run = start("name;email\r\nŽofia;z@b.example\r\n".encode("cp1250"))
    bring_in(cast.alice, run, encoding="iso-8859-2")
    assert Contact.objects.get().name != "Žofia"
    again = start("name;email\r\nŽofia;z@b.example\r\n".encode("cp1250"))
    bring_in(cast.alice, again, encoding="cp1250", existing="replace", new_list="")
    assert Contact.objects.get().name == "Žofia"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf\r\n\r\n", "empty"),
        (b"PK\x03\x04\x14\x00\x06\x00", "spreadsheet"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "Excel"),
        (b"%PDF-1.7\n", "PDF"),
        (b"<!doctype html><html>", "web page"),
        (b"\0" * 500, "empty"),
        (b'"' + b"x" * 3_000_000, "No row of the file can be read"),
    ],
)
def test_what_is_no_csv_is_refused_with_a_word_of_what_to_do(start, data, words):
    with pytest.raises(InputError, match=words) as caught:
        start(data)
    assert caught.value.field == "file"


def test_a_heading_alone_is_an_error_at_the_check(cast, start):
    run = check(cast.alice, start("name;email\r\n"), mapping={"0": "name", "1": "email"})
    assert run.state == "failed"
    assert "no rows" in run.error


def test_a_column_with_addresses_is_needed(cast, start):
    run = start("name;firma\r\nJan;Nowak\r\n")
    with pytest.raises(InputError, match="e-mail address"):
        imports.import_check_ask(viewer=cast.alice, import_id=run.id)


def test_two_columns_cannot_go_to_one_field(cast, start):
    run = start("a;b\r\nJan;jan@b.example\r\n")
    with pytest.raises(InputError, match="same field"):
        imports.import_choose(
            viewer=cast.alice, import_id=run.id, choices={"mapping": {"0": "email", "1": "email"}}
        )


def test_bad_rows_are_reported_by_line_column_and_reason_and_the_others_come_in(cast, start):
    data = (
        b"name;surname;email\r\n"
        b"Jan;Nowak;jan@b.example\r\n"
        b"Anna;Nowak;anna at b.example\r\n"
        b'Ewa;"Nowak;ewa@b.example\r\n'
        b"Ola;Nowak;ola@b.example\r\n"
        b"Nul\0;Nowak;nul@b.example\r\n"
        b"\xc5\xbbaneta;Nowak;zaneta@b.example\r\n"
        b"\xaf\xf3;Nowak;mixed@b.example\r\n"
        b"Iza;Nowak;iza@b.example;one;too;many\r\n"
        b"Jan;Again;JAN@B.example\r\n"
        b"Long;" + b"x" * 300 + b";long@b.example\r\n"
        b"Ala;" + b"y" * (10 << 20) + b";huge@b.example\r\n"
        b";;\r\n"
        b"Last;Nowak;last@b.example\r\n"
    )
    many = "".join(f"\u0141ukasz;N;l{n}@b.example\r\n" for n in range(20)).encode()  # lines 2 to 21
    data = data.replace(b"email\r\n", b"email\r\n" + many, 1)
    run = bring_in(cast.alice, start(data))
    report = {error.line: error for error in import_errors(run, 100)}
    assert sorted(set(Contact.objects.values_list("name", flat=True))) == [
        "Jan",
        "Last",
        "Ola",
        "Łukasz",
        "Żaneta",
    ]
    assert sorted(report) == [23, 24, 26, 28, 29, 30, 31, 32]
    assert (report[23].column, report[23].value) == ("email", "anna at b.example")
    assert "@-sign" in report[23].reason
    assert "quotation mark" in report[24].reason
    assert "NUL" in report[26].reason
    assert "another alphabet" in report[28].reason
    assert "6 columns" in report[29].reason
    assert report[30].reason == "The same address as in line 22."
    assert (report[31].column, report[31].reason) == ("surname", "Longer than 200 characters.")
    assert "longer than a million" in report[32].reason
    assert (run.rows, run.added, run.duplicates, run.rejected) == (32, 24, 1, 7)


def test_a_row_of_another_alphabet_in_a_windows_file_is_noticed(cast, start):
    lines = [f"Żółw{n};z{n}@b.example".encode("cp1250") for n in range(30)]
    lines.insert(7, "Łukasz;l@b.example".encode())
    run = bring_in(cast.alice, start(b"name;email\r\n" + b"\r\n".join(lines)))
    assert run.choices["encoding"] == "cp1250"
    assert [error.line for error in import_errors(run)] == [9]


def test_an_open_quote_does_not_swallow_the_rest_of_a_long_file(cast, start):
    rows = [f"Jan{n};jan{n}@b.example" for n in range(3000)]
    rows[10] = '"Open;open@b.example'
    run = bring_in(cast.alice, start("name;email\r\n" + "\r\n".join(rows)))
    assert (run.added, run.rejected) == (2999, 1)


def test_a_file_of_nothing_but_open_quotes_ends_with_a_word(start):
    rows = "\r\n".join(f'"Jan{n};jan{n}@b.example x' for n in range(6000))
    with pytest.raises(InputError, match="broken quotation marks; the last is line"):
        start("name;email\r\nA;a@b.example\r\n" + rows)


def test_cells_with_line_breaks_tabs_and_backslashes_arrive_whole(cast, start):
    run = bring_in(cast.alice, start('name,email,note\n"a\tb\nc \\n",a@b.example,"say ""hi"" \\ {x}"\n'))
    contact = Contact.objects.get()
    assert contact.name == "a b c \\n"
    assert contact.attributes == {"note": 'say "hi" \\ {x}'}
    assert run.added == 1


def test_a_full_name_is_taken_apart(cast, start):
    bring_in(cast.alice, start("Imię i nazwisko;E-mail\nAnna Maria Wójcik;a@b.example\nPlaton;p@b.example\n"))
    people = Contact.objects.order_by("email").values_list("name", "surname")
    assert list(people) == [("Anna Maria", "Wójcik"), ("Platon", "")]


@pytest.mark.parametrize(
    ("rule", "company", "attributes"),
    [
        ("fill", "Old", {"nr": "1", "city": "Łódź"}),
        ("replace", "New", {"nr": "2", "city": "Łódź"}),
        ("leave", "Old", {"nr": "1"}),
    ],
)
def test_people_who_were_here_are_filled_replaced_or_left(cast, start, rule, company, attributes):
    bring_in(cast.alice, start("name;email;firma;nr\n;jan@b.example;Old;1\n"))
    run = bring_in(
        cast.alice,
        start("name;email;firma;nr;city\nJan;JAN@b.example;New;2;Łódź\nEwa;ewa@b.example;E;3;\n"),
        existing=rule,
        new_list="Both",
    )
    contact = Contact.objects.get(canonical="jan@b.example")
    assert (contact.company, contact.attributes) == (company, attributes)
    assert contact.name == ("" if rule == "leave" else "Jan")
    assert run.existing == 1
    assert (run.added, run.updated, run.unchanged) == ((1, 0, 1) if rule == "leave" else (1, 1, 0))
    assert run.target_list.size == ListMember.objects.filter(contact_list=run.target_list).count() == 2
    found = contact_page(cast.alice, words=f"jan@ {company}").rows
    assert [row.contact for row in found] == [contact]


def test_an_empty_cell_never_empties_anything(cast, start):
    bring_in(cast.alice, start("name;email\nJan;jan@b.example\n"))
    bring_in(cast.alice, start("name;email\n;jan@b.example\n"), existing="replace", new_list="")
    assert Contact.objects.get().name == "Jan"


def test_who_has_left_stays_out_whatever_is_imported(cast, start):
    firm = cast.alice.workspace.id
    entries = [
        ("address", "gone@b.example", "unsubscribe"),
        ("domain", "firm.example", "manual"),
        ("subdomains", "school.example", "import"),
        ("local", "jobs", "complaint"),
    ]
    for form, value, source in entries:
        suppression_add(workspace_id=firm, entry_form=form, value=value, source=source)
    before = list(Suppression.objects.order_by("id").values())
    data = "email\ngone@b.example\nx@firm.example\nx@a.school.example\nx@school.example\njobs@c.example\nok@b.example\n"
    run = bring_in(cast.alice, start(data))
    assert run.left_before == 4
    assert run.added == 6
    bring_in(cast.alice, start(data), existing="replace", new_list="")
    assert list(Suppression.objects.order_by("id").values()) == before


def test_who_came_in_between_check_and_storing_is_kept(cast, start):
    run = check(cast.alice, start("name;email\nJan;jan@b.example\nEwa;ewa@b.example\n"))
    assert run.existing == 0
    contact_add(viewer=cast.bob, values=ContactValues(email="jan@b.example", name="Bob's Jan"))
    imports.import_run_ask(viewer=cast.alice, import_id=run.id)
    import_run(import_id=run.id)
    run.refresh_from_db()
    assert (run.state, run.added, run.unchanged) == ("done", 1, 1)
    assert set(Contact.objects.values_list("name", flat=True)) == {"Bob's Jan", "Ewa"}


def test_an_import_that_was_killed_goes_on_where_it_ended(cast, start, monkeypatch):
    from postroom.actions import import_run as module

    monkeypatch.setattr(module, "PART_LINES", 100)
    run = start("email\n" + "".join(f"p{n}@b.example\n" for n in range(1000)))
    check(cast.alice, run)
    imports.import_run_ask(viewer=cast.alice, import_id=run.id)
    for _ in range(3):
        module._part(run.id)
    run.refresh_from_db()
    assert (run.done, run.added, Contact.objects.count()) == (300, 299, 299)
    import_run(import_id=run.id)
    run.refresh_from_db()
    assert (run.state, run.added, Contact.objects.count()) == ("done", 1000, 1000)
    assert ContactSearch.objects.count() == 1000
    assert stage_count(run.id) == -1
    import_run(import_id=run.id)  # the job again
    assert Contact.objects.count() == 1000


def test_a_staging_table_lost_in_a_crash_of_the_database_is_made_again(cast, start, monkeypatch):
    from django.db import connection

    from postroom.actions import import_run as module

    monkeypatch.setattr(module, "PART_LINES", 100)
    run = start("email\n" + "".join(f"p{n}@b.example\n" for n in range(500)))
    check(cast.alice, run)
    imports.import_run_ask(viewer=cast.alice, import_id=run.id)
    module._part(run.id)
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE import_stage_{run.id}")
    import_run(import_id=run.id)
    run.refresh_from_db()
    assert (run.state, run.added, Contact.objects.count()) == ("done", 500, 500)


def test_undo_takes_away_who_was_added_and_says_who_stays_and_why(cast, start):
    old = contact_add(viewer=cast.alice, values=ContactValues(email="old@b.example", company="Mine"))
    mine = contact_list_add(viewer=cast.alice, name="Mine")
    run = bring_in(
        cast.alice,
        start(
            "name;email;firma\n"
            + "".join(f"P{n};p{n}@b.example;F\n" for n in range(6))
            + "Old;old@b.example;X\n"
        ),
        existing="replace",
    )
    assert (run.added, run.updated) == (6, 1)
    p0, p1, p2 = (Contact.objects.get(canonical=f"p{n}@b.example") for n in range(3))
    Delivery.objects.create(
        workspace=cast.alice.workspace, contact=p0, address=p0.email, canonical=p0.canonical
    )
    contact_edit(
        viewer=cast.alice, contact_id=p1.id, version=1, values=ContactValues(email=p1.email, name="Changed")
    )
    contact_list_fill(viewer=cast.alice, list_id=mine.id, contact_ids=[p2.id])
    undo(cast.alice, run)
    assert run.state == "undone"
    assert run.figures["undone"] == {
        "removed": 3,
        "restored": 1,
        "mailed": 1,
        "changed": 1,
        "listed": 1,
        "kept_changes": 0,
    }
    assert set(Contact.objects.values_list("id", flat=True)) == {old.id, p0.id, p1.id, p2.id}
    old.refresh_from_db()
    assert (old.name, old.company) == ("", "Mine")
    assert ContactList.objects.get(id=run.target_list_id).size == 3
    assert [str(row.contact) for row in contact_page(cast.alice, words="mine").rows] == ["old@b.example"]


def test_undo_keeps_what_was_changed_again_since(cast, start):
    old = contact_add(viewer=cast.alice, values=ContactValues(email="old@b.example", company="Mine"))
    run = bring_in(cast.alice, start("email;firma\nold@b.example;Theirs\n"), existing="replace")
    contact_edit(
        viewer=cast.alice,
        contact_id=old.id,
        version=2,
        values=ContactValues(email=old.email, company="Newest"),
    )
    undo(cast.alice, run)
    old.refresh_from_db()
    assert old.company == "Newest"
    assert run.figures["undone"]["kept_changes"] == 1


def test_an_empty_list_that_the_import_made_goes_with_it(cast, start):
    run = undo(cast.alice, bring_in(cast.alice, start("email\na@b.example\n")))
    assert ContactList.objects.get(id=run.target_list_id).deleted_at is not None
    assert not Contact.objects.exists()


def test_an_import_is_invisible_to_another_firm(cast, start):
    run = start("email\na@b.example\n")
    with pytest.raises(NotFound):
        import_visible_to(cast.charlie, run.id)
    for ask in (
        imports.import_check_ask,
        imports.import_run_ask,
        imports.import_undo_ask,
        imports.import_cancel,
    ):
        with pytest.raises(NotFound):
            ask(viewer=cast.charlie, import_id=run.id)


def test_steps_cannot_be_skipped_or_done_twice(cast, start):
    run = start("email\na@b.example\n")
    with pytest.raises(Conflict):
        imports.import_run_ask(viewer=cast.alice, import_id=run.id)
    bring_in(cast.alice, run)
    with pytest.raises(Conflict):
        imports.import_run_ask(viewer=cast.alice, import_id=run.id)
    with pytest.raises(Conflict):
        imports.import_cancel(viewer=cast.alice, import_id=run.id)


def test_a_cancelled_check_leaves_nothing(cast, start):
    run = start("email\na@b.example\n")
    imports.import_check_ask(viewer=cast.alice, import_id=run.id)
    imports.import_cancel(viewer=cast.alice, import_id=run.id)
    import_check(import_id=run.id)
    run.refresh_from_db()
    assert run.state == "cancelled"
    assert stage_count(run.id) == -1
    assert not Contact.objects.exists()


def test_the_child_that_reads_is_held_to_limits_of_memory_and_time():
    task = json.dumps({"encoding": "utf-8", "separator": ",", "has_header": False, "mapping": {"0": "email"}})
    child = subprocess.Popen(
        [sys.executable, "-c", "from postroom.actions.import_child import main; main()", task],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    limits = Path(f"/proc/{child.pid}/limits")
    held = False
    for _ in range(100):
        held = bool(re.search(r"Max address space +536870912 ", limits.read_text()))
        held = held and bool(re.search(r"Max cpu time +900 ", limits.read_text()))
        if held:
            break
        time.sleep(0.1)
    out, _ = child.communicate(b"a@b.example\n", timeout=20)
    assert held
    assert b"a@b.example" in out


def test_a_file_with_thousands_of_columns_can_be_looked_at(tmp_path):
    path = tmp_path / "wide.csv"
    path.write_text(
        "email," + ",".join(f"c{n}" for n in range(3000)) + "\n" + ("a@b.example" + ",xy" * 3000 + "\n") * 500
    )
    assert import_guess(path)["mapping"]["0"] == "email"
