"""What people type into forms, as the facts want it: amounts, quantities, days; and what pages call things."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body

from hanse.kernel.refusal import Refused
from hanse.web import AccountStore, Badge
from hanse.web.formats import DECIMALS

Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]
Accounts = NamedDependency[AccountStore]
DAY = 86_400
INT_MAX = 10**15
STATE_WORDS = {
    "placed": "to confirm", "confirmed": "confirmed", "part_shipped": "part shipped", "shipped": "shipped",
    "received": "received", "declined": "declined", "lapsed": "lapsed", "cancelled": "cancelled",
}  # fmt: skip
STATE_TONES = {"placed": "warn", "confirmed": "info", "part_shipped": "info", "shipped": "info", "received": "good"}
STEP_WORDS = {
    "placed": "Order placed", "confirmed": "Order confirmation", "change_answered": "Answer to the change",
    "change_unanswered": "The change lapsed without an answer", "declined": "Declined", "cancelled": "Cancelled",
    "lapsed": "Lapsed without an answer", "cancel_date": "Cancelled at the cancel date", "shipped": "Shipped",
    "handed_over": "Handed over", "received": "Proof of delivery", "deemed_received": "Counted as received: no answer",
    "contested": "Contested", "return_asked": "Return asked", "return_accepted": "Return accepted",
    "return_declined": "Return declined", "return_unanswered": "Return lapsed without an answer", "rated": "Rated",
    "message": "Message",
}  # fmt: skip
PROOF_WORDS = {
    "both": Badge("signed by both", "proven"), "receipt": Badge("signed by the receiver", "proven"),
    "hand-over": Badge("handed over", "info"), "deemed": Badge("counted as received, unsigned", "unproven"),
    "contested": Badge("contested: unproven", "unproven"),
    "one-sided": Badge("unproven: one side", "unproven"), "under way": Badge("under way", "info"),
}  # fmt: skip


def state_badge(state: str) -> Badge:
    """An order's state in the trade's words."""
    return Badge(STATE_WORDS.get(state, state.replace("_", " ")), STATE_TONES.get(state, ""))


def text(form: Mapping[str, Any], name: str, most: int = 300) -> str:
    """A text field, blanks around it taken off."""
    return str(form.get(name, "")).strip()[:most]


def whole(form: Mapping[str, Any], name: str, label: str, otherwise: int | None = None) -> int:
    """A quantity; grouping commas and blanks are ignored. Refuses: form.not_a_number.

    >>> whole({"n": "1,200"}, "n", "Quantity")
    1200
    """
    given = text(form, name).replace(",", "").replace(" ", "")
    if not given and otherwise is not None:
        return otherwise
    if not (given.isascii() and given.isdigit()) or int(given) > INT_MAX:
        raise Refused("form.not_a_number", f"{label} is a whole number", got=given or "nothing", expected="0, 1, 2 ...")
    return int(given)


def minor(form: Mapping[str, Any], name: str, label: str, currency: str, otherwise: int | None = None) -> int:
    """An amount in major units as minor ones. Refuses: form.not_an_amount.

    >>> minor({"p": "12.5"}, "p", "Price", "EUR"), minor({"p": ""}, "p", "Price", "EUR", 7)
    (1250, 7)
    """
    given = text(form, name).replace(",", "").replace(" ", "")
    if not given and otherwise is not None:
        return otherwise
    try:
        amount = Decimal(given) * 10 ** DECIMALS.get(currency, 2)
        if not 0 <= amount <= INT_MAX or amount != amount.to_integral_value():
            raise InvalidOperation
    except InvalidOperation:
        raise Refused(
            "form.not_an_amount", f"{label} is an amount in {currency or 'money'}", got=given or "nothing",
            expected="for example 12.50",
        ) from None  # fmt: skip
    return int(amount)


def day_end(form: Mapping[str, Any], name: str, label: str, otherwise: int | None = None) -> int:
    """A day as its last second, UTC. Refuses: form.not_a_day.

    >>> day_end({"d": "1970-01-02"}, "d", "Day")
    172799
    """
    given = text(form, name)
    if not given and otherwise is not None:
        return otherwise
    try:
        day = date.fromisoformat(given)
    except ValueError:
        raise Refused("form.not_a_day", f"{label} is a day", got=given or "nothing", expected="YYYY-MM-DD") from None
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) + DAY - 1


def day_text(at: int) -> str:
    """A time as the day that a form shows, UTC; "" for none.

    >>> day_text(172799), day_text(0)
    ('1970-01-02', '')
    """
    return datetime.fromtimestamp(at, UTC).date().isoformat() if at else ""


def line_numbers(form: Mapping[str, Any], names: Sequence[str]) -> list[int]:
    """The line numbers that a form has fields for: of `each.3` the 3; sorted."""
    found = set()
    for key in form:
        name, _, number = key.partition(".")
        if name in names and number.isascii() and number.isdigit() and 0 < int(number) <= 9999:
            found.add(int(number))
    return sorted(found)
