"""What commands on an order share: how lines are named, which form of the order's page they fill in, and safe retry.

Lines are named by their numbers: `--line 1=10` is ten of line 1. Elsewhere a value without a number is every line's.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import msgspec
from cyclopts import Parameter
from msgspec import Struct

from hanse.api.calls import Calls
from hanse.api.writes import write
from hanse.cli._desk import desk_of
from hanse.cli.shell import Answer
from hanse.kernel.facts import Fact
from hanse.kernel.refusal import Refused
from hanse.kernel.view import View
from hanse.node.buying import Keep
from hanse.node.desk import Desk
from hanse.node.node import Node
from hanse.node.placing import Bought, send
from hanse.node.write_path import Receipt
from hanse.rooms.inventory.offer_queries import OwnSource
from hanse.rooms.orders.pages_actions import DO, shipment_actions
from hanse.rooms.orders.pages_forms import state_badge
from hanse.rooms.orders.private_rows import MINE
from hanse.rooms.orders.queries import OrderPage, PageLine, order_page, stock_of_line


def _by_line(option: str, about: str) -> Parameter:
    """`--option [NUMBER=]VALUE`, to be repeated."""
    return Parameter(name=[f"--{option}"], negative="", help=f"[LINE=]VALUE. {about}")


Order = Annotated[str, Parameter(help="Its number, or a PO number that one order alone has.")]
Lines = Annotated[
    tuple[str, ...],
    Parameter(name=["--line"], negative="", help="NUMBER=EACH, once a line; without it all lines, all there is."),
]
Key = Annotated[str, Parameter(name="--key", help="Names this call: the same again is done once, for seven days.")]
Shipment = Annotated[str, Parameter(name="--shipment", help="Which; not needed where one alone is in question.")]
Site = Annotated[str, Parameter(name="--site", help="The own site of the stock, where it lies at several.")]
Form = dict[str, Any]
OPTION_OF = {"each": "line", "received": "line", "serials": "serial"}
"""field of the page's form -> option, where they are called otherwise"""
Price = Annotated[
    tuple[str, ...], _by_line("price", "Where it differs from the order's; a higher one the buyer must accept.")
]
Promised = Annotated[
    tuple[str, ...], _by_line("promised", "The day it arrives, YYYY-MM-DD; without it the day asked for.")
]
Substitute = Annotated[tuple[str, ...], _by_line("substitute", "An item in its place, by any of its numbers.")]
Lot = Annotated[tuple[str, ...], _by_line("lot", "The lot.")]
Serial = Annotated[tuple[str, ...], _by_line("serial", "A serial number that leaves; once each.")]
Damaged = Annotated[tuple[str, ...], _by_line("damaged", "How many arrived damaged.")]
Over = Annotated[tuple[str, ...], _by_line("over", "How many came beyond what was shipped.")]
Reason = Annotated[tuple[str, ...], _by_line("reason", "Why.")]


class Acted(Struct, frozen=True):
    """What became of a command: the order as it stands now, and the entry that was signed.

    subject: the shipment or return that it was about, or "". repeated: it was signed by an earlier call of this key.
    """

    order: str
    state: str
    subject: str
    position: int
    repeated: bool


def the_order(view: View, named: str) -> OrderPage:
    """An order by its number, or by a PO number that one order of the firm alone has.

    Refuses: order.unknown_order, order.which_order.
    """
    found = order_page(view, named)
    if found is None and view.home:
        same = sorted(row.order_id for row in view.rows(MINE, "circle = ? AND po_number = ?", (view.home, named)))
        if len(same) > 1:
            raise Refused("order.which_order", "several orders have this PO number", got=named,
                          expected=", ".join(same[:10]), next="name it by its own number")  # fmt: skip
        found = order_page(view, same[0]) if same else None
    if found is None:
        raise Refused("order.unknown_order", "there is no such order that this party may see", got=named[:80],
                      next="see `hanse order list`")  # fmt: skip
    return found


Make = Callable[[Desk, OrderPage], Fact]
"""What a command signs, of the order as it stands."""


def act(
    action: str, order: str, said: Form, form: Callable[[Desk, OrderPage], Form], *, key: str, party: str, data: Path
) -> Answer:
    """Do one thing to an order by the form that the order's page has for it, once for each key.

    Args:
        said: the command's words, by which a key knows its call. form: what the page's form would hold.
    Refuses: as `sign`, `DO[action]`.
    """
    build, notice = DO[action]
    make: Make = lambda desk, page: build(desk, page, form(desk, page))  # noqa: E731
    return sign(action, notice, order, said, make, key=key, party=party, data=data)


def sign(
    action: str, notice: str, order: str, said: Form, make: Make, *, key: str, party: str, data: Path
) -> Answer:  # fmt: skip
    """Sign one fact about an order, once for each key.

    Refuses: as `desk_of`, `the_order`, `make`, the desk, the fact's rules, `Calls.earlier`.
    """
    with Node(data, helper=False) as node:
        desk = desk_of(node, party)
        page = the_order(desk.view, order)
        name = page.order.order_id
        request = msgspec.json.encode((action, name, said), order="deterministic")
        receipt = _once(desk, key, request, lambda: make(desk, page))
        after = order_page(desk.view, name)
    assert after is not None, "it was just there"
    steps = [step for step in after.timeline if step.entry == receipt.position]
    acted = Acted(name, after.order.state, steps[0].subject if steps else "", receipt.position, receipt.repeated)
    about = f"{acted.subject}, " if acted.subject else ""
    told = f"{notice} Order {name}: {about}{state_badge(acted.state).text}, entry {acted.position:,}"
    return Answer(acted, told + (", signed before" if acted.repeated else ""))


