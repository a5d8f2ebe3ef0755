"""How often Python's collector looks for objects that hold each other: rarely, and never at the program itself."""

import gc


def collect_rarely(young: int = 50_000, oldest: int = 20) -> None:
    """Call once a process has loaded what it needs.

    young:  objects that come to live before the young ones are looked at. A batch of mails makes some thousands, all
            freed by their counts; with Python's 700 a sixth of all work was looking at them.
    oldest: looks at the middle-aged before all that lives is walked through.
    """
    gc.collect()
    gc.freeze()  # what is loaded by now stays
    gc.set_threshold(young, 20, oldest)
