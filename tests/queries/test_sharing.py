"""One rule for what is private, shared with profiles, with people, with everybody."""

import pytest

from postroom.actions.sharing import Sharing, sharing_save
from postroom.errors import InputError, NotAllowed, NotFound
from postroom.models.contact import ContactList
from postroom.models.profile import May, Profile, ProfileMember, Right
from postroom.queries.campaign_choice import lists_to_choose
from postroom.queries.contact_list import contact_list_visible_to, contact_lists_visible_to
from postroom.queries.sharing import demand_may, may, rights_on
from postroom.queries.viewer import can, demand, viewer_of
from postroom.testing.cast import make_cast, make_list

pytestmark = pytest.mark.django_db


def office():
    cast = make_cast()
    return cast, make_list(cast.alice, ["ann@example.net"])


def test_what_everybody_may_is_told_apart():
    cast, base = office()
    sharing_save(viewer=cast.alice, thing=base, sharing=Sharing("workspace", everyone=["use"]))
    assert [one.id for one in lists_to_choose(cast.bob).others] == [base.id]
    assert not may(cast.bob, base, May.VIEW)
    with pytest.raises(NotAllowed):
        demand_may(cast.bob, base, May.EXPORT)
    assert lists_to_choose(cast.charlie).others == []


def test_a_private_thing_is_not_there_for_colleagues():
    cast, base = office()
    sharing_save(viewer=cast.alice, thing=base, sharing=Sharing("private"))
    assert list(contact_lists_visible_to(cast.bob)) == []
    with pytest.raises(NotFound):
        contact_list_visible_to(cast.bob, base.id)
    assert contact_list_visible_to(cast.alice, base.id)


def test_a_grant_to_a_profile_reaches_its_people_only():
    cast, base = office()
    branch = Profile.objects.create(workspace=cast.alice.workspace, name="Branch")
    sharing_save(
        viewer=cast.alice, thing=base, sharing=Sharing("profiles", profiles={branch.id: ["use", "edit"]})
    )
    assert list(contact_lists_visible_to(cast.bob)) == []
    ProfileMember.objects.create(profile=branch, user=cast.bob.user)
    bob = viewer_of(cast.bob.user)
    assert rights_on(bob, [base])[base.id] == {"use", "edit", "view"}, "who edits sees"
    assert [one.id for one in lists_to_choose(bob).others] == [base.id]


def test_a_grant_to_a_person_is_gone_with_private():
    cast, base = office()
    sharing_save(
        viewer=cast.alice, thing=base, sharing=Sharing("profiles", users={cast.bob.user.id: ["view"]})
    )
    assert list(contact_lists_visible_to(cast.bob)) == [base]
    assert lists_to_choose(cast.bob).others == []
    sharing_save(viewer=cast.alice, thing=base, sharing=Sharing("private"))
    assert list(contact_lists_visible_to(cast.bob)) == []


def test_people_and_profiles_of_other_firms_cannot_be_named():
    cast, base = office()
    with pytest.raises(InputError):
        sharing_save(
            viewer=cast.alice, thing=base, sharing=Sharing("profiles", users={cast.charlie.user.id: ["view"]})
        )
    foreign = Profile.objects.create(workspace=cast.charlie.workspace, name="Theirs")
    with pytest.raises(InputError):
        sharing_save(
            viewer=cast.alice, thing=base, sharing=Sharing("profiles", profiles={foreign.id: ["view"]})
        )
    assert ContactList.objects.get(id=base.id).visibility == "workspace"


def test_rights_come_from_profiles_and_owners_have_all():
    cast = make_cast()
    assert can(cast.bob, Right.CAMPAIGNS_SEND)
    assert not can(cast.bob, Right.USERS_MANAGE)
    assert can(cast.alice, Right.USERS_MANAGE)
    with pytest.raises(NotAllowed):
        demand(cast.bob, Right.DOMAINS_MANAGE)
