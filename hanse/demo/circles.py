"""All relationships at once: the registrar endorses their aliases in one go, and each pair opens and enters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hanse.demo.trader import Trader
from hanse.node import admitting
from hanse.node.admitting import Asked, Papers, Wanted
from hanse.rooms.parties.facts import EnterCircle


def open_relationships(trader: Trader, pairs: Iterable[tuple[str, str]]) -> None:
    """Open the circles of pairs of firms that have none yet, as `joining.relationship` does one by one."""
    wanted = sorted({(min(pair), max(pair)) for pair in pairs} - set(trader.circles))
    wallet = trader.node.wallet
    trader.circles.update({pair: wallet.new_id("c") for pair in wanted})
    asked = admitting.ask(
        trader.node,
        [Wanted(party, trader.circles[pair], "relationship", pair[0]) for pair in wanted for party in pair],
    )
    admitted = _endorse(trader, asked)
    trader.flush()
    admitting.remember(trader.node, asked)
    for pair, first, second in zip(wanted, admitted[::2], admitted[1::2], strict=True):
        trader.do(pair[0], admitting.opening(trader.circles[pair], "relationship", [first, second]))
    trader.flush()
    for pair in wanted:
        trader.do(pair[1], EnterCircle(circle=trader.circles[pair]))  # who opens a circle is in it
    trader.flush()


def _endorse(trader: Trader, asked: Sequence[Asked]) -> list[Papers]:
    """The registrar endorses each alias."""
    node = trader.node
    registrar = admitting.registrar(node)
    home, key = trader.home(registrar), node.wallet.key_of(registrar)
    return [admitting.papers(one, trader.do(registrar, admitting.endorsement(node, one, home), key)) for one in asked]
