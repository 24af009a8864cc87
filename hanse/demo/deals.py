"""Agreements between the firms, from the contracts room's clause library, proposed by one side and signed by the other.

The main distributor has most of them, so that its pages show each kind: price list, late delivery, rebates, on time in
full. Every circle with an agreement costs a daily look at its waits, so that not everybody has one here.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from hanse.demo.cast import COMPETITOR, GROUP, by_party
from hanse.demo.goods import Good
from hanse.demo.ids import opaque
from hanse.demo.trader import DAY, Trader
from hanse.rooms.contracts.compiled import template_of
from hanse.rooms.contracts.facts import Propose, RegisterTemplate, SignProposal
from hanse.rooms.contracts.library import text_of
from hanse.rooms.contracts.private_rows import PROPOSALS

MAIN = "trave-technik"
CUSTOMER = "werft-wismar"
LENDERS = ("warnow-bedarf", "gotland-maskin", "revaler-handel")
OBJECTION_DAYS = 3
PERCENT_OF_LIST = 88
"""What customers pay of the list price."""
PRICES_MAX = 40


class Deal(Struct, frozen=True):
    """An agreement of the demo: number, library template, who supplies whom, parameters, and what it is about."""

    agreement: str
    template: str
    supplier: str
    buyer: str
    params: dict[str, Any]
    scope: tuple[str, ...] = ("*",)
    others: dict[str, str] = {}


def late(rate: str, period: str, cap: str) -> dict[str, Any]:
    """Parameters of the late-delivery template."""
    return {
        "currency": "EUR",
        "due_field": "promised_at",
        "period": period,
        "rate": rate,
        "cap": cap,
        "partial": "ceil",
        "terminate_after": "30d",
        "pay_within": "30d",
        "force_majeure": True,
    }


def rebate(every: str, scheme: str, *tiers: tuple[str, str]) -> dict[str, Any]:
    """Parameters of the volume-rebate template; tiers: (from, rate)."""
    return {"currency": "EUR", "rebate_period": every, "scheme": scheme, "tiers": [list(tier) for tier in tiers]}


STORY_LATE = opaque("ag", "late", "WB-TT")
STORY_REBATE = opaque("ag", "rebate", "WB-TT")
CUSTOMER_LATE = opaque("ag", "late", "TT-WW")


def deals(goods: list[Good], suppliers: list[str], rival_supplier: str) -> list[Deal]:
    """All agreements. suppliers: makers that the main distributor buys from, its largest first."""
    daily = late("5%", "1d", "20%")
    found = [
        Deal(STORY_LATE, "late-delivery", LENDERS[0], MAIN, daily),
        Deal(STORY_REBATE, "volume-rebate", LENDERS[0], MAIN, rebate("year", "retroactive", ("0.00", "2%"))),
        Deal("LATE-GM-TT", "late-delivery", LENDERS[1], MAIN, daily),
        Deal("LATE-RH-TT", "late-delivery", LENDERS[2], MAIN, late("2.5%", "7d", "15%")),
        Deal(CUSTOMER_LATE, "late-delivery", MAIN, CUSTOMER, late("5%", "1d", "20%")),
        Deal(opaque("ag", "prices", "TT-WW"), "price-and-moq", MAIN, CUSTOMER, prices(goods), priced(goods)),
        Deal(
            "REBATE-RIVAL",
            "volume-rebate",
            rival_supplier,
            COMPETITOR,
            rebate("quarter", "incremental", ("0.00", "1%"), ("50000.00", "3%")),
        ),
    ]
    for i, maker in enumerate(suppliers):
        tag = f"{by_party()[maker].prefix}-TT"
        tiers = (("0.00", "1%"), ("20000.00", "2.5%"), ("60000.00", "4%"))
        found += [
            Deal(opaque("ag", "late", tag), "late-delivery", maker, MAIN, late("2.5%", "7d", "15%")),
            Deal(opaque("ag", "rebate", tag), "volume-rebate", maker, MAIN, rebate("quarter", "incremental", *tiers)),
        ]
        if i == 0:
            terms = {"currency": "EUR", "target": "95%", "base": "all_failed", "case_cost": "1.50", "rate": "20%"}
            found.append(Deal(opaque("ag", "otif", tag), "otif", maker, MAIN, terms))
    return found


def _listed(goods: list[Good]) -> list[Good]:
    return sorted(goods, key=lambda good: (-good.rate, good.item))[:PRICES_MAX]


def priced(goods: list[Good]) -> tuple[str, ...]:
    """The scope of the price list: the fastest items."""
    return tuple(f"item:{good.item}" for good in _listed(goods))


def prices(goods: list[Good]) -> dict[str, Any]:
    """Parameters of the price list: what customers pay anyway."""
    rows = [
        {
            "item": good.item,
            "price": f"{good.price_minor * PERCENT_OF_LIST // 100 / 100:.2f}",
            "moq": 1,
            "multiple": good.pack_each,
        }
        for good in _listed(goods)
    ]
    return {"currency": "EUR", "prices": rows, "discounts": [[0, "0%"]]}


def sign_all(trader: Trader, found: list[Deal]) -> None:
    """Register the templates, propose and sign every agreement, with the group as arbiter."""
    hashes = {}
    for name in sorted({deal.template for deal in found}):
        text = text_of(name)
        hashes[name] = template_of(text).sha256
        trader.do(GROUP.party, RegisterTemplate(sha256=hashes[name], text=text))
    for deal in found:
        trader.do(deal.supplier, _proposal(trader, deal, hashes[deal.template]))
    trader.flush()
    for deal in found:
        circle, proposal = trader.circle(deal.supplier, deal.buyer), f"P-{deal.agreement}"
        row = trader.node.view(deal.buyer).get(PROPOSALS, circle, proposal)
        assert row is not None, proposal
        trader.do(deal.buyer, SignProposal(circle=circle, proposal=proposal, digest=row.digest))
    trader.flush()


def _proposal(trader: Trader, deal: Deal, sha256: str) -> Propose:
    return Propose(
        circle=trader.circle(deal.supplier, deal.buyer),
        agreement=deal.agreement,
        proposal=f"P-{deal.agreement}",
        template=sha256,
        params=deal.params,
        roles={"supplier": deal.supplier, "buyer": deal.buyer},
        others=deal.others,
        arbiter=GROUP.party,
        scope=list(deal.scope),
        objection_seconds=OBJECTION_DAYS * DAY,
        dispute_seconds=14 * DAY,
        notice_seconds=90 * DAY,
    )
