"""Histories of one market against a model of plain dicts: no stock is made or lost, whatever is asked in what order."""

from collections import Counter

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from hanse.rooms.inventory.facts import HELD, HOLDS, MOVEMENTS, STOCK, TOTALS, Move
from hanse.rooms.inventory.offer_facts import EARMARKS, OFFERS, TRANSFERS, AcceptTransfer, EndTransfer, WithdrawOffer
from hanse.rooms.inventory.testing import SITES, adjust, count, drawing, earmark, market, offer, propose
from hanse.rooms.testing import home

EACH = st.integers(1, 40)
PASSING = ("transferred", "sold", "received")
KINDS = ("sale", "sale_in_place", "sale_of_held", "consign", "hand_over")


class Market(RuleBasedStateMachine):
    """`a` sells to b and c and passes goods to and from b. The model knows on hand, offers, orders and transfers."""

    def __init__(self):
        super().__init__()
        self.town = market(on_hand=60)
        self.on_hand = Counter({("a", "a-north", ""): 60})
        self.offers: dict[str, dict] = {}
        self.orders: dict[str, dict] = {}
        self.transfers: dict[str, dict] = {}
        self.names = 0

    def name(self, kind: str) -> str:
        self.names += 1
        return f"{kind}{self.names}"

    def stock(self, party: str, site: str, owner: str = ""):
        number = f"{party.upper()}-X"
        return self.town.state.get(STOCK, (home(party), site, number, "", owner))

    def free(self, party: str, site: str, owner: str = "") -> int:
        row = self.stock(party, site, owner)
        return row.free_each if row else 0

    # -- own stock --

    @rule(site=st.sampled_from(SITES["a"]), each=st.integers(0, 80))
    def count(self, site, each):
        assert self.town.refused("a", count("a", site, each)) == "ok"
        self.on_hand["a", site, ""] = each

    @rule(site=st.sampled_from(SITES["a"]), each=EACH, reason=st.sampled_from(["found", "scrapped", "consumed"]))
    def adjust(self, site, each, reason):
        signed = each if reason == "found" else -each
        fits = self.on_hand["a", site, ""] + signed >= 0
        said = self.town.refused("a", adjust("a", site, signed, reason))
        assert said == ("ok" if fits else "inventory.not_enough")
        self.on_hand["a", site, ""] += signed if fits else 0

    @rule(each=EACH)
    def move(self, each):
        fits = each <= self.free("a", "a-north")
        fact = Move(
            circle=home("a"), own_number="A-X", lot="", owner="", from_site="a-north", to_site="a-south", each=each
        )
        assert self.town.refused("a", fact) == ("ok" if fits else "inventory.not_enough")
        if fits:
            self.on_hand["a", "a-north", ""] -= each
            self.on_hand["a", "a-south", ""] += each

    # -- offers and what is drawn of them --

    @rule(each=EACH, firm=st.booleans(), price=st.sampled_from([299, 300, 400]), shared=st.booleans())
    def offer(self, each, firm, price, shared):
        name, circle = self.name("offer"), "pool" if shared else "a--b"
        fits = each <= self.free("a", "a-north")
        assert self.town.refused("a", earmark("a", name, each)) == ("ok" if fits else "inventory.not_enough")
        if not fits:
            return
        said = self.town.refused("a", offer(self.town, circle, name, each, firm=firm, unit_price_minor=price))
        assert said == ("ok" if price >= 300 else "inventory.below_minimum")
        self.offers[name] = {
            "each": each,
            "reserved": 0,
            "taken": 0,
            "ended": False,
            "shared": shared,
            "backed": price >= 300,
            "ends": self.town.now + 7 * 86_400,
        }

    @precondition(lambda self: self.offers)
    @rule(data=st.data(), each=st.integers(0, 40), buyer=st.sampled_from(["b", "c"]))
    def reserve(self, data, each, buyer):
        name = data.draw(st.sampled_from(sorted(self.offers)))
        known = self.offers[name]
        if not known["shared"] and buyer == "c":
            expected = "inventory.not_offered_here"
        elif known["ended"]:
            expected = "inventory.offer_ended"
        elif each == 0:
            expected = "inventory.bad_quantity"
        elif each > known["each"] - known["reserved"] - known["taken"]:
            expected = "inventory.not_enough"
        else:
            expected = "ok"
        order = self.name("order")
        fact = drawing("reserve", order, name, each, circle=f"a--{buyer}", buyer=buyer)
        assert self.town.refused(buyer, fact) == expected
        if expected == "ok":
            known["reserved"] += each
            self.orders[order] = {"offer": name, "each": each, "buyer": buyer, "state": "reserved"}

    def open_orders(self, *states: str) -> list[str]:
        return sorted(order for order, known in self.orders.items() if known["state"] in states)

    def draw_verb(self, verb: str, order: str) -> None:
        known = self.orders[order]
        fact = drawing(verb, order, known["offer"], known["each"], circle=f"a--{known['buyer']}", buyer=known["buyer"])
        assert self.town.refused("a", fact) == "ok"

    @precondition(lambda self: self.open_orders("reserved"))
    @rule(data=st.data())
    def confirm(self, data):
        order = data.draw(st.sampled_from(self.open_orders("reserved")))
        self.draw_verb("confirm", order)
        self.orders[order]["state"] = "confirmed"

    @precondition(lambda self: self.open_orders("reserved", "confirmed"))
    @rule(data=st.data())
    def cancel(self, data):
        order = data.draw(st.sampled_from(self.open_orders("reserved", "confirmed")))
        self.draw_verb("cancel", order)
        self.orders[order]["state"] = "cancelled"
        self.offers[self.orders[order]["offer"]]["reserved"] -= self.orders[order]["each"]

    @precondition(lambda self: self.open_orders("confirmed"))
    @rule(data=st.data())
    def ship(self, data):
        order = data.draw(st.sampled_from(self.open_orders("confirmed")))
        known = self.orders[order]
        offered = self.offers[known["offer"]]
        self.draw_verb("ship", order)
        known["state"] = "shipped"
        offered["reserved"] -= known["each"]
        offered["taken"] += known["each"]
        if offered["backed"]:
            self.on_hand["a", "a-north", ""] -= min(known["each"], self.on_hand["a", "a-north", ""])
        else:
            self.unbacked = True
        self.on_hand[known["buyer"], SITES[known["buyer"]][0], ""] += known["each"]

    unbacked = False
    """An order on an offer that a's home does not stand behind was shipped: b received what a's books do not show."""

    @precondition(lambda self: any(not known["ended"] for known in self.offers.values()))
    @rule(data=st.data())
    def withdraw(self, data):
        name = data.draw(st.sampled_from(sorted(n for n, known in self.offers.items() if not known["ended"])))
        circle = "pool" if self.offers[name]["shared"] else "a--b"
        assert self.town.refused("a", WithdrawOffer(circle=circle, offer=name)) == "ok"
        self.offers[name]["ended"] = True

    @rule(hours=st.sampled_from([1, 6, 60]))
    def time_passes(self, hours):
        self.town.tick(hours * 3600)
        for known in [*self.offers.values(), *self.transfers.values()]:
            known["ended"] = known["ended"] or known["ends"] <= self.town.now

    # -- transfers between a and b --

    @rule(each=EACH, kind=st.sampled_from(KINDS), giver=st.sampled_from(["a", "b"]))
    def propose(self, each, kind, giver):
        taker = "b" if giver == "a" else "a"
        name, owner = self.name("transfer"), taker if kind == "hand_over" else ""
        if kind == "sale_of_held":
            held = self.town.state.get(HELD, (home(giver), taker, "X", ""))
            fits = held is not None and each <= held.each
            expected = "inventory.not_enough"
        else:
            fits = each <= self.free(giver, SITES[giver][0], owner)
            self.town.do(giver, earmark(giver, name, each, owner=owner))
            expected = "inventory.no_earmark"
        said = self.town.refused(giver, propose(self.town, name, each, kind))
        assert said == ("ok" if fits else expected)
        self.transfers[name] = {
            "each": each,
            "kind": kind,
            "giver": giver,
            "taker": taker,
            "ended": False,
            "fits": fits,
            "ends": self.town.now + 7 * 86_400,
        }

    def standing(self) -> list[str]:
        return sorted(n for n, known in self.transfers.items() if not known["ended"] and known["fits"])

    @precondition(lambda self: self.standing())
    @rule(data=st.data())
    def accept(self, data):
        name = data.draw(st.sampled_from(self.standing()))
        known = self.transfers[name]
        giver, taker, kind, each = known["giver"], known["taker"], known["kind"], known["each"]
        here, there = SITES[giver][0], SITES[taker][0]
        fact = AcceptTransfer(circle="a--b", transfer=name, site=there)
        assert self.town.refused(taker, fact) == "ok"
        known["ended"] = True
        gone = {
            "sale": (giver, here, ""),
            "sale_in_place": (giver, here, ""),
            "sale_of_held": (taker, there, giver),
            "consign": (giver, here, ""),
            "hand_over": (giver, here, taker),
        }[kind]
        come = {
            "sale": (taker, there, ""),
            "sale_in_place": (giver, here, taker),
            "sale_of_held": (taker, there, ""),
            "consign": (taker, there, giver),
            "hand_over": (taker, there, ""),
        }[kind]
        self.on_hand[gone] -= min(each, self.on_hand[gone])
        self.on_hand[come] += each

    @precondition(lambda self: self.standing())
    @rule(data=st.data(), who=st.sampled_from(["a", "b"]))
    def end_transfer(self, data, who):
        name = data.draw(st.sampled_from(self.standing()))
        assert self.town.refused(who, EndTransfer(circle="a--b", transfer=name)) == "ok"
        self.transfers[name]["ended"] = True

    # -- claims --

    def rows(self, table):
        return self.town.state.conn.execute(
            f"SELECT {', '.join(table.columns)} FROM {table.name} ORDER BY {', '.join(table.key)}"
        )

    def all(self, table):
        return [table.from_sql(row) for row in self.rows(table)]

    @invariant()
    def on_hand_is_what_the_model_says(self):
        found = {(s.circle.removeprefix("home-"), s.site, s.owner): s.on_hand_each for s in self.all(STOCK)}
        assert {key: each for key, each in found.items() if each} == {k: v for k, v in self.on_hand.items() if v}

    @invariant()
    def on_hand_is_the_sum_of_movements(self):
        moved: Counter = Counter()
        for m in self.all(MOVEMENTS):
            assert m.each != 0
            moved[m.circle, m.site, m.own_number, m.lot, m.owner] += m.each
        for s in self.all(STOCK):
            assert moved[s.circle, s.site, s.own_number, s.lot, s.owner] == s.on_hand_each >= 0

    @invariant()
    def what_is_promised_is_there_or_is_called_short(self):
        held, aside = Counter(), Counter()
        for h in self.all(HOLDS):
            assert h.each > 0
            held[h.circle, h.site, h.own_number, h.lot, h.owner] += h.each
        for e in self.all(EARMARKS):
            aside[e.circle, e.site, e.own_number, e.lot, e.owner] += e.set_aside_each
        for s in self.all(STOCK):
            key = (s.circle, s.site, s.own_number, s.lot, s.owner)
            assert (s.allocated_each, s.set_aside_each) == (held[key], aside[key])
            promised = s.allocated_each + s.set_aside_each
            assert s.short_each == max(0, promised - s.on_hand_each)
            assert promised <= s.on_hand_each + s.short_each

    @invariant()
    def totals_are_sums(self):
        sums: dict = {}
        for s in self.all(STOCK):
            if not s.owner:
                had = sums.setdefault((s.circle, s.own_number), Counter())
                for name in ("on_hand_each", "allocated_each", "set_aside_each", "short_each"):
                    had[name] += getattr(s, name)
        for t in self.all(TOTALS):
            for name, each in sums[t.circle, t.own_number].items():
                assert getattr(t, name) == each

    @invariant()
    def reservations_balance(self):
        for o in self.all(OFFERS):
            known = self.offers[o.offer]
            assert (o.reserved_each, o.taken_each) == (known["reserved"], known["taken"])
            assert o.reserved_each >= 0 and o.reserved_each + o.taken_each <= o.each

    @invariant()
    def nothing_stays_set_aside_for_what_has_ended(self):
        proposed = {t.transfer for t in self.all(TRANSFERS) if t.state == "proposed"}
        for e in self.all(EARMARKS):
            known = self.offers.get(e.offer)
            if known is None and e.offer not in proposed:
                assert e.set_aside_each == 0
            if known and (known["ended"] or not e.firm):
                assert e.set_aside_each <= (known["reserved"] if e.firm else 0)

    @invariant()
    def what_one_gives_another_gets(self):
        balance = Counter()
        for m in self.all(MOVEMENTS):
            balance[m.reason] += m.each
        if not self.unbacked:
            assert sum(balance[reason] for reason in PASSING) == 0
        assert balance["transferred"] == 0 == balance["moved"]
        assert balance["uncounted"] >= 0

    @invariant()
    def every_quantity_has_one_owner(self):
        kept: Counter = Counter()
        for s in self.all(STOCK):
            if s.owner:
                kept[s.owner, s.circle.removeprefix("home-")] += s.on_hand_each
        titles: Counter = Counter()
        for h in self.all(HELD):
            titles[h.circle.removeprefix("home-"), h.custodian] += h.each
        assert +kept == +titles

    def teardown(self):
        assert self.town.both_sides_agree()


TestMarket = Market.TestCase
TestMarket.settings = settings(max_examples=30, stateful_step_count=40, deadline=None)
