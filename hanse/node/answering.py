"""Answering: the owner's node confirms or declines by itself, within a block, what its owner's terms decide:
stock, permits, agreements in force, the buyer's credit.

It reads with the owner's view and signs with the owner's key, as its people would; what needs judgement it leaves them.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

from hanse.kernel.entries import OK
from hanse.kernel.outcome import Block
from hanse.kernel.refusal import Refused
from hanse.node.node import Node
from hanse.rooms.accounts.responding import respond
from hanse.rooms.orders.facts import PlaceOrder
from hanse.rooms.orders.private_rows import ORDER_TERMS
from hanse.rooms.orders.responder import waiting_orders


class Answering:
    """A thread that answers new orders of hosted sellers.

    Args:
        on_fault: told what kept an order from being answered; the order stays open for people.
    """

    def __init__(self, node: Node, on_fault: Callable[[str, BaseException], None] = lambda order, error: None) -> None:
        self._node, self._on_fault = node, on_fault
        self._orders: queue.SimpleQueue[tuple[str, str] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="hanse-answering", daemon=True)
        self._thread.start()
        node.path.listeners.append(self._look)
        node.path.kept.add(PlaceOrder.kind)

    def _look(self, block: Block) -> None:
        codes = {outcome.position: outcome.code for outcome in block.outcomes}
        for position, signed in block.recorded:
            if isinstance(signed.fact, PlaceOrder) and codes[position] == OK:
                self._orders.put((signed.fact.circle, signed.fact.order))

    def catch_up(self) -> int:
        """Answer what came while the node was closed; how many orders were looked at."""
        found = 0
        for party in self._node.wallet.hosted():
            view = self._node.view(party)
            if view.home:
                for order in waiting_orders(view):
                    self.answer(party, order)
                    found += 1
        return found

    def answer(self, seller: str, order: str) -> bool:
        """Sign the responder's answer to an order, if it has one; whether it was signed."""
        try:
            with self._node.read.once():
                fact = respond(self._node.view(seller), order)
            if fact is not None:
                self._node.act(seller, fact, check=False)
            return fact is not None
        except Refused as refused:
            self._on_fault(order, refused)
            return False

    def _run(self) -> None:
        while (asked := self._orders.get()) is not None:
            circle, order = asked
            try:
                seller = self._seller(circle, order)
                if seller:
                    self.answer(seller, order)
            except Exception as error:
                self._on_fault(order, error)

    def _seller(self, circle: str, order: str) -> str:
        """The hosted seller of an order, or ""."""
        for party, _ in self._node.wallet.speakers(circle):
            terms = self._node.view(party).get(ORDER_TERMS, circle, order)
            if terms is not None and terms.seller == party:
                return party
        return ""

    def close(self) -> None:
        """Finish what was taken."""
        self._node.path.listeners.remove(self._look)
        self._orders.put(None)
        self._thread.join()
