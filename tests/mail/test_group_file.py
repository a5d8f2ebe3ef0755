"""Groups as other programs write them."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.errors import InputError
from postroom.mail.group_file import group_files

COMMUNIGATE = r"""
{
  EmailDisabled = NO; Expand=YES; FinalDelivery = NO;
  Members = ("anna",jan@gmail.com, "O\"Neill <o@x.example>");
  RealName = "Sales \"team\""; RejectAutomatic=YES; RemoveAuthor = NO;
  RemoveToAndCc=YES; SetReplyTo = NO; SignalDisabled=YES; Something = {a=(b,c);};
}
"""


def test_a_dictionary_of_communigate_is_read_with_its_eight_options():
    (found,) = group_files(COMMUNIGATE)
    assert found.members == ["anna", "jan@gmail.com", 'O"Neill <o@x.example>']
    assert found.options == {
        "email_disabled": False,
        "expand": True,
        "final_delivery": False,
        "real_name": 'Sales "team"',
        "reject_automatic": True,
        "remove_author": False,
        "remove_to_and_cc": True,
        "set_reply_to": False,
        "signal_disabled": True,
    }


def test_a_list_of_mailman_members_is_one_a_line():
    (found,) = group_files("# members\njan@gmail.com\nAnna Nowak <anna@firm.example>\n\n")
    assert found.members == ["jan@gmail.com", "Anna Nowak <anna@firm.example>"]
    assert (found.name, found.options) == ("", {})


def test_a_configuration_of_mailman_2_is_read_and_never_run(tmp_path):
    trap = tmp_path / "trap"
    (found,) = group_files(
        "# -*- python -*-\nreal_name = 'Office'\nowner = ['a@b.example']\nreply_goes_to_list = 1\n"
        "description = 'All \"of\" us'\nmax_message_size = 40\ngeneric_nonmember_action = 1\narchive = True\n"
        f"evil = open({str(trap)!r}, 'w')\n"
    )
    assert found.name == "office"
    assert found.options == {
        "real_name": "Office",
        "description": 'All "of" us',
        "set_reply_to": True,
        "size_max": 40_000,
        "archive": True,
        "who_may_post": "approved",
    }
    assert not trap.exists()


def test_a_configuration_of_mailman_3_is_read():
    (found,) = group_files(
        '{"list_name": "office", "display_name": "Office", "reply_goes_to_list": "no_munging",'
        ' "archive_policy": "never", "default_nonmember_action": "reject", "members": ["a@b.example"]}'
    )
    assert (found.name, found.members) == ("office", ["a@b.example"])
    assert found.options == {
        "real_name": "Office",
        "set_reply_to": False,
        "archive": False,
        "who_may_post": "members",
    }


def test_a_table_holds_several_groups():
    found = group_files(
        'group;name;address\noffice;"Jan; the boss";jan@x.example\nsales;;anna\nOffice;;b@x.example'
    )
    assert [(one.name, one.members) for one in found] == [
        ("office", ['"Jan; the boss" <jan@x.example>', "b@x.example"]),
        ("sales", ["anna"]),
    ]


@pytest.mark.parametrize("text", ["{", "{Members=(a,b;}", '{Name="x}', "{a}", "(" * 5000, "{a=" * 5000])
def test_what_cannot_be_read_is_said(text):
    with pytest.raises(InputError):
        group_files(text, "communigate")


@given(st.text(), st.sampled_from(["auto", "communigate", "mailman", "csv"]))
def test_no_file_brings_it_down(text, format):
    with suppress(InputError):
        group_files(text, format)
