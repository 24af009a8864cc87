"""What the pages share: forms read as people fill them in, refusals shown beside them, and looks that are noted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any
from urllib.parse import quote, unquote

from litestar import Request
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body

from hanse.importers.refusal import ImportRefused
from hanse.kernel.refusal import Refused
from hanse.site.places import Places
from hanse.web import AccountStore, Found, ListQuery, Refusal, Session, Table, View, export, view_of
from hanse.web.formats import DECIMALS, number
from hanse.web.memory import found_in
from hanse.web.refusals import members_of

Fields = Annotated[dict[str, Any], Body(media_type=RequestEncodingType.URL_ENCODED)]
"""A form's fields, as a handler's parameter: `data: Fields`; a field given several times is a list."""
Where = NamedDependency[Places]
Accounts = NamedDependency[AccountStore]
EACH_MAX = 10**15
DAY = 86_400


class Given:
    """A form as it was filled in. Every reader refuses with the field's own label, so that the form can be shown again.

    Refuses, in order: form.missing (required and empty), then the code named at each reader.
    """

    def __init__(self, data: dict[str, Any]) -> None:
        self.data = data

    def text(self, name: str, label: str = "", *, required: bool = False, most: int = 400) -> str:
        """Plain text, blanks cut off its ends. Refuses: form.long."""
        found = self.data.get(name, "")
        text = str(found[-1] if isinstance(found, list) else found).strip()
        if required and not text:
            raise Refusal("form.missing", f"{label or name} is missing.", expected=f"at most {most} characters")
        if len(text) > most:
            raise Refusal("form.long", f"{label or name} is too long.", got=len(text), expected=f"at most {most}")
        return text

    def many(self, name: str) -> list[str]:
        """All values of a field."""
        found = self.data.get(name, [])
        return [str(one) for one in found] if isinstance(found, list) else [str(found)]

    def flag(self, name: str) -> bool:
        """Whether a box was ticked."""
        return bool(self.text(name))

    def choice(self, name: str, label: str, options: Sequence[str]) -> Any:
        """One of several words. Refuses: form.choice."""
        found = self.text(name, label, required=True)
        if found not in options:
            raise Refusal("form.choice", f"{label}: choose one of the list.", got=found, expected=list(options))
        return found

    def _decimal(self, name: str, label: str, default: str | None) -> Decimal:
        text = self.text(name, label, required=default is None) or (default or "")
        try:
            found = Decimal(text.replace(" ", "").replace("\u202f", "").replace(",", "").replace("−", "-"))
        except InvalidOperation:
            found = Decimal("NaN")
        if not found.is_finite() or abs(found.adjusted()) > 18:
            raise Refusal("form.number", f"{label} is not a number.", got=text, expected="a number such as 12")
        return found

    def whole(self, name: str, label: str, *, low: int = 0, high: int = EACH_MAX, default: int | None = None) -> int:
        """A whole number, low..high; thousands may be set off by commas. Refuses: form.number, form.range."""
        found = self._decimal(name, label, None if default is None else str(default))
        if found != found.to_integral_value():
            raise Refusal("form.number", f"{label} is a whole number.", got=str(found), expected="for example 12")
        if not low <= found <= high:
            most = f"{number(low)} to {number(high)}" if high < EACH_MAX else f"{number(low)} or more"
            raise Refusal("form.range", f"{label} is out of range.", got=str(found), expected=most)
        return int(found)

    def _scaled(self, name: str, label: str, digits: int, default: str | None, low: int, high: int) -> int:
        found = self._decimal(name, label, default).scaleb(digits)
        if found != found.to_integral_value():
            raise Refusal(
                "form.digits", f"{label} has too many decimals.", got=self.text(name), expected=f"{digits} decimals"
            )
        if not low <= found <= high:
            raise Refusal("form.range", f"{label} is out of range.", got=self.text(name))
        return int(found)

    def minor(self, name: str, label: str, currency: str, *, default: str | None = None) -> int:
        """Money as typed ("1,234.50"), in minor units, not negative. Refuses: form.number, form.digits, form.range."""
        return self._scaled(name, label, DECIMALS.get(currency, 2), default, 0, 10**17)

    def percent(self, name: str, label: str, *, low: int = -1_000_000, default: str | None = None) -> int:
        """A percentage as typed ("4.5"), in parts per million. Refuses: form.number, form.digits, form.range."""
        return self._scaled(name, label, 4, default, low, 10_000_000)

    def microdegrees(self, name: str, label: str, most: int) -> int:
        """Degrees as typed, in millionths. Refuses: form.number, form.digits, form.range."""
        return self._scaled(name, label, 6, "0", -most * 1_000_000, most * 1_000_000)

    def currency(self, name: str = "currency", default: str = "") -> str:
        """An ISO 4217 code. Refuses: form.currency."""
        found = self.text(name, "Currency").upper() or default
        if not (len(found) == 3 and found.isascii() and found.isalpha()):
            raise Refusal("form.currency", "The currency is not known.", got=found, expected="three letters: EUR")
        return found

    def day_end(self, name: str, label: str) -> int:
        """The last second of a day (UTC), seconds. Refuses: form.day."""
        text = self.text(name, label, required=True)
        try:
            day = date.fromisoformat(text)
        except ValueError:
            raise Refusal("form.day", f"{label} is not a day.", got=text, expected="YYYY-MM-DD") from None
        return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) + DAY - 1


def shown(error: Exception) -> tuple[int, dict[str, Any]]:
    """(status, members) of a refusal, for a form that is drawn again; a page that is not there stays not there.

    An unknown thing named in a form is the form's fault: its status is 422, not 404.
    """
    status, members = members_of(error)
    return (422 if status == 404 else status), members


def attempt(action: Callable[[], Any], again: Callable[[int, dict[str, Any]], Any]) -> Any:
    """Do what a form asks and answer what `action` answers; where it is refused, the form again.

    Args:
        again: (status, refusal's members) -> the page with the reader's input kept.
    """
    try:
        return action()
    except (Refused, Refusal, ImportRefused) as error:
        return again(*shown(error))


def tail(request: Request[Any, Any, Any], prefix: str) -> str:
    """What follows a prefix in the address, as it was written: names may hold blanks and slashes.

    Handlers that end in `{...:path}` ask this instead of their parameter, which has lost double slashes.
    """
    raw = request.scope.get("raw_path") or quote(request.scope["path"]).encode()
    return unquote(raw.decode("ascii", "replace").partition("?")[0]).removeprefix(prefix)


def address(prefix: str, name: str) -> str:
    """A page's address for a name that may hold anything.

    >>> address("/stock/card/", "A 1/2")
    '/stock/card/A%201%2F2'
    """
    return prefix + quote(name, safe="")


def table_view(
    request: Request[Any, Any, Any], table: Table, rows: Sequence[Any], empty: str, then: tuple[str, str] | None = None
) -> View:
    """A short list as the shell draws it, sorted and filtered in memory."""
    return view_of(request, table, _fetch(table, rows), empty=empty, empty_next=then)


def exported(request: Request[Any, Any, Any], *lists: tuple[Table, Sequence[Any]]) -> Any:
    """The CSV or JSON of one of a page's lists where the address asks for it, else None.

    Every list of a page with several has its own prefix. Refuses: as `Table.parse`; table.format.
    """
    for table, rows in lists:
        form = request.query_params.get(f"{table.prefix}format", "")
        if form:
            return export(table, table.parse(request.query_params), _fetch(table, rows), form)
    return None


def _fetch(table: Table, rows: Sequence[Any]) -> Callable[[ListQuery], Found]:
    return lambda query: found_in(rows, table, query)


def day_after(now: int, days: int) -> str:
    """The day that lies so many days ahead, as a form's date field wants it.

    >>> day_after(0, 30)
    '1970-01-31'
    """
    return (datetime.fromtimestamp(now, UTC) + timedelta(days=days)).date().isoformat()


def note_seen(
    accounts: AccountStore, session: Session, what: str, request: Request[Any, Any, Any] | None = None
) -> None:
    """Note that somebody looked at something that is nobody else's business.

    Args:
        what: `kind:id`, as in "order:TT-00012", "stock:A 1", "entry:48112", "document:..."; shown by `/history/seen`.
    """
    client = request.client.host if request is not None and request.client else ""
    accounts.seen.note(what[:200], user=session.user, party=session.party, address=client)


__all__ = [
    "Accounts",
    "Fields",
    "Found",
    "Given",
    "Where",
    "address",
    "attempt",
    "day_after",
    "exported",
    "note_seen",
    "shown",
    "table_view",
    "tail",
]
