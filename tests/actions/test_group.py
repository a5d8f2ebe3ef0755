"""E-mail groups: names, options, members, and what happens to them when addresses go or move."""

import pytest

from postroom.actions.account import account_delete, account_save
from postroom.actions.group import (
    group_delete,
    group_make,
    group_options_put_back,
    group_put_back,
    group_recommended,
    group_save,
    refuse_taken,
)
from postroom.actions.group_member import (
    member_add,
    member_pause,
    members_add,
    members_put_back,
    members_remove,
)
from postroom.actions.local_address import local_address_delete, local_addresses_add
from postroom.errors import Conflict, InputError, NotAllowed, NotFound
from postroom.models.domain import Domain, LocalAddress
from postroom.models.group import Group, GroupMember
from postroom.models.user import User
from postroom.models.workspace import AuditLine
from postroom.queries.group import kind_of, members_page, people_reached
from postroom.testing.cast import make_account, make_cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast():
    return make_cast()


@pytest.fixture
def domain(cast):
    return make_domain(cast.alice)


def make_domain(viewer, name="alderpike.example"):
    from django.utils import timezone

    return Domain.objects.create(
        workspace=viewer.workspace, name=name, token="t", proved_at=timezone.now(), proved_by="word"
    )


def code_of(call, **values):
    with pytest.raises((Conflict, InputError)) as caught:
        call(**values)
    return caught.value.code


def kinds(viewer, group):
    return {row.address: kind_of(row) for row in members_page(viewer, group.id).rows}


@pytest.mark.req("EG-01")
def test_a_group_has_one_member_of_each_kind_and_a_description(cast, domain):
    alice = cast.alice
    local_addresses_add(viewer=alice, domain_id=domain.id, text="anna")
    inner = group_make(viewer=alice, domain_id=domain.id, name="support")
    group = group_make(viewer=alice, domain_id=domain.id, name="office", description="Everybody in the house")
    member_add(viewer=alice, group_id=group.id, address="anna")
    member_add(viewer=alice, group_id=group.id, address="support")
    member_add(viewer=alice, group_id=group.id, address="Jan@Gmail.example", name="Jan")
    assert kinds(alice, group) == {
        "anna@alderpike.example": "local",
        "support@alderpike.example": "group",
        "jan@gmail.example": "external",
    }
    assert group.members.get(subgroup=inner).address == inner.address
    assert Group.objects.get(id=group.id).description == "Everybody in the house"


@pytest.mark.req("EG-02")
def test_a_name_that_somebody_has_is_refused_both_ways(cast, domain):
    alice = cast.alice
    local_addresses_add(viewer=alice, domain_id=domain.id, text="forwarder")
    make_account(alice, port=1, address="Sales@alderpike.example")
    User.objects.filter(id=cast.bob.user.id).update(email="bob@alderpike.example")
    group_make(viewer=alice, domain_id=domain.id, name="office")
    for name in ("forwarder", "sales", "BOB", "Office"):
        assert code_of(group_make, viewer=alice, domain_id=domain.id, name=name) == "NAME_TAKEN", name
    taken = code_of(local_addresses_add, viewer=alice, domain_id=domain.id, text="anna\noffice")
    assert taken == "NAME_TAKEN"
    account = account_save(viewer=alice, values=_account("Own", "own@alderpike.example"))
    values = {"address": "office@alderpike.example"}
    assert code_of(account_save, viewer=alice, values=values, account_id=account.id) == "NAME_TAKEN"


def _account(name, address):
    return {
        "name": name,
        "address": address,
        "smtp_host": "mail.alderpike.example",
        "smtp_login": address,
        "smtp_password": "secret",
    }


