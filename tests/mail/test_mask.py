"""What who may not see people is shown of them."""

import pytest

from postroom.mail.mask import mask_address, mask_name, mask_words


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("ann@firm.pl", "a…@f….pl"),
        ("ann.nowak@mail.firm.com.pl", "a…@m….pl"),
        ("żółw@żółw.example", "ż…@ż….example"),
        ("ann@localhost", "a…@…"),
        ("", "…@…"),
    ],
)
def test_an_address_keeps_its_first_letters_and_the_last_label(address, shown):
    assert mask_address(address) == shown


def test_a_name_keeps_its_initials():
    assert mask_name("Ann  Nowak-Kowalska") == "A… N…"
    assert mask_name("") == ""


@pytest.mark.parametrize(
    "words",
    [
        "550 5.1.1 <ann.nowak@firm.pl>: no such user",
        "Recipient ANN.NOWAK@FIRM.PL rejected",
        "unknown user ann.nowak at mx1.firm.pl",
        'b-token+ann.nowak=firm.pl@bounce.example, "ann.nowak"@firm.pl',
        "User 'ann.nowak' over quota",
        "ann.nowak@firm.pl.",
    ],
)
def test_servers_words_lose_the_address_and_its_parts(words):
    masked = mask_words(words, "ann.nowak@firm.pl").lower()
    assert "nowak" not in masked
    assert "firm.pl" not in masked


def test_what_is_no_part_of_the_address_stays():
    words = "452 4.2.2 mailbox full, try again at 10:00 (affirm.plan)"
    assert mask_words(words, "firm@affirm.pl", "firm@affirm.pl") == words
    assert (
        mask_words("250 2.0.0 Ok: queued as 4fKz0w1RtB", "ann@firm.pl")
        == "250 2.0.0 Ok: queued as 4fKz0w1RtB"
    )