def _once(desk: Desk, key: str, request: bytes, make: Callable[[], Any]) -> Receipt:
    """Sign and submit one fact; what was signed under the same key before is submitted again, and taken once."""
    if not key:
        return desk.do(make())
    calls = Calls(desk.node.directory)
    try:
        earlier = calls.earlier(desk.who.party, key, request)
        again = desk.submit(earlier) if earlier is not None else None
        return (again or write(desk, calls, [make()], key=key, request=request))[0]
    finally:
        calls.close()


class Placed(Bought, frozen=True):
    """What a purchase came to. repeated: it was signed by an earlier call of this key."""

    repeated: bool = False


def _placed(bought: Bought, repeated: bool = False) -> Placed:
    return Placed(bought.document, bought.orders, bought.failed, repeated)


def buy_once(desk: Desk, key: str, request: bytes, make: Callable[[Keep], Bought]) -> Placed:
    """Buy, once for each key: what was signed under it before is sent again, and stands once.

    Args:
        make: buys, and gives what it signs to be kept before it is sent.
    Refuses: as `Calls.earlier`, `make`, `placing.send`; where nothing came to stand, the key is free again.
    """
    if not key:
        return _placed(make(list))
    calls, party = Calls(desk.node.directory), desk.who.party
    try:
        earlier = calls.earlier(party, key, request)
        if earlier is not None:
            return _placed(send(desk, earlier), repeated=True)
        now = int(desk.node.clock())
        return _placed(make(lambda signed: calls.keep(party, key, request, signed, now)))
    except Refused as refused:
        if refused.code not in ("api.key_reused", "api.key_too_long"):
            calls.forget(party, key)
        raise
    finally:
        calls.close()


def _numbered(page: OrderPage, field: str, given: tuple[str, ...]) -> dict[int, str]:
    """line -> what was said of it. Refuses, in order: order.not_a_line, order.said_twice."""
    known = [shown.balance.line for shown in page.lines]
    option = OPTION_OF.get(field, field)
    found: dict[int, str] = {}
    for word in given:
        number, sign, value = word.partition("=")
        lines = [n for n in known if str(n) == number] if sign else known if option != "line" else []
        if not lines or not word.strip("="):
            raise Refused("order.not_a_line", f"--{option} names a line of the order, and a value", got=word[:80],
                          expected=f"{known[0]}=VALUE, lines {', '.join(map(str, known[:20]))}")  # fmt: skip
        for line in lines:
            if line in found and field != "serials":
                raise Refused("order.said_twice", f"--{option} says two things of one line", got=word[:80])
            said = value if sign else number
            found[line] = f"{found[line]} {said}" if line in found else said
    return found


def each_of(page: OrderPage, given: tuple[str, ...], all_of: Callable[[PageLine], int] = lambda shown: 0) -> Form:
    """`each.N` of the lines named, or of every line all there is."""
    named = _numbered(page, "each", given)
    there = {shown.balance.line: all_of(shown) for shown in page.lines}
    each = named or {line: str(count) for line, count in there.items() if count}
    return {f"each.{line}": count for line, count in each.items()}


def said_of(page: OrderPage, **said: tuple[str, ...]) -> Form:
    """Fields `option.N` of what was said line by line."""
    return {
        f"{option}.{line}": value
        for option, given in said.items()
        for line, value in _numbered(page, option, given).items()
    }


def stock_of(view: View, page: OrderPage, form: Form, site: str) -> Form:
    """`stock.N` of the lines with a quantity: the one stock that fits; none where there is none.

    A line behind an offer leaves the stock behind the offer. Refuses: order.no_stock_there, order.which_stock.
    """
    found = {}
    for shown in page.lines:
        n = shown.balance.line
        if form.get(f"each.{n}", "0") == "0" or (shown.balance.offer and not site):
            continue
        there = [one for one in stock_of_line(view, page.order, shown) if site in ("", one.site)]
        fits = [one for one in there if form.get(f"lot.{n}", one.lot) == one.lot]
        if not fits and (there or site):
            raise Refused("order.no_stock_there", f"line {n}: nothing of that is free there", got=site,
                          expected="; ".join(map(_place, there[:5])), next="see `hanse stock list`")  # fmt: skip
        if len(fits) > 1:
            raise Refused("order.which_stock", f"line {n}: stock of it lies at several places", got=len(fits),
                          expected="; ".join(map(_place, fits[:5])), next="say --site, and --lot")  # fmt: skip
        if fits:
            key = (fits[0].own_number, fits[0].site, fits[0].lot)
            found[f"stock.{n}"] = msgspec.json.encode(key).decode()
    return found


def _place(source: OwnSource) -> str:
    lot = f", lot {source.lot}" if source.lot else ""
    return f"{source.own_number} at {source.site}{lot}: {source.free_each} free"


def the_shipment(desk: Desk, page: OrderPage, action: str, named: str) -> Form:
    """The shipment that is named, or the one to which this can be done. Refuses: order.which_shipment."""
    if named:
        return {"shipment": named}
    now = desk.view.now
    fits = [s.shipment.shipment for s in page.shipments if action in shipment_actions(desk, page, s, now)]
    if len(fits) != 1:
        some = f"{len(fits)} shipments of this order are waiting for that"
        raise Refused("order.which_shipment", some, got=page.order.order_id, expected=", ".join(fits[:10]),
                      next="--shipment" if fits else "see `hanse order show`")  # fmt: skip
    return {"shipment": fits[0]}