@pytest.mark.req("EG-02")
@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("postmaster", "NAME_RESERVED"),
        ("Abuse", "NAME_RESERVED"),
        ("mailer-daemon", "NAME_RESERVED"),
        ("", "BAD_VALUE"),
        ("a b", "BAD_VALUE"),
        ("a..b", "BAD_VALUE"),
        (".a", "BAD_VALUE"),
        ('"a"', "BAD_VALUE"),
        ("office@alderpike.example", "BAD_VALUE"),
        ("x" * 65, "BAD_VALUE"),
        ("офис", "NEEDS_SMTPUTF8"),
        ("sprzedaż", "NEEDS_SMTPUTF8"),
    ],
)
def test_a_name_that_no_group_can_have_is_refused(cast, domain, name, code):
    assert code_of(group_make, viewer=cast.alice, domain_id=domain.id, name=name) == code


@pytest.mark.req("EG-06")
def test_letters_of_other_alphabets_need_smtputf8(cast, domain, settings):
    settings.POSTROOM_SMTPUTF8 = True
    made = group_make(viewer=cast.alice, domain_id=domain.id, name="Офис")
    assert (made.name, made.address) == ("Офис", "офис@alderpike.example")
    too_long = "ж" * 33  # 66 octets
    assert code_of(group_make, viewer=cast.alice, domain_id=domain.id, name=too_long) == "BAD_VALUE"


@pytest.mark.req("EG-06")
def test_a_group_needs_a_proved_domain(cast):
    alice = cast.alice
    assert code_of(group_make, viewer=alice, domain_id=0, name="office") == "NO_DOMAIN"
    unproved = Domain.objects.create(workspace=alice.workspace, name="new.example", token="t")
    assert code_of(group_make, viewer=alice, domain_id=unproved.id, name="office") == "NO_DOMAIN"
    make_domain(alice, "mydomain.com")
    assert group_make(viewer=alice, domain_id=0, name="office").address == "office@mydomain.com"
    assert code_of(group_make, viewer=alice, domain_id=unproved.id, name="desk") == "BAD_VALUE"


@pytest.mark.req("EG-15")
def test_a_new_group_is_as_recommended_and_can_be_made_so_again(cast, domain):
    alice = cast.alice
    group = group_make(viewer=alice, domain_id=domain.id, name="office")
    on = ("set_reply_to", "expand", "remove_author", "reject_automatic", "remove_to_and_cc")
    off = ("email_disabled", "final_delivery", "signal_disabled")
    assert all(getattr(group, name) for name in on)
    assert not any(getattr(group, name) for name in off)
    flipped = dict.fromkeys(on, False) | dict.fromkeys(off, True)
    group_save(viewer=alice, group_id=group.id, who_may_post="members", **flipped)
    step = group_recommended(viewer=alice, group_id=group.id)
    back = Group.objects.get(id=group.id)
    assert all(getattr(back, name) for name in on)
    assert not any(getattr(back, name) for name in off)
    assert back.who_may_post == "members"
    again = group_options_put_back(viewer=alice, step_id=step)
    assert not any(getattr(again, name) for name in on)


@pytest.mark.req("EG-18")
def test_a_change_is_told_in_the_audit_trail_with_before_and_after(cast, domain):
    alice = cast.alice
    group = group_make(viewer=alice, domain_id=domain.id, name="office")
    saved = group_save(viewer=alice, group_id=group.id, version=1, expand=False, named=["Jan@x.example"])
    assert saved.version == 2
    line = AuditLine.objects.get(noun="group", noun_id=group.id, verb="changed")
    assert line.details["before"] == {"expand": True, "named": []}
    assert line.details["after"] == {"expand": False, "named": ["jan@x.example"]}
    group_save(viewer=alice, group_id=group.id, version=2, expand=False)  # nothing new: no line, no version
    assert AuditLine.objects.filter(noun="group", verb="changed").count() == 1
    with pytest.raises(Conflict) as stale:
        group_save(viewer=alice, group_id=group.id, version=1, expand=True)
    assert stale.value.code == "STALE_VERSION"
    assert stale.value.details["theirs"] == {"expand": False}


