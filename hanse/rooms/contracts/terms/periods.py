"""Calendar periods at a fixed UTC offset: folds begin anew in each."""

from dataclasses import dataclass

from hanse.rooms.contracts.terms.refused import TermsRefused
from hanse.rooms.contracts.terms.values import civil_from_days, days_from_civil

_MONTHS = {"month": 1, "quarter": 3, "year": 12}


@dataclass(frozen=True, slots=True)
class Span:
    """A period: `opened_at` <= t < `closed_at`, UTC seconds; `key` names it ("2024-04")."""

    opened_at: int
    closed_at: int
    key: str


def period_at(every: str | int, utc_offset_seconds: int, first_month: int, at: int) -> Span:
    """The period that holds a time.

    Args:
        every: month, quarter, year, or a length in seconds counted from 1970-01-01 local.
        utc_offset_seconds: fixed, -50400 to 50400. first_month: 1 to 12, where quarters and years begin.
        at: UTC seconds.
    Refuses terms.period.

    >>> period_at("quarter", 0, 1, 1547177040)
    Span(opened_at=1546300800, closed_at=1554076800, key='2019-01')
    """
    offset = 0 if utc_offset_seconds == -1 else utc_offset_seconds
    if abs(offset) > 50_400:
        raise TermsRefused("terms.period", "no such UTC offset", str(offset), "-14h to 14h")
    if isinstance(every, int):
        return _fixed(every, offset, at)
    months = _MONTHS.get(every)
    if months is None:
        raise TermsRefused("terms.period", "no such period", every, "month, quarter, year or a duration")
    year, month, _ = civil_from_days((at + offset) // 86_400)
    count = year * 12 + month - 1
    start = count - (count - (first_month - 1)) % months
    opened, closed = (_month_start(n) - offset for n in (start, start + months))
    return Span(opened, closed, f"{start // 12:04d}-{start % 12 + 1:02d}")


def _month_start(count: int) -> int:
    return days_from_civil(count // 12, count % 12 + 1, 1) * 86_400


def _fixed(every: int, offset: int, at: int) -> Span:
    if every < 3_600:
        raise TermsRefused("terms.period", "period too short", str(every), "an hour at least")
    opened = (at + offset) // every * every - offset
    year, month, day = civil_from_days((opened + offset) // 86_400)
    return Span(opened, opened + every, f"{year:04d}-{month:02d}-{day:02d}T{(opened + offset) % 86_400 // 3600:02d}")
