"""How values read on a page: money with currency, quantities with unit, times in the reader's zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, tzinfo
from functools import lru_cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

DECIMALS = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV"), 0),
    **dict.fromkeys(("XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}
"""Minor-unit digits where they are not 2 (ISO 4217, list one)."""


class Money(NamedTuple):
    """An amount: integer minor units and ISO 4217 currency."""

    minor: int
    currency: str


class Link(NamedTuple):
    """Text that leads somewhere."""

    text: str
    href: str


class Badge(NamedTuple):
    """A short state; tone one of "", "good", "warn", "bad", "info", "unproven", "proven"."""

    text: str
    tone: str = ""


def number(value: float | None, decimals: int | None = None) -> str:
    """A number with thin grouping by commas; "–" for None.

    >>> number(1234567), number(1234.5), number(0.126, 2), number(-5), number(None)
    ('1,234,567', '1,234.5', '0.13', '−5', '–')
    """
    if value is None:
        return "–"
    text = f"{value:,.{decimals}f}" if decimals is not None else f"{value:,}"
    return text.replace("-", "−")


def money(minor: int | None, currency: str) -> str:
    """Minor units as an amount with its currency; "–" for None.

    >>> money(123450, "EUR"), money(-5, "EUR"), money(1234, "JPY"), money(1234, "KWD"), money(None, "EUR")
    ('1,234.50 EUR', '−0.05 EUR', '1,234 JPY', '1.234 KWD', '–')
    """
    return "–" if minor is None else f"{amount(minor, currency)} {currency}"


def amount(minor: int, currency: str) -> str:
    """Minor units as an amount without the currency.

    >>> amount(100000000000000000001, "EUR")
    '1,000,000,000,000,000,000.01'
    """
    digits = DECIMALS.get(currency, 2)
    sign, whole = ("−" if minor < 0 else ""), abs(minor)
    if digits == 0:
        return f"{sign}{whole:,}"
    return f"{sign}{whole // 10**digits:,}.{whole % 10**digits:0{digits}d}"


def decimal(minor: int, currency: str) -> str:
    """Minor units as a plain decimal number for files and forms.

    >>> decimal(-123450, "EUR")
    '-1234.50'
    """
    return amount(minor, currency).replace(",", "").replace("−", "-")


def quantity(value: float | None, unit: str = "each") -> str:
    """A quantity with its unit.

    >>> quantity(1200, "each"), quantity(None)
    ('1,200 each', '–')
    """
    return "–" if value is None else f"{number(value)} {unit}"


def percent(ppm: int | None, decimals: int = 1) -> str:
    """Parts per million as a percentage.

    >>> percent(985_000), percent(-1_300, 2), percent(None)
    ('98.5 %', '−0.13 %', '–')
    """
    return "–" if ppm is None else f"{number(ppm / 10_000, decimals)} %"


@lru_cache(maxsize=256)
def zone_of(name: str) -> ZoneInfo:
    """A time zone by IANA name; UTC when there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def moment(value: object) -> datetime | None:
    """A UTC moment from seconds since 1970, an aware datetime, or ISO 8601 text; None stays None.

    >>> moment(0).isoformat(), moment("2026-01-02T03:04:05Z").isoformat()
    ('1970-01-01T00:00:00+00:00', '2026-01-02T03:04:05+00:00')
    """
    if value is None or value == "":
        return None
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC)
    found = value if isinstance(value, datetime) else datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def iso(value: object) -> str:
    """A moment as ISO 8601 in UTC; "" for None.

    >>> iso(0)
    '1970-01-01T00:00:00Z'
    """
    found = moment(value)
    return "" if found is None else found.strftime("%Y-%m-%dT%H:%M:%SZ")


def time_text(value: object, zone: tzinfo = UTC, with_time: bool = True) -> str:
    """A moment as people read it: "22 Nov 2026, 03:58".

    >>> time_text(0), time_text(0, with_time=False)
    ('1 Jan 1970, 00:00', '1 Jan 1970')
    """
    found = moment(value)
    if found is None:
        return "–"
    there = found.astimezone(zone)
    months = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
    day = f"{there.day} {months[there.month - 1]} {there.year}"
    return f"{day}, {there:%H:%M}" if with_time else day


@pass_context
def when(context: Context, value: object, with_time: bool = True) -> Markup:
    """A `<time>` element: text in the reader's zone, ISO 8601 in UTC on hover."""
    shell = context.get("shell")
    return time_html(value, shell.zone if shell is not None else UTC, with_time)


def time_html(value: object, zone: tzinfo, with_time: bool = True) -> Markup:
    """`when` in a zone.

    >>> time_html(0, UTC), time_html(date(2026, 11, 2), UTC)
    (Markup('<time datetime="1970-01-01T00:00:00Z" title="1970-01-01T00:00:00Z" data-time="moment">1 Jan 1970, 00:00</time>'), Markup('<time datetime="2026-11-02">2 Nov 2026</time>'))
    """  # noqa: E501
    if value is None or value == "":
        return Markup("–")
    if isinstance(value, date) and not isinstance(value, datetime):
        return Markup(f'<time datetime="{value.isoformat()}">{day_text(value)}</time>')
    at, kind = iso(value), "moment" if with_time else "day"
    return Markup(f'<time datetime="{at}" title="{at}" data-time="{kind}">{time_text(value, zone, with_time)}</time>')


def day_text(value: date) -> str:
    """A calendar day, which has no zone.

    >>> day_text(date(2026, 11, 2))
    '2 Nov 2026'
    """
    return time_text(datetime(value.year, value.month, value.day, tzinfo=UTC), UTC, with_time=False)


def proof(position: int | None) -> Markup:
    """The position of an entry on the record as a link to its history and proof.

    >>> proof(123)
    Markup('<a class="proof" href="/history/123" title="Entry 123: history and proof">#123</a>')
    """
    if position is None:
        return Markup('<span class="badge badge-unproven">unproven</span>')
    at = escape(position)
    return Markup(f'<a class="proof" href="/history/{at}" title="Entry {at}: history and proof">#{at}</a>')


def badge(value: Badge | str, tone: str = "") -> Markup:
    """A short state with its tone; a state's own word keeps its tone where it is one of the known ones."""
    text, own = (value.text, value.tone) if isinstance(value, Badge) else (value, tone or TONES.get(value, ""))
    return Markup(f'<span class="badge{f" badge-{escape(own)}" if own else ""}">{escape(text)}</span>')


TONES = {
    "proven": "proven", "unproven": "unproven", "not disclosed": "quiet", "not disclosed to you": "quiet",
    "erased": "quiet", "wrong": "bad", "open": "info", "confirmed": "info", "shipped": "info", "delivered": "good",
    "paid": "good", "settled": "good", "late": "warn", "due": "warn", "overdue": "bad", "disputed": "bad",
    "refused": "bad", "cancelled": "quiet", "closed": "quiet", "draft": "quiet",
}  # fmt: skip
"""Tones of the words that pages use for states."""

FILTERS: dict[str, Any] = {
    "number": number, "money": money, "quantity": quantity, "percent": percent, "when": when, "iso": iso,
    "proof": proof, "badge": badge, "decimal": decimal,
}  # fmt: skip
"""The Jinja filters of the shell."""