@pytest.mark.req("EG-05")
def test_making_groups_is_a_right_and_managing_one_is_another(cast, domain):
    with pytest.raises(NotAllowed):
        group_make(viewer=cast.bob, domain_id=domain.id, name="office")
    group = group_make(viewer=cast.alice, domain_id=domain.id, name="office")
    with pytest.raises(NotAllowed):
        group_save(viewer=cast.bob, group_id=group.id, expand=False)
    with pytest.raises(NotFound):
        group_save(viewer=cast.charlie, group_id=group.id, expand=False)
    group_save(viewer=cast.alice, group_id=group.id, managers=[cast.bob.user.id])
    group_save(viewer=cast.bob, group_id=group.id, expand=False)
    member_add(viewer=cast.bob, group_id=group.id, address="jan@gmail.example")
    for call in (
        lambda: group_save(viewer=cast.bob, group_id=group.id, name="desk"),
        lambda: group_delete(viewer=cast.bob, group_id=group.id, confirm=group.address),
    ):
        with pytest.raises(NotAllowed):
            call()
    other = code_of(group_save, viewer=cast.alice, group_id=group.id, managers=[cast.charlie.user.id])
    assert other == "BAD_VALUE"


@pytest.mark.req("EG-19", "EG-20")
def test_a_pasted_list_adds_what_fits_and_tells_each_line_that_does_not(cast, domain):
    group = group_make(viewer=cast.alice, domain_id=domain.id, name="office")
    text = (
        "Jan Kowalski <jan@gmail.example>\n"
        "\n"
        "anna, JAN@gmail.example\n"
        "not an address at all\n"
        "office@alderpike.example; maria@abv.example\n"
    )
    added = members_add(viewer=cast.alice, group_id=group.id, text=text)
    assert [one.address for one in added.members] == [
        "jan@gmail.example",
        "anna@alderpike.example",
        "maria@abv.example",
    ]
    assert [(one.line, one.code) for one in added.errors] == [
        (3, "MEMBER_EXISTS"),
        (4, "BAD_ADDRESS"),
        (5, "SELF"),
    ]
    assert kinds(cast.alice, group) == {
        "anna@alderpike.example": "local",  # an address of the domain, by the word of who adds it
        "jan@gmail.example": "external",
        "maria@abv.example": "external",
    }
    assert added.members[0].name == "Jan Kowalski"
    assert added.members[0].added_by == cast.alice.user


def test_a_group_that_would_contain_itself_is_refused_in_words(cast, domain):
    alice = cast.alice
    a, b, c = (group_make(viewer=alice, domain_id=domain.id, name=name) for name in "abc")
    member_add(viewer=alice, group_id=a.id, address="b")
    member_add(viewer=alice, group_id=b.id, address="c")
    with pytest.raises(InputError) as caught:
        member_add(viewer=alice, group_id=c.id, address="a")
    assert caught.value.code == "GROUP_CYCLE"
    assert "a@alderpike.example → b@alderpike.example → c@alderpike.example" in caught.value.message
    imported = members_add(viewer=alice, group_id=c.id, text="a", cycles=True)
    assert [one.address for one in imported.members] == ["a@alderpike.example"]
    assert people_reached(a) == 0  # and it ends


@pytest.mark.req("EG-21")
def test_a_removed_member_keeps_login_and_address_and_can_be_put_back(cast, domain):
    alice = cast.alice
    User.objects.filter(id=cast.bob.user.id).update(email="bob@alderpike.example")
    group = group_make(viewer=alice, domain_id=domain.id, name="office")
    member = member_add(viewer=alice, group_id=group.id, address="bob", name="Bob")
    member_pause(viewer=alice, group_id=group.id, member_id=member.id, on=True)
    count, step = members_remove(viewer=alice, group_id=group.id, member_ids=[member.id])
    assert count == 1
    assert not group.members.exists()
    assert LocalAddress.objects.filter(address="bob@alderpike.example", user=cast.bob.user).exists()
    assert User.objects.get(id=cast.bob.user.id).is_active
    assert members_put_back(viewer=alice, step_id=step) == (group.id, 1)
    back = group.members.get()
    assert (back.name, back.state, kind_of(back)) == ("Bob", GroupMember.State.PAUSED, "local")


