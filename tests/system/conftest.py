from tests.office import office, trust
from tests.web.browser import browse, chromium

__all__ = ["browse", "chromium", "office", "trust"]
