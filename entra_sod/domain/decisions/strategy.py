"""Whether Graph is asked, how, or the index of the last sweep. Pure.

Graph knows the last minute. The index does not: what was granted since its sweep began is not in
it, and an all-clear by it may be wrong. So Graph is asked wherever that takes few requests.
"""

from __future__ import annotations

from datetime import datetime, timedelta

# A subject takes one or two requests, and a batch is to take ten.
MAX_LIVE_SUBJECTS = 5
MAX_LISTED_PACKAGES = 10


def prefers_index(subjects: int, *, may_list: bool) -> bool:
    """Whether a fresh index goes before Graph.

    Args:
        subjects: in question.
        may_list: whether Graph lists a subject's assignments to this app, as far as is known;
            to rights on catalogs it answers package by package only.
    """
    return subjects > MAX_LIVE_SUBJECTS or not may_list


def prefers_lists(subjects: int, packages: int) -> bool:
    """Whether whole packages are read, instead of many subjects one by one.

    Args:
        subjects: that no index answers for.
        packages: that stand against what they want; each has a page of assignments or more.
    """
    return subjects > MAX_LIVE_SUBJECTS and packages <= MAX_LISTED_PACKAGES


def is_index_fresh(as_of: datetime, now: datetime, oldest: timedelta) -> bool:
    """Whether an index of that moment may still answer; none may where `oldest` is nothing."""
    return bool(oldest) and now - as_of <= oldest
