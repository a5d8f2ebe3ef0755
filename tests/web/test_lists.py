import pytest

from postroom.models.contact import ContactList
from postroom.testing.cast import make_list

pytestmark = pytest.mark.django_db


def test_a_list_is_made_renamed_deleted_and_brought_back(as_user, alice):
    web = as_user(alice)
    web.post("/contacts/lists/new/", {"name": "Klienci"})
    made = ContactList.objects.get()
    web.post(f"/contacts/lists/{made.id}/rename/", {"name": "Klienci 2026"})
    page = web.post(f"/contacts/lists/{made.id}/delete/", follow=True).content.decode()
    assert "“Klienci 2026” is deleted" in page
    step = page.split('action="/contacts/lists/undo/')[1].split('"')[0]
    page = web.post(f"/contacts/lists/undo/{step}", follow=True).content.decode()
    assert "Klienci 2026" in page
    assert ContactList.objects.get().deleted_at is None


def test_a_name_that_is_taken_is_told_in_the_dialog(as_user, alice, cast):
    make_list(cast.alice, [], name="Klienci")
    answer = as_user(alice).post("/contacts/lists/new/", {"name": "klienci"})
    assert answer.status_code == 409
    assert "There is a list" in answer.content.decode()
    assert 'value="klienci"' in answer.content.decode()


def test_people_are_taken_off_and_put_back(as_user, alice, cast):
    some = make_list(cast.alice, ["a@b.example", "c@d.example"])
    web = as_user(alice)
    first = some.listmember_set.order_by("id").first().contact_id
    page = web.post(f"/contacts/lists/{some.id}/take-off/", {"id": first}, follow=True).content.decode()
    some.refresh_from_db()
    assert some.size == 1
    path = page.split(f'action="/contacts/lists/{some.id}/undo/')[1].split('"')[0]
    web.post(f"/contacts/lists/{some.id}/undo/{path}")
    some.refresh_from_db()
    assert some.size == 2


def test_a_stranger_gets_404(as_user, charlie, cast):
    some = make_list(cast.alice, ["a@b.example"])
    web = as_user(charlie)
    assert web.get(f"/contacts/?list={some.id}").status_code == 404
    for path in ("rename", "delete", "take-off"):
        assert web.post(f"/contacts/lists/{some.id}/{path}/", {"name": "x", "id": 1}).status_code == 404
