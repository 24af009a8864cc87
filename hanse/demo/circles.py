"""All relationships at once: the registrar endorses their aliases in one go, and each pair opens and enters."""

from __future__ import annotations

from collections.abc import Iterable

from hanse.demo.trader import Trader
from hanse.node import joining
from hanse.node.wallet import KeyPair
from hanse.rooms.parties.facts import EndorseAlias, EnterCircle, OpenCircle


def open_relationships(trader: Trader, pairs: Iterable[tuple[str, str]]) -> None:
    """Open the circles of pairs of firms that have none yet, as `joining.relationship` does one by one."""
    wanted = sorted({(min(pair), max(pair)) for pair in pairs} - set(trader.circles))
    wallet = trader.node.wallet
    aliases: dict[tuple[str, str], list[KeyPair]] = {}
    for pair in wanted:
        aliases[pair] = [wallet.make(wallet.new_id("a")) for _ in pair]
        trader.circles[pair] = wallet.new_id("c")
    _endorse(trader, [(pair, who, alias) for pair in wanted for who, alias in zip(pair, aliases[pair], strict=True)])
    trader.flush()
    for pair in wanted:
        first, second = aliases[pair]
        opening = OpenCircle(
            circle=trader.circles[pair],
            purpose="relationship",
            members=[first.owner, second.owner],
            parties=list(pair),
            proofs=[wallet.owner_proof(first.owner), wallet.owner_proof(second.owner)],
            name="",
        )
        trader.do(pair[0], opening)
    trader.flush()
    for pair in wanted:
        trader.do(pair[1], EnterCircle(circle=trader.circles[pair]))  # who opens a circle is in it
    trader.flush()


def _endorse(trader: Trader, asked: list[tuple[tuple[str, str], str, KeyPair]]) -> None:
    """The registrar endorses each alias, and the wallet learns in which circle it speaks for whom."""
    node = trader.node
    registrar = joining.registrar(node)
    home, key = trader.home(registrar), node.wallet.key_of(registrar)
    for pair, party, alias in asked:
        fact = EndorseAlias(circle=home, alias=alias.owner, public_key=alias.public_text, owner=party)
        proof = trader.do(registrar, fact, key).disclosures[0].decode()
        node.wallet.enter(trader.circles[pair], party, alias.owner, owner_proof=proof)
