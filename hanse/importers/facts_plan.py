"""What an import plans: the facts to be signed, in order, and everything that a planner looks up on the way.

A planner checks everything against the record as it stands and against what the same import brings before it; what does
not hold goes to the fix list. Nothing is signed while a plan is made.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from hanse.importers.facts_ids import plain_id
from hanse.importers.facts_stage import Taken, Told, mark_wrong
from hanse.importers.facts_store import Staged, Store
from hanse.kernel.facts import Fact
from hanse.kernel.refusal import Refused
from hanse.kernel.view import View
from hanse.node.desk import Desk
from hanse.node.parts import rulebook
from hanse.rooms.catalog.facts import OWN_ITEMS, OwnItem
from hanse.rooms.parties.facts import PARTIES, SITES, Party

DAY = 86_400
_CACHE_MAX = 50_000
_json = msgspec.json.Encoder().encode


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How to import.

    Attributes:
        currency: of amounts without one; "": the most frequent of the import, else EUR.
        receiving_site: where goods arrive of which the file names no place.
        publish: publish items with a GTIN, or a brand and part number, that the network does not know yet.
        match: link own numbers to network items by GTIN and by brand and part number.
        whole: sign nothing as long as one row is wrong. Without it the good rows are signed, the wrong ones listed.
    """

    currency: str = ""
    receiving_site: str = "RECEIVING"
    publish: bool = False
    match: bool = True
    whole: bool = False


class Plan:
    """One import on its way from rows to facts.

    Attributes:
        home: the party's home circle. now: ledger time, UTC seconds. notes: what a person should know of the import.
        links: own number -> network item, of the matches that this import makes. published: own number -> (item,
            method) of the items that it publishes.
    """

    def __init__(self, desk: Desk, store: Store, taken: Sequence[Taken], options: Options, told: Told) -> None:
        """Refuses: import.no_home."""
        self.desk, self.store, self.taken, self.options, self.told = desk, store, taken, options, told
        self.view: View = desk.view
        self.home, self.now = self.view.home, desk.node.path.now()
        if not self.home:
            raise Refused(
                "import.no_home", "this party has no home on this node", got=desk.who.party, next="join first"
            )
        profile = self.view.get(PARTIES, desk.who.party)
        assert profile is not None, "a party with a home stands on the record"
        self.profile: Party = profile
        named = store.currencies()
        self.currency = options.currency or (named[0] if named else "EUR")
        self.notes: list[str] = []
        self.links: dict[str, str] = {}
        self.published: dict[str, tuple[str, str]] = {}
        self._kinds = rulebook().kinds
        self._decoders: dict[str, msgspec.json.Decoder[Fact]] = {}
        self._costs: dict[str, int] = {}
        self._items: OrderedDict[str, OwnItem | None] = OrderedDict()

    # -- facts -----------------------------------------------------------------------------------------------------

    def add(self, fact: Fact, rows: Iterable[Staged] = ()) -> bool:
        """Plan a fact, and that its rows are done once it stands; False, and the rows on the fix list, where a value
        fits no field."""
        listed = list(rows)
        try:
            body = _json(fact)
            self.decode(fact.kind, body)
        except (msgspec.ValidationError, UnicodeEncodeError) as wrong:
            self.wrong(listed, "", "row.does_not_fit", str(wrong), "shorter, or plain, values", "correct the value")
            return False
        self.store.plan(fact.kind, body, (row.n for row in listed))
        return True

    def decode(self, kind: str, body: bytes) -> Fact:
        """A planned fact, its fields checked."""
        decoder = self._decoders.get(kind)
        if decoder is None:
            decoder = self._decoders[kind] = msgspec.json.Decoder(self._kinds[kind])
        return decoder.decode(body)

    def wrong(self, rows: Sequence[Staged], column: str, code: str, got: object, expected: str, step: str) -> None:
        """Put rows onto the fix list."""
        mark_wrong(self.store, self.taken, rows, column, code, str(got), expected, step)

    # -- what is known ---------------------------------------------------------------------------------------------

    def site(self, code: str) -> str:
        """A site's id."""
        return plain_id(code)

    def knows_site(self, code: str) -> bool:
        return self.store.noted("site", self.site(code)) or self.view.get(SITES, self.home, self.site(code)) is not None

    def own_item(self, number: str) -> OwnItem | None:
        """An own number as the record has it."""
        if number not in self._items:
            self._items[number] = self.view.get(OWN_ITEMS, self.home, number)
            if len(self._items) > _CACHE_MAX:
                self._items.popitem(last=False)
        return self._items[number]

    def knows_item(self, number: str) -> bool:
        return self.store.noted("item", number) or self.own_item(number) is not None

    def linked_item(self, number: str) -> str:
        """What an own number is in the network, by the record or by this import; "" where it is not matched."""
        own = self.own_item(number)
        return self.links.get(number) or (own.item if own else "")

    def cost_minor(self, number: str) -> int:
        """The cost of one each, -1 where it is not known."""
        if number not in self._costs:
            if len(self._costs) > _CACHE_MAX:
                self._costs.clear()
            self._costs[number] = self._cost_minor(number)
        return self._costs[number]

    def _cost_minor(self, number: str) -> int:
        row = self.store.one("items", _key(number))
        if row is not None and "cost_minor" in row:
            return divide(row["cost_minor"], row.get("price_per", 1))
        own = self.own_item(number)
        return divide(own.cost_minor, own.pack_each) if own and own.cost_minor else -1

    def partner(self, number: str) -> str:
        """A partner in the firm's own words: its name and number.

        Partners who are not in the network have no place on the record but in these words.
        """
        row = self.store.one("parties", _key(number))
        name = str(row["name"]) if row else ""
        return (name if name == number or not name else f"{name} ({number})")[:400] or number


def _key(number: str) -> str:
    return msgspec.json.encode([number]).decode()


def divide(number: int, by: int) -> int:
    """number / by, rounded half to even; by > 0.

    >>> divide(455805, 100), divide(5, 2), divide(15, 10), divide(-5, 2)
    (4558, 2, 2, -2)
    """
    whole, rest = divmod(number, by)
    return whole + (2 * rest > by or (2 * rest == by and whole % 2 == 1))


def seconds(text: str | None, *, end_of_day: bool = False) -> int:
    """A date or time of an import in UTC seconds, 0 for none or before 1970.

    >>> seconds("1970-01-02"), seconds("1970-01-02", end_of_day=True), seconds("1970-01-01T00:01:00Z"), seconds(None)
    (86400, 172799, 60, 0)
    """
    if not text:
        return 0
    moment = datetime.fromisoformat(text.removesuffix("Z")).replace(tzinfo=UTC)
    return max(0, int(moment.timestamp()) + (DAY - 1 if end_of_day and len(text) == 10 else 0))


def text_of(values: dict[str, Any], *names: str) -> str:
    """The values of several fields in one line."""
    return ", ".join(str(values[name]) for name in names if values.get(name))
