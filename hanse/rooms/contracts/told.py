"""What this room tells later rooms, in the circle (`ON_CIRCLE`): clause results as they arise, stand, or fall."""

from __future__ import annotations

from msgspec import Struct


class _Award(Struct, frozen=True, kw_only=True):
    """A clause's result in money.

    award: its number, unique in the circle. kind: pay, post (an accrual: it corrects what was accrued before), hold,
        release or refund. sender, receiver: parties. amount_minor: > 0, minor units; a negative accrual comes with
        sender and receiver exchanged. due_at: UTC seconds, 0 where the clause names none. label: what it is booked as.
    sha256: of the record that explains it.
    """

    circle: str
    agreement: str
    award: str
    kind: str
    sender: str
    receiver: str
    amount_minor: int
    currency: str
    label: str
    due_at: int
    sha256: str


class AwardPosted(_Award, frozen=True, kw_only=True):
    """A clause gave a result: a pending accrual with its reason. It may still be disputed."""


class AwardStands(_Award, frozen=True, kw_only=True):
    """Nobody objected in time, both confirmed it, or a dispute was decided.

    posted_minor: what was posted before; `amount_minor` is less where a decision or agreement lowered it.
    """

    posted_minor: int


class AwardVoid(_Award, frozen=True, kw_only=True):
    """What was posted falls away entirely."""


class RightGranted(Struct, frozen=True, kw_only=True):
    """A clause gave a party a right (`label`: terminate, accepted, ...), or tells it something.

    kind: grant or notify. key: what the clause ran for, such as ("order", "po1").
    """

    circle: str
    agreement: str
    clause: str
    kind: str
    label: str
    party: str
    key: tuple[tuple[str, str], ...]
