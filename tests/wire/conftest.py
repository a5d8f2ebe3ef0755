"""What the tests of the wire share."""

from tests.office import office, trust

__all__ = ["office", "trust"]
