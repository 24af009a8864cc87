"""What the API answers of contracts: path below `/api/v1/` -> the query that answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hanse.rooms.contracts import proposals, queries, responding, scorecards

READS: dict[str, Callable[..., Any]] = {
    "contracts/templates": queries.templates,
    "contracts/agreements": queries.agreements,
    "contracts/agreements/{circle}/{agreement}": queries.agreement_page,
    "contracts/proposals": proposals.proposals,
    "contracts/awards": queries.awards,
    "contracts/awards/{circle}/{award}": queries.award_page,
    "contracts/disputes": queries.disputes,
    "contracts/waiting": queries.waiting,
    "contracts/figures": queries.figures,
    "contracts/price/{circle}": responding.price_in_force,
    "contracts/answers/{order_id}": responding.explain,
    "contracts/scorecards": scorecards.scorecards,
    "contracts/scorecards/{partner}": scorecards.scorecard,
}
