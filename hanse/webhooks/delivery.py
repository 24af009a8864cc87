"""The thread that tells: in order for each address, several addresses at once, beside the writer and never in its way.

Where an address stands is a position of the record, kept on the disk: what was signed while the node was closed, or
while a receiver was away, is told afterwards. An event whose answer was lost is sent again under the same `webhook-id`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from hanse.node.history import size_of
from hanse.node.journal import journal
from hanse.node.node import Node
from hanse.webhooks import sending
from hanse.webhooks.events import event_at, trial_event
from hanse.webhooks.sending import Answer
from hanse.webhooks.store import ACTIVE, GONE, PAUSED, Subscription, WebhookStore

WAITS_SECONDS = (5, 60, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""After the first failure, the second, ...; after the last the address is paused. Three days in all."""
TOGETHER_MAX = 8
"""Addresses that are told at the same time."""
EVENTS_AT_A_TURN = 50
LOOKED_AT_A_TURN = 5_000
IDLE_SECONDS = 30.0
FAULT_SECONDS = 5.0
"""Until the subscriptions are looked at again, where they could not be read."""
Send = Callable[..., Answer]
_journal = journal("hanse.webhooks")


class Webhooks:
    """Tells a node's subscriptions. Close it before the node.

    Args:
        store: of the same directory. send: as `sending.send`.
    """

    def __init__(self, node: Node, store: WebhookStore, *, send: Send = sending.send) -> None:
        self.node, self.store, self._send = node, store, send
        self._size = self._entries()
        self._changed, self._closing = threading.Event(), threading.Event()
        self._busy: set[str] = set()
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(TOGETHER_MAX, thread_name_prefix="hanse-webhook")
        self._thread = threading.Thread(target=self._run, name="hanse-webhooks", daemon=True)

    def start(self) -> None:
        """Begin to tell. Without it subscriptions are kept, and nothing is sent but tests."""
        self.node.path.listeners.append(self._look)
        self._thread.start()

    def _look(self, block: Any) -> None:
        """Called by the writer once readers see a block."""
        self._changed.set()

    def _entries(self) -> int:
        """How many entries readers see; the record may be a block ahead, which the disk has yet to keep."""
        return size_of(self.node.view())

    def wake(self) -> None:
        """Look again: a subscription was resumed."""
        self._changed.set()

    def _now(self) -> int:
        return int(self.node.clock())

    def _run(self) -> None:
        while not self._closing.is_set():
            self._changed.clear()
            try:
                wait = self._begin_all()
            except Exception as error:  # of the disk, say; the next turn may find it well
                _journal.error("webhook.fault", exc_info=error)
                wait = FAULT_SECONDS
            self._changed.wait(wait)

    def _begin_all(self) -> float:
        """Begin a turn for each address whose time has come; how long to wait then, in seconds."""
        self._size = self._entries()
        for subscription in self.store.due(self._now(), self._size):
            self._begin(subscription.id)
        at = self.store.next_at()
        return IDLE_SECONDS if at is None else min(IDLE_SECONDS, max(0.05, at - self.node.clock()))

    def _begin(self, id: str) -> None:
        with self._lock:
            if id in self._busy:
                return
            self._busy.add(id)
        self._pool.submit(self._turn, id)

    def _turn(self, id: str) -> None:
        """Tell one address for a while. What was left, or came meanwhile, begins another turn.

        Where it stands is read here, by the one turn that it has: another that was under way when the address was
        found due may have told it meanwhile.
        """
        reached = self._size
        try:
            subscription = self.store.due_still(id, self._now(), self._size)
            if subscription is not None:
                reached = self._guarded(subscription)
        finally:
            with self._lock:
                self._busy.discard(id)
        if self._size > reached:
            self._changed.set()

    def _guarded(self, subscription: Subscription) -> int:
        try:
            return self._tell(subscription)
        except Exception as error:
            _journal.error("webhook.fault", subscription=subscription.id, exc_info=error)
            self._failed(subscription, subscription.tries + 1, Answer(0, "a fault of this node"), subscription.position)
            return self._size

    def _tell(self, subscription: Subscription) -> int:
        """How far it came; the record's end where it need not come back at once."""
        at, told, end = subscription.position, 0, min(self._size, subscription.position + LOOKED_AT_A_TURN)
        while at < end and told < EVENTS_AT_A_TURN and not self._closing.is_set():
            with self.node.read.once():
                event = event_at(self.node, self.node.view(subscription.party), at, subscription)
            if event is not None:
                answer = self._post(subscription, str(at), event)
                if not answer.good:
                    self._failed(subscription, 1 if told else subscription.tries + 1, answer, at)
                    return self._size
                told += 1
                if not self.store.passed(subscription.id, at + 1, answer.said):
                    return self._size
            at += 1
        self.store.passed(subscription.id, at)
        return at

    def _post(self, subscription: Subscription, name: str, event: bytes) -> Answer:
        message = f"msg_{subscription.id}_{name}"
        private = self.store.private
        return self._send(subscription.url, subscription.secret, message, event, self._now(), private=private)

    def _failed(self, subscription: Subscription, tries: int, answer: Answer, at: int) -> None:
        """Note a failure: when to try again, or that this address is told no more."""
        state, wait = ACTIVE, 0
        if answer.status == 410:
            state = GONE
        elif tries > len(WAITS_SECONDS):
            state = PAUSED
        else:
            wait = self._now() + max(WAITS_SECONDS[tries - 1], answer.retry_after_seconds)
        self.store.passed(subscription.id, at)
        self.store.failed(subscription.id, tries, wait, answer.said, state)
        self._changed.set()  # so that the thread knows until when to wait

    def test(self, party: str, id: str) -> Answer:
        """Send a test event now, and say what came back. Refuses: as `WebhookStore.may_test`."""
        subscription, now = self.store.may_test(party, id), self._now()
        return self._post(subscription, f"test-{now}", trial_event(self.node, subscription, now))

    def close(self) -> None:
        """Finish the requests under way."""
        self._closing.set()
        self._changed.set()
        if self._thread.is_alive():
            self.node.path.listeners.remove(self._look)
            self._thread.join()
        self._pool.shutdown(wait=True, cancel_futures=True)
