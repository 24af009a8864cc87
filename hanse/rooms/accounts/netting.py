"""Multilateral netting: obligations that both sides state alike, net positions, and the fewest usual payments. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence

import msgspec
from msgspec import Struct

from hanse.rooms.accounts.rows import Move, OwedTo

_json = msgspec.json.Encoder(order="sorted").encode
Unmatched = tuple[str, str, int, int]


class Netted(Struct, frozen=True):
    """A round's result.

    obligations: gross, each (debtor, creditor, minor units), that both sides state alike. unmatched: (debtor, creditor,
    debtor's word, creditor's word). positions: (party, net minor units; positive: gets). transfers: what is paid.
    gross_minor: sum of obligations; net_minor: sum of transfers. payments before and after: their counts.
    """

    obligations: tuple[Move, ...]
    unmatched: tuple[Unmatched, ...]
    positions: tuple[tuple[str, int], ...]
    transfers: tuple[Move, ...]
    gross_minor: int
    net_minor: int


def net(submitted: Mapping[str, Sequence[OwedTo]], dropped: Iterable[str] = ()) -> Netted:
    """The result of a round.

    Args:
        submitted: party -> its own word on each partner. dropped: parties that take no part any more.
    Invariants: positions sum to zero; each party's transfers come to its position; no party both pays and gets; at most
        one payment fewer than there are parties with a position.

    >>> a, b, c = [OwedTo("b", 100, 0)], [OwedTo("a", 0, 100), OwedTo("c", 100, 0)], [OwedTo("b", 0, 100)]
    >>> done = net({"a": a, "b": b, "c": c})
    >>> done.positions, [tuple(msgspec.to_builtins(move)) for move in done.transfers]
    ((('a', -100), ('b', 0), ('c', 100)), [('a', 'c', 100)])
    """
    out = set(dropped)
    parties = sorted(party for party in submitted if party not in out)
    says: dict[tuple[str, str], int] = {}
    hears: dict[tuple[str, str], int] = {}
    for party in parties:
        for word in submitted[party]:
            if word.partner in submitted and word.partner not in out:
                says[party, word.partner] = word.to_pay_minor
                hears[word.partner, party] = word.to_get_minor
    obligations, unmatched = [], []
    for pair in sorted(says.keys() | hears.keys()):
        said, heard = says.get(pair, 0), hears.get(pair, 0)
        if said == heard and said:
            obligations.append(Move(pair[0], pair[1], said))
        elif said != heard:
            unmatched.append((pair[0], pair[1], said, heard))
    position = {party: 0 for move in obligations for party in (move.payer, move.payee)}
    for move in obligations:
        position[move.payer] -= move.amount_minor
        position[move.payee] += move.amount_minor
    transfers = _transfers(position)
    return Netted(
        tuple(obligations),
        tuple(unmatched),
        tuple(sorted(position.items())),
        transfers,
        sum(move.amount_minor for move in obligations),
        sum(move.amount_minor for move in transfers),
    )


def _transfers(position: Mapping[str, int]) -> tuple[Move, ...]:
    """Largest debtor to largest creditor, again and again; ties by name. Each step settles one of the two wholly."""
    pays = sorted((-amount, party) for party, amount in position.items() if amount < 0)
    gets = sorted((amount, party) for party, amount in position.items() if amount > 0)
    out: list[Move] = []
    while pays and gets:
        pays.sort(key=lambda pair: (-pair[0], pair[1]))
        gets.sort(key=lambda pair: (-pair[0], pair[1]))
        (owes, payer), (due, payee) = pays.pop(0), gets.pop(0)
        amount = min(owes, due)
        out.append(Move(payer, payee, amount))
        if owes > amount:
            pays.append((owes - amount, payer))
        if due > amount:
            gets.append((due - amount, payee))
    return tuple(out)


def result_hash(cycle: str, currency: str, salt: str, result: Netted) -> str:
    """Hex SHA-256 of a result, as treasurer and parties sign it. The salt keeps small amounts from being guessed."""
    said = _json([cycle, currency, salt, result])
    return hashlib.sha256(said).hexdigest()
