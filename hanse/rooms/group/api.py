"""What the API answers of groups: path below `/api/v1/` -> the query that answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hanse.rooms.group import queries

READS: dict[str, Callable[..., Any]] = {
    "groups": queries.groups,
    "groups/rounds": queries.rounds,
    "groups/rounds/{round_id}": queries.round_page,
    "groups/rebates": queries.rebates,
    "groups/statements": queries.statements,
    "groups/near-tier/{supplier}/{currency}": queries.near_tier,
    "groups/audit": queries.audit,
    "groups/lots": queries.lots_with_members,
    "groups/lots-kept/{manager}": queries.lots_kept_for_group,
}
