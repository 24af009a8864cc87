"""Playing a history: drawn steps, hostile ones among them, each followed by every claim.

The steps of a room enter themselves when their module is imported.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

import fair_contracts  # noqa: F401
import fair_deals  # noqa: F401
import fair_orders  # noqa: F401
import fair_whole  # noqa: F401
from fair import DAY, FIRMS, Fair, Hand
from fair_claims import all_hold, every_wait_ends, nobody_reads_anothers_words
from fair_goods import STEPS, WEIGHTS, step

from hanse.kernel.refusal import Refused
from hanse.rooms.orders.facts import CancelOrder
from hanse.rooms.orders.rows import LIVE_STATES, ORDERS

Drawn = tuple[str, tuple[int, ...], int]
"""A step: its name, the numbers that it draws, and whether it is wild (0 for yes)."""
NUMBERS_MAX, DRAWN_EACH, WILD_OF = 1_000, 8, 6


@step(6)
def time_passes(fair: Fair, hand: Hand) -> None:
    """To the very instant of the next wait, a second before or after it, a few hours, some days."""
    due = fair.applier.first_due()
    if due is not None and due > fair.now and hand.n(4) == 0:
        fair.tick(max(0, due - fair.now + hand.of((0, 0, 0, -1, 1))))
    else:
        fair.tick(hand.of((1, 3_600, 3_600, 6 * 3_600, 6 * 3_600, DAY, 3 * DAY, 15 * DAY)))


@step(16)
def trade_goes_on(fair: Fair, hand: Hand) -> None:
    """What waits for its next step takes it: an order, a parcel, a bill."""
    calm = Hand(hand.numbers[1:], wild=False)
    STEPS[hand.of(("confirm", "confirm", "ship", "ship", "receive", "receive", "invoice", "pay"))](fair, calm)


@step(2)
def again(fair: Fair, hand: Hand) -> None:
    """The same bytes once more: nothing happens again. Or other bytes under their nonce, or after their window."""
    if not fair.last:
        return
    party, fact, signed = hand.of(fair.last[-12:])
    how = hand.n(3)
    if how == 0:
        outcome = fair.send(signed)[0]
        assert outcome.repeated or outcome.code == "fact.expired", outcome
    elif how == 1:
        fair.say(party, fact, nonce=signed.envelope.nonce)
    else:
        fair.say(party, fact, exp=fair.now - 1)


@step(2)
def said_twice(fair: Fair, hand: Hand) -> None:
    """An earlier fact, signed anew: by who signed it, or by somebody else, in the name of either."""
    if fair.last:
        party, fact, _ = hand.of(fair.last[-12:])
        other = hand.of(FIRMS)
        if hand.n(2):
            fair.say(other if hand.n(2) else party, fact)
        else:
            forged = fair.keys.get(fair.speaker(other, fact), fair.speaker(other, fact))
            fair.say(party, fact, key=forged)


@step(2)
def late(fair: Fair, hand: Hand) -> None:
    """A fact is signed and lies about; another day it is sent, whatever has happened since (a key's end, too)."""
    if fair.pile and hand.n(2):
        fair.send(fair.pile.pop(hand.n(len(fair.pile))))
    elif fair.last:
        party, fact, _ = hand.of(fair.last[-12:])
        try:
            fair.pile.append(fair.sign_as(party, fact, exp=fair.now + 30 * DAY))
        except Refused:
            return


@step(3)
def at_once(fair: Fair, hand: Hand) -> None:
    """Several facts in one block that know nothing of each other: both sides at one instant."""
    facts = []
    for party, fact, _ in fair.last[-6:]:
        if hand.n(2):
            facts.append(fair.sign_as(hand.of((party, party, hand.of(FIRMS))), fact))
    order = hand.like(fair.rows(ORDERS), lambda o: o.state in LIVE_STATES)
    if order is not None:
        for alias in (order.buyer, order.seller):
            fact = CancelOrder(circle=order.circle, order=order.order_id, reason="both")
            facts.append(fair.sign_as(fair.behind(alias), fact))
    if facts:
        fair.send(*facts)


def play(drawn: Sequence[Drawn], fair: Fair | None = None) -> Fair:
    """A history: after every step every claim holds."""
    fair = fair or Fair()
    for name, numbers, wild in drawn:
        STEPS[name](fair, Hand(numbers, wild == 0))
        all_hold(fair)
    return fair


def end(fair: Fair, nodes: bool = True) -> None:
    """What holds once all is over: no wait is left, all firms' nodes agree, nobody has read another's words."""
    nobody_reads_anothers_words(fair)
    every_wait_ends(fair)
    nobody_reads_anothers_words(fair)
    assert not nodes or fair.both_sides_agree()


def names() -> list[str]:
    """The names of all steps, as often as they weigh."""
    return [name for name in sorted(STEPS) for _ in range(WEIGHTS[name])]


def drawn_by(seed: int, steps: int) -> list[Drawn]:
    """A history by a generator of random numbers, for those that are wanted the same each time."""
    draw, known = random.Random(seed), names()
    return [
        (draw.choice(known), tuple(draw.randrange(NUMBERS_MAX) for _ in range(DRAWN_EACH)), draw.randrange(WILD_OF))
        for _ in range(steps)
    ]
