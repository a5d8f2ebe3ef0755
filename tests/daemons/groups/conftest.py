"""One firm for all files of this folder. Its parts are imported late: this file is read before Django is set up."""

import pytest


@pytest.fixture(autouse=True)
def _django_db_marker():
    """The mark has the database made, as everywhere; but no transaction is opened around a test, nor the tables
    emptied after it: the firm and its daemons live through all of them."""


@pytest.fixture(scope="package")
def working(django_db_setup, django_db_blocker, tmp_path_factory):
    from tests.daemons.groups.firm import firm_at_work

    with django_db_blocker.unblock(), firm_at_work(tmp_path_factory.mktemp("groups")) as firm:
        yield firm


@pytest.fixture
def firm(working, django_db_blocker):
    with django_db_blocker.unblock():
        working.settled()
        working.members.got.clear()
        yield working
