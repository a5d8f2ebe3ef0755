from tests.office import office, trust

__all__ = ["office", "trust"]
