"""The pooling study: what members would gain by backing each other up, measured on their own past sales.

    History(sales[site, item, period], owner, names, value_minor)   or   from_frame(long table)
    study(history, Assumptions()) -> StudyResult     pooled against alone on the same held-out periods
    report(result) -> str                            one HTML page with pictures, printable, no scripts
    split_balanced(...)                              a labelled simulated split of one firm's sales over members

Both policies meet the same demand and the same shocks, plan from the same forecasts of what was known at the time, and
differ in the stock that they hold and in who may lend to whom.
"""

from hanse.planning.study.data import History, from_frame, split_balanced
from hanse.planning.study.report import report
from hanse.planning.study.result import Assumptions, Interval, Side, StudyResult
from hanse.planning.study.study import Cancelled, costs_of, study

__all__ = [
    "Assumptions",
    "Cancelled",
    "History",
    "Interval",
    "Side",
    "StudyResult",
    "costs_of",
    "from_frame",
    "report",
    "split_balanced",
    "study",
]
