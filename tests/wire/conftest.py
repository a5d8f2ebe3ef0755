"""What the tests of the wire share."""

import gc

import pytest

from tests.office import office, trust

__all__ = ["office", "trust"]


@pytest.fixture(autouse=True)
def nothing_open():
    """A connection that a test left open is that test's failure. Young objects only: a whole round takes long."""
    yield
    gc.collect(1)
