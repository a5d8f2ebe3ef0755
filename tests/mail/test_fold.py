import pytest

from postroom.mail.fold import contact_sort_key, fold, search_words, sort_key


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Zażółć gęślą JAŹŃ", "zazolc gesla jazn"),
        ("ŁUKASZ", "lukasz"),
        ("Straße", "strasse"),
        ("Dřevo Novák", "drevo novak"),
        ("Живко Тодоров", "живко тодоров"),
        ("Андрей", "андрей"),
        ("zo\u0301łw", "zolw"),
        ("", ""),
    ],
)
def test_accents_and_case_do_not_count_in_a_search(text, folded):
    assert fold(text) == folded


def test_a_search_is_cut_into_folded_words():
    assert search_words("  Kowalska   Łódź ") == ["kowalska", "lodz"]


def test_polish_names_sort_as_in_a_polish_dictionary():
    names = [
        "Zając",
        "Żak",
        "Źrebak",
        "Ząbek",
        "Ćwik",
        "Cyran",
        "Dąb",
        "Daszek",
        "Łoś",
        "Lis",
        "Luty",
        "Mazur",
    ]
    right = [
        "Cyran",
        "Ćwik",
        "Daszek",
        "Dąb",
        "Lis",
        "Luty",
        "Łoś",
        "Mazur",
        "Zając",
        "Ząbek",
        "Źrebak",
        "Żak",
    ]
    assert sorted(names, key=lambda name: sort_key(name).encode()) == right


def test_bulgarian_names_sort_in_alphabetical_order_after_latin_ones():
    right = ["Zając", "Ангелов", "Иванов", "Йорданов", "Якимов"]
    assert sorted(set(right), key=lambda name: sort_key(name).encode()) == right


def test_punctuation_does_not_move_a_name():
    assert sort_key("Nowak-Kowalska") == sort_key("Nowak Kowalska")
    assert sort_key("O'Brien") == sort_key("OBrien")


def test_a_contact_without_a_name_is_placed_by_company_then_by_address():
    assert contact_sort_key(name="Jan", surname="Nowak", company="A", email="a@b.pl") == "nowak jan"
    assert contact_sort_key(name="", surname="", company="Alfa", email="a@b.pl") == "alfa"
    assert contact_sort_key(name="", surname="", company="", email="a@b.pl") == "a@b pl"
