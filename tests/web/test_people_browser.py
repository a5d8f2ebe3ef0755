"""People, imports and templates in a real browser."""

import pytest

from postroom.actions.contact import ContactValues, attribute_key_add, contact_add
from postroom.actions.contact_list import contact_list_add
from postroom.actions.import_check import import_check
from postroom.actions.import_run import import_run
from postroom.models.contact import Contact, ImportRun, ListMember
from postroom.models.template import Template
from postroom.testing.cast import make_list

pytestmark = pytest.mark.django_db(transaction=True)

FILE = "Imię;Nazwisko;E-mail;Firma;Nr klienta\r\n" + "".join(
    f"{name};{surname};osoba{number}@firma.example;{firm};K-{number:05d}\r\n"
    for number, (name, surname, firm) in enumerate(
        [
            ("Żaneta", "Świątek", "Meble Klon sp. z o.o."),
            ("Łukasz", "Zięba", "Zięba i Syn"),
            ("Grażyna", "Dąbrowska", "Stolarnia Dąbek"),
            ("Józef", "Gąsior", ""),
        ]
    )
)


@pytest.fixture
def shot(request):
    """shot(page, name): keeps a picture in the folder that SHOTS names."""
    import os
    from pathlib import Path

    folder = os.environ.get("SHOTS", "")

    def take(page, name):
        if folder:
            page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)

    return take


def test_a_file_is_brought_in_by_clicking(browse, cast, tmp_path, shot):
    file = tmp_path / "klienci-2026.csv"
    file.write_bytes((FILE + "Zły;Adres;zly adres;;\r\n").encode("cp1250"))
    page = browse(cast.alice.user)
    page.goto("/contacts/")
    shot(page, "people-empty")
    page.locator("main").get_by_role("link", name="Import a file").click()
    page.set_input_files("#file", file)
    shot(page, "import-file")
    page.get_by_role("button", name="Look at the file").click()
    page.get_by_text("Żaneta Świątek · Łukasz Zięba").wait_for()
    shot(page, "import-columns")
    page.get_by_label("Alphabet").select_option("cp1251")
    page.get_by_text("Żaneta").wait_for(state="detached")
    page.get_by_label("Alphabet").select_option("cp1250")
    page.get_by_text("Żaneta Świątek · Łukasz Zięba").wait_for()
    page.get_by_role("button", name="Check all rows").click()
    page.get_by_text("Checking every row").wait_for()
    shot(page, "import-checking")
    run = ImportRun.objects.get()
    import_check(import_id=run.id)
    page.get_by_role("button", name="Import 4 people").wait_for()  # the block reloaded the page by itself
    shot(page, "import-checked")
    page.get_by_role("button", name="Import 4 people").click()
    page.get_by_text("Waiting for its turn").wait_for()
    import_run(import_id=run.id)
    page.get_by_role("link", name="See the people").wait_for()
    shot(page, "import-done")
    page.get_by_role("link", name="See the people").click()
    page.get_by_text("Grażyna Dąbrowska").wait_for()
    assert Contact.objects.count() == 4


def test_a_selection_shows_its_bar_and_is_deleted_and_brought_back(browse, cast, shot):
    people(cast)
    page = browse(cast.alice.user)
    page.goto("/contacts/")
    assert not page.locator(".pr-bulk").is_visible()
    page.get_by_label("Select Żaneta Świątek").check()
    page.get_by_label("Select Łukasz Zięba").check()
    page.locator(".pr-bulk").get_by_text("2 selected").wait_for()
    shot(page, "people-selected")
    page.get_by_role("button", name="Delete…").click()
    page.get_by_role("button", name="Delete 2").click()
    page.get_by_text("2 people are deleted.").wait_for()
    assert Contact.objects.count() == 10
    page.keyboard.press("z")
    page.get_by_text("2 people are back.").wait_for()
    assert Contact.objects.count() == 12


