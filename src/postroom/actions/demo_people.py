"""Invented people and firms for the demo: Polish, Bulgarian and English, all below the reserved domain `example`."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

from postroom.mail.fold import fold

#: Women, then men: first names and surnames that go together.
_NAMES = {
    "pl": (
        (
            "Anna Łucja Małgorzata Zofia Żaneta Katarzyna",
            "Nowak Wójcik Kamińska Lewandowska Zielińska Dąbrowska Król",
        ),
        (
            "Jan Łukasz Paweł Stanisław Michał Grzegorz",
            "Nowak Szymański Woźniak Kozłowski Jankowski Mazur Piątek",
        ),
    ),
    "bg": (
        (
            "Мария Елена Десислава Ивана Радка Цветелина",
            "Петрова Георгиева Николова Христова Ангелова Колева Щерева",
        ),
        ("Иван Георги Димитър Николай Стоян Петър", "Иванов Димитров Стоянов Тодоров Маринов Йорданов Желев"),
    ),
    "en": (
        ("Alice Grace Charlotte Emily Sophie Martha", "Smith Taylor Brown Wilson Evans Walker Cooper"),
        ("Oliver Henry Thomas George Edward William", "Wright Robinson Hughes Green Harris Turner Hill"),
    ),
}
_FIRMS = {
    "pl": (("Wisła Meble", "wisla-pl"), ("Tatry Transport", "tatry-pl"), ("Piekarnia Pod Różą", "roza-pl")),
    "bg": (("Балкан Прес", "balkan-bg"), ("Рила Туризъм", "rila-bg"), ("Розова Долина", "rozova-bg")),
    "en": (("Harbour & Sons", "harbour"), ("Orchard Books", "orchard"), ("Old Mill Bakery", "oldmill")),
}
_CITIES = {
    "pl": ("Kraków", "Łódź", "Gdańsk", "Wrocław"),
    "bg": ("София", "Пловдив", "Варна", "Бургас"),
    "en": ("Bristol", "Leeds", "York", "Bath"),
}
_LATIN = str.maketrans(
    dict(
        zip(
            "абвгдежзийклмнопрстуфхцчшщъьюя",
            [*"abvgde", "zh", *"ziyklmnoprstufh", "ts", "ch", "sh", "sht", "a", "y", "yu", "ya"],
            strict=True,
        )
    )
)


@dataclass(frozen=True, slots=True)
class Person:
    """email: without a tag."""

    language: str
    name: str
    surname: str
    company: str
    city: str
    email: str

    def tagged(self, tag: str) -> str:
        local, _, domain = self.email.partition("@")
        return f"{local}+{tag}@{domain}" if tag else self.email


def people() -> Iterator[Person]:
    """One after another, without end, each with an address of their own, always the same."""
    for number in count():
        language = ("pl", "bg", "en")[number % 3]
        of_kind = number // 3
        given, family = (words.split() for words in _NAMES[language][of_kind % 2])
        name = given[of_kind // 2 % len(given)]
        surname = family[of_kind // 2 % len(family)]
        company, domain = _FIRMS[language][of_kind % 3]
        # Names meet again after a while, so the address carries a number.
        address = f"{_latin(name)}.{_latin(surname)}{of_kind + 1}@{domain}.example"
        yield Person(language, name, surname, company, _CITIES[language][of_kind % 4], address)


def _latin(word: str) -> str:
    return fold(word).translate(_LATIN)
