"""One shape for everything that people do wrong."""

from __future__ import annotations

from typing import Any

import msgspec

from hanse.kernel.refusals import Refusal


class Refused(Exception):
    """Raised by rules and doors for what people do wrong; bugs are other exceptions.

    >>> str(Refused("inventory.not_enough", "asked 7 each, free 6 each", next="lower the quantity"))
    'inventory.not_enough: asked 7 each, free 6 each; lower the quantity'
    """

    def __init__(
        self, code: str, message: str, *, got: Any = "", expected: Any = "", next: str = "", retry: bool = False
    ) -> None:
        self.refusal = Refusal(code, message, str(got), str(expected), next, retry)
        super().__init__(str(self.refusal))

    @classmethod
    def of(cls, refusal: Refusal) -> Refused:
        """The exception of a refusal that was carried as data."""
        return cls(**msgspec.structs.asdict(refusal))

    @property
    def code(self) -> str:
        return self.refusal.code

    @property
    def message(self) -> str:
        return self.refusal.message

    @property
    def got(self) -> str:
        return self.refusal.got

    @property
    def expected(self) -> str:
        return self.refusal.expected

    @property
    def next(self) -> str:
        return self.refusal.next

    @property
    def retry(self) -> bool:
        return self.refusal.retry


def require(
    condition: object,
    code: str,
    message: str,
    *,
    got: Any = "",
    expected: Any = "",
    next: str = "",
    retry: bool = False,
) -> None:
    """Refuse unless the condition holds: `require(each > 0, "orders.bad_quantity", "...", got=each)`."""
    if not condition:
        raise Refused(code, message, got=got, expected=expected, next=next, retry=retry)