@pytest.mark.req("EG-21")
def test_a_deleted_mailbox_leaves_all_groups_and_a_renamed_one_is_followed(cast, domain):
    alice = cast.alice
    account = account_save(viewer=alice, values=_account("Own", "own@alderpike.example"))
    local_addresses_add(viewer=alice, domain_id=domain.id, text="anna")
    group = group_make(viewer=alice, domain_id=domain.id, name="office")
    other = group_make(viewer=alice, domain_id=domain.id, name="desk")
    for one in (group, other):
        members_add(viewer=alice, group_id=one.id, text="own, anna, jan@gmail.example")
    account_save(viewer=alice, values={"address": "New@alderpike.example"}, account_id=account.id)
    expected = {
        "anna@alderpike.example": "local",
        "jan@gmail.example": "external",
        "new@alderpike.example": "local",
    }
    assert kinds(alice, group) == kinds(alice, other) == expected
    local_address_delete(
        viewer=alice,
        domain_id=domain.id,
        address_id=LocalAddress.objects.get(address="anna@alderpike.example").id,
    )
    assert set(kinds(alice, group)) == {"jan@gmail.example", "new@alderpike.example"}
    account_delete(viewer=alice, account_id=account.id)
    assert set(kinds(alice, group)) == set(kinds(alice, other)) == {"jan@gmail.example"}


@pytest.mark.req("EG-21")
def test_a_renamed_mailbox_that_is_a_member_already_stays_once(cast, domain):
    alice = cast.alice
    account = account_save(viewer=alice, values=_account("Own", "own@alderpike.example"))
    group = group_make(viewer=alice, domain_id=domain.id, name="office")
    members_add(viewer=alice, group_id=group.id, text="own, new@alderpike.example")
    account_save(viewer=alice, values={"address": "new@alderpike.example"}, account_id=account.id)
    assert kinds(alice, group) == {"new@alderpike.example": "local"}


@pytest.mark.req("EG-22")
def test_deleting_asks_for_the_address_and_again_when_other_groups_have_it(cast, domain):
    alice = cast.alice
    outer = group_make(viewer=alice, domain_id=domain.id, name="outer")
    group = group_make(viewer=alice, domain_id=domain.id, name="office")
    member_add(viewer=alice, group_id=outer.id, address="office")
    member_add(viewer=alice, group_id=group.id, address="jan@gmail.example")
    wanted = {"viewer": alice, "group_id": group.id}
    assert code_of(group_delete, **wanted, confirm="") == "CONFIRM"
    assert code_of(group_delete, **wanted, confirm=group.address) == "IN_GROUPS"
    step = group_delete(**wanted, confirm="Office@alderpike.example", also_in_groups=True)
    assert not outer.members.exists()
    # its address is nobody's for 30 days
    assert code_of(group_make, viewer=alice, domain_id=domain.id, name="office") == "NAME_TAKEN"
    assert code_of(local_addresses_add, viewer=alice, domain_id=domain.id, text="office") == "NAME_TAKEN"
    back = group_put_back(viewer=alice, step_id=step)
    assert back.id == group.id
    assert list(back.members.values_list("address", flat=True)) == ["jan@gmail.example"]
    assert outer.members.get().subgroup == back


def test_after_its_quarantine_an_address_is_free_again(cast, domain):
    import time_machine
    from django.utils import timezone

    group = group_make(viewer=cast.alice, domain_id=domain.id, name="office")
    group_delete(viewer=cast.alice, group_id=group.id, confirm=group.address)
    for days, taken in ((29, True), (31, False)):
        from datetime import timedelta

        with time_machine.travel(timezone.now() + timedelta(days=days), tick=False):
            if taken:
                with pytest.raises(Conflict):
                    refuse_taken(cast.alice.workspace.id, group.address)
            else:
                refuse_taken(cast.alice.workspace.id, group.address)