def test_people_are_put_on_one_of_many_lists_found_by_its_name(browse, cast, shot):
    people(cast)
    for number in range(130):
        contact_list_add(viewer=cast.alice, name=f"Lista {number:03}")
    wanted = contact_list_add(viewer=cast.alice, name="Żłobki")
    page = browse(cast.alice.user)
    page.goto("/contacts/")
    assert "Lista 001" not in page.content()  # they come when they are wanted
    page.get_by_label("Select Żaneta Świątek").check()
    page.get_by_role("button", name="Add to list…").click()
    page.get_by_text("and 32 more lists").wait_for(state="attached")
    page.get_by_label("Find a list").press_sequentially("zlob")
    page.get_by_role("option", name="Lista 001").wait_for(state="detached")
    page.get_by_label("Find a list").press("Enter")  # not yet
    shot(page, "people-list")
    page.get_by_label("List", exact=True).select_option(label="Żłobki (0)")
    page.get_by_role("button", name="Add to list", exact=True).click()
    page.get_by_text("1 person is new on “Żłobki”.").wait_for()
    on = ListMember.objects.filter(contact_list=wanted)
    assert [one.contact.surname for one in on.select_related("contact")] == ["Świątek"]
    # on the page of a list, Enter beside the name of a new one makes it and takes nobody off
    page.goto(f"/contacts/?list={wanted.id}")
    page.get_by_label("Select Żaneta Świątek").check()
    page.get_by_role("button", name="Add to list…").click()
    page.get_by_text("and 32 more lists").wait_for(state="attached")
    page.get_by_label("List", exact=True).select_option("new")
    page.get_by_label("Name of a new list").fill("Nowa")
    page.get_by_label("Name of a new list").press("Enter")
    page.get_by_text("1 person is new on “Nowa”.").wait_for()
    assert on.count() == 1


def test_a_field_is_put_where_the_cursor_stands_and_the_preview_follows(browse, cast, shot):
    people(cast)
    page = browse(cast.alice.user)
    page.goto("/templates/new/")
    page.get_by_label("Name", exact=True).fill("Oferta")
    page.get_by_label("Subject").fill("Oferta dla ")
    page.locator("form").get_by_role("button", name="Insert field").click()
    page.get_by_label("If it is empty, write instead").fill("Państwa")
    shot(page, "template-fields")
    page.get_by_role("button", name="Company company").click()
    assert page.get_by_label("Subject").input_value() == 'Oferta dla {{ company | default: "Państwa" }}'
    page.get_by_label("Text with layout (HTML)").fill(
        "<h1 style='color:#2345b5'>Dzień dobry, {{ name }}!</h1><p>Nr klienta: <b>{{ nr_klienta }}</b></p>"
    )
    page.get_by_label("As which person").select_option(label="Żaneta Świątek")
    page.locator(".pr-subj", has_text="Oferta dla Meble Klon sp. z o.o.").wait_for()
    page.frame_locator(".pr-mailframe").get_by_text("Dzień dobry, Żaneta!").wait_for()
    shot(page, "template-edit")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("version 1").wait_for()
    assert Template.objects.get().subject.startswith("Oferta dla {{ company")


def people(cast):
    key = attribute_key_add(viewer=cast.alice, label="Nr klienta")
    names = [
        ("Żaneta", "Świątek", "Meble Klon sp. z o.o."),
        ("Łukasz", "Zięba", "Zięba i Syn"),
        ("Grażyna", "Dąbrowska", "Stolarnia Dąbek"),
        ("Józef", "Gąsior", ""),
        ("Елена", "Петрова", "Мебели Рила"),
        ("", "", "Bright Homes Ltd"),
        ("Maria Magdalena", "Wierzchowska-Kędzierzawska", "Przedsiębiorstwo Wielobranżowe „Łąka”"),
        ("Lars", "Holm", "Holm Interiør"),
        ("Petr", "Novák", "Dřevo Novák"),
        ("James", "Whitlock", "Northgate Joinery"),
        ("", "", ""),
        ("Ćwiek", "Ńowak", ""),
    ]
    found = []
    for number, (name, surname, company) in enumerate(names):
        values = ContactValues(
            email=f"osoba{number}@firma{number}.example",
            name=name,
            surname=surname,
            company=company,
            attributes={key.key: f"K-{number:05d}"},
        )
        found.append(contact_add(viewer=cast.alice, values=values))
    make_list(cast.alice, [], name="Klienci hurtowi 2026")
    return found
