"""For tests of this room and of later ones: a town with stock, offers and orders in few words."""

from __future__ import annotations

from typing import Any

import hanse.rooms.testing as towns

PARTS = ("quotes", "delivery", "after", "terms", "delivery_terms", "books")
_had = vars(towns)["RULE_PARTS"]
vars(towns)["RULE_PARTS"] = (*_had, *(part for part in PARTS if part not in _had))

from hanse.kernel.apply import Outcome  # noqa: E402
from hanse.rooms.testing import Town, home  # noqa: E402

__all__ = ["Any", "Outcome", "Town", "home"]
