"""An entry of the record as a CloudEvent (CloudEvents 1.0.2, JSON event format), for one reader.

Told are facts of the reader's circles, with what the reader may read of them, and facts that are everybody's. Of other
circles nothing is told, though the record shows strangers that something happened.
"""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import msgspec

from hanse.kernel.entries import OK
from hanse.kernel.kept import PRIVATE_OUTCOMES
from hanse.kernel.leaves import read_entry
from hanse.kernel.reading import read
from hanse.kernel.refusal import Refused
from hanse.kernel.view import View
from hanse.node.history import Told, told
from hanse.node.node import Node
from hanse.webhooks.store import Subscription

TYPE = "org.hanse."
TEST = TYPE + "webhooks.test"


def event_at(node: Node, view: View, position: int, subscription: Subscription) -> bytes | None:
    """The event of one entry as JSON; None where there is nothing to tell."""
    entry = read_entry(node.log.entry(position))
    if entry.form not in ("fact", "batched") or entry.outcome != OK:
        return None
    try:
        public = read(node.applier.book.kinds, entry.body, batch=entry.batch)
    except Refused:
        return None
    circle = getattr(public.fact, "circle", "")
    if not subscription.wants(public.envelope.kind) or (circle and circle not in view.circles):
        return None
    said = told(node, view, position)
    data: dict[str, Any] = {
        "position": position, "kind": said.kind, "circle": circle or None, "signer": said.signer,
        "signer_name": said.signer_name or None, "fact": nested(said), "not_disclosed": max(said.withheld, 0),
    }  # fmt: skip
    private = view.get(PRIVATE_OUTCOMES, circle, position) if circle else None
    if private is not None:
        data["private_refusal"] = private.code
    return _event(node, subscription, str(position), TYPE + said.kind, said.time, data)


def trial_event(node: Node, subscription: Subscription, now: int) -> bytes:
    """What the test button sends."""
    return _event(node, subscription, f"test-{now}", TEST, now, {"subscription": subscription.id})


def _event(node: Node, subscription: Subscription, id: str, type: str, at: int, data: dict[str, Any]) -> bytes:
    moment = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return msgspec.json.encode(
        {
            "specversion": "1.0", "id": id, "source": f"/networks/{node.net}/{subscription.party}", "type": type,
            "time": moment, "datacontenttype": "application/json", "data": data,
        }
    )  # fmt: skip


def nested(said: Told) -> dict[str, Any]:
    """The figures of an entry as the fact has them: `lines.1.each` stands in the first of `lines`."""
    out: dict[str, Any] = {}
    for figure in said.figures:
        if figure.state == "erased":
            continue
        names = figure.name.split(".")
        place: Any = out
        for name, below in pairwise(names):
            place = _below(place, name, below.isdigit())
        if isinstance(place, dict):
            place[names[-1]] = figure.value
    return out


def _below(place: Any, name: str, many: bool) -> Any:
    """What stands under a name, made where it is not there yet."""
    if isinstance(place, list):
        at = int(name) - 1
        while len(place) <= at:
            place.append({})
        return place[at]
    return place.setdefault(name, [] if many else {})
