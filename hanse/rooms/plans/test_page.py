"""The pages of plans, over HTTP on a real node."""

import html
import json
import os
import signal

import msgspec
import pytest

from hanse.node import pipes, planning_beside, planning_jobs, planning_run, planning_stock
from hanse.node.history import Told, told
from hanse.node.pipes import Beside
from hanse.node.planning_run import Way
from hanse.rooms.inventory.facts import Adjust, AdjustLine
from hanse.rooms.inventory.offer_facts import Want, WithdrawOffer, WithdrawWant
from hanse.rooms.orders.facts import DeliverTo, PlaceLine, PlaceOrder
from hanse.rooms.plans import page_words
from hanse.rooms.plans.checking import question
from hanse.rooms.plans.next_best import NextBest
from hanse.rooms.plans.page_shelves import _levels
from hanse.rooms.plans.private_rows import RULES
from hanse.rooms.plans.queries import Part, Served, plan_page
from hanse.rooms.plans.rows import PLANS
from hanse.site.sentences import sentence
from hanse.site.testing import DAY, EVIL, PLACES, SmallTown

HERE = Way(seconds=None, rounds=2, worker=False)


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    there = SmallTown(tmp_path_factory.mktemp("town"), stock_each=400)
    there.offer("ob", "bob", each=30)
    there.offer("oc", "cay", each=60, price=900)
    for name, party, each in (("w1", "ann", 15), ("w2", "eve", 12)):
        city, latitude, longitude = PLACES[party]
        there.do(party, Want(circle=there.pool, want=name, expires_at=there.now() + 5 * DAY, item="item-6205",
                             each=each, borrow=False, country="DE", city=city, latitude_microdeg=latitude,
                             longitude_microdeg=longitude, note=EVIL))  # fmt: skip
    there.do("bob", PlaceOrder(
        circle=there.home("bob"), order="SO1", side="sell", counterparty=EVIL, po_number="1", currency="EUR",
        deliver_to=DeliverTo(city="Hamburg", country="DE"),
        lines=[PlaceLine(line=1, each=20, item="item-6205", own_number="x", unit_price_minor=1500, requested_at=0)],
    ))  # fmt: skip
    home, now = there.home("bob"), there.now()
    sold = [
        AdjustLine(site="store-bob", own_number="bob-6205", each=-1 - week % 3, reason="sold",
                   made_at=now - 7 * DAY * (week + 1))
        for week in range(26) for _ in range(2)
    ]  # fmt: skip
    there.do("bob", Adjust(circle=home, lines=sold))
    yield there
    there.close()


@pytest.fixture(scope="module")
def pooled(town):
    return planning_run.plan(town.desk("eve"), town.pool, way=HERE)


@pytest.fixture(scope="module")
def own(town):
    return planning_run.plan(town.desk("bob"), way=HERE)


def test_history_calls_a_plan_by_its_planner_and_group_for_those_in_the_group(town, pooled):
    ann, stranger = town.node.view("ann"), town.node.view("")
    said = {
        (one.kind, view.party): sentence(view, one).text
        for view in (ann, stranger)
        for one in (told(town.node, view, at) for at in range(town.node.log.size))
        if {"plan", "window"} & {figure.name for figure in one.figures} and one.circle == pooled.circle
    }
    assert said["plans.open", "ann"].startswith("Eve asked for plans for the group The pool, until ")
    assert said["plans.propose", "ann"].startswith("Eve proposed a plan for the group The pool, above the best ")
    assert "found the plan of Eve for the group The pool as good as it says" in said["plans.attest", "ann"]
    assert f"asked for plans in window {pooled.window}" in said["plans.open", ""]
    assert f"proposed plan {pooled.plan}, above" in said["plans.propose", ""]
    assert f"found plan {pooled.plan} as good" in said["plans.attest", ""]
    over = Told(1, "timer", "ok", 1, 0, kind=f"plans.window_over/{pooled.window}")
    assert sentence(ann, over).text.startswith("The window for plans for the group The pool is closed")
    assert sentence(stranger, over).text.startswith(f"Window {pooled.window} is closed")


def test_lists_and_plans_answer_for_those_who_may_read_them(town, pooled, own):
    for party, role, status in (("ann", "owner", 200), ("ann", "buyer", 200), ("ann", "viewer", 200),
                                ("ann", "warehouse", 404)):  # fmt: skip
        who = town.visitor(party, role)
        assert who.get("/plans").status_code == status, role
        assert who.get(f"/plans/p/{pooled.plan}").status_code == status
    assert town.visitor("ann").get(f"/plans/p/{own.plan}").status_code == 404, "another firm's own plan"
    assert own.plan not in town.visitor("eve").get("/plans").text
    assert town.visitor().get("/plans").status_code in (302, 303, 401)


def test_a_plan_shows_cost_bound_gap_sources_and_the_next_best(town, pooled):
    text = html.unescape(town.visitor("ann").get(f"/plans/p/{pooled.plan}").text)
    for words in ("No plan costs less than", "At most above the best", "Cay, Kiel", "Bob, Bremen", "Ann (w1)",
                  "recomputed by 3", "Plan for The pool", "What the cost is made of"):  # fmt: skip
        assert words in text, words
    assert f">{pooled.plan}<" not in text, "a plan is called by whose lines it serves"
    exported = town.visitor("ann").get(f"/plans/p/{pooled.plan}?l.format=json")
    assert exported.status_code == 200 and len(exported.text.strip().splitlines()) >= 1
    assert EVIL not in town.visitor("bob").get("/plans").text


def test_what_a_cost_is_made_of_adds_up_to_the_cost_on_the_record(town, pooled, own):
    for party, plan, short in (("ann", pooled.plan, 0), ("bob", own.plan, 0)):
        shown = plan_page(town.node.view(party), plan)
        made = shown.cost
        assert made.goods_minor + made.shipments_minor + made.unserved_minor == shown.row.cost_minor
        assert made.shipments >= 1 and made.goods_minor > 0 and made.unserved_minor == short
    assert page_words.cost_rows(plan_page(town.node.view("ann"), pooled.plan))[-1][2].minor == pooled.cost_minor


@pytest.mark.parametrize("extra, words", [(5, "for 5 JPY more"), (0, "for the same"), (-5, "for 5 JPY less")])
def test_the_next_best_source_is_told_with_what_it_costs(extra, words):
    best = NextBest("oc", "Cay", "Kiel", extra)
    line = Served(1, 1, "want:w1", "item-6205", "SKF 6205", 5, (Part("ob", "Bob", "Bremen", 5, 10),), 0, 1, best)
    assert page_words.next_words(line, "JPY") == f"Kiel, {words}"
    assert page_words.next_words(msgspec.structs.replace(line, next_best=None), "JPY") == "nobody has it all"
    assert page_words.next_words(msgspec.structs.replace(line, next_best=None, parts=()), "JPY") == ""


def test_what_a_made_up_want_or_order_is_for_is_told_by_names(town):
    name = "w-02319cbb0544e6281ed1"
    town.do("ann", Want(circle=town.pool, want=name, expires_at=town.now() + DAY, item="item-6205", each=1,
                        borrow=False, country="DE", city="Rostock", latitude_microdeg=0, longitude_microdeg=0,
                        note=""))  # fmt: skip
    view = town.node.view("eve")
    assert page_words.subject_words(view, town.pool, f"want:{name}") == "Ann"
    assert page_words.subject_words(view, town.pool, "want:w-00000000000000000000") == "wanted"
    town.do("ann", WithdrawWant(circle=town.pool, want=name))
    assert page_words.subject_words(view, town.pool, "order:SO1") == "Order SO1"


def test_what_an_owner_withdrew_is_named_and_planned_again(town, pooled):
    late = town.offer("passing", "cay", each=5, price=850)
    town.do("ann", Want(circle=town.pool, want="w3", expires_at=town.now() + 5 * DAY, item="item-6205", each=5,
                        borrow=False, country="DE", city="Rostock", latitude_microdeg=54_092_000,
                        longitude_microdeg=12_099_000, note=""))  # fmt: skip
    found = planning_run.plan(town.desk("eve"), town.pool, way=HERE)
    view = town.node.view("eve")
    row = view.get(PLANS, found.plan)
    fixed = question(view, town.pool, found.window)
    solved = HERE.solve(fixed)
    town.do("cay", WithdrawOffer(circle=town.pool, offer=late))
    again = planning_run.propose(town.desk("bob"), town.pool, found.window, fixed, solved)
    text = html.unescape(town.visitor("ann").get(f"/plans/p/{again}").text)
    for words in ("What does not stand", "the offer ended", "5 of them do not stand", ">Plan again</button>"):
        assert words in text, words
    assert ">Plan again</button>" not in town.visitor("ann", "viewer").get(f"/plans/p/{again}").text
    assert row is not None and found.plan in text, "the other plan of the window stands beside it"
    town.do("ann", WithdrawWant(circle=town.pool, want="w3"))


def test_nobody_signs_what_the_role_or_the_plan_does_not_allow(town, pooled):
    eve, viewer = town.visitor("eve"), town.visitor("ann", "viewer")
    assert "Recompute and sign" not in eve.get(f"/plans/p/{pooled.plan}").text, "its own plan"
    answer = eve.post("/plans/attest", {"plan": pooled.plan})
    assert answer.status_code >= 400 and "plans.own_plan" in answer.text
    assert "Turn it into orders" not in viewer.get(f"/plans/p/{pooled.plan}").text
    answer = town.visitor("ann").post("/plans/withdraw", {"plan": pooled.plan})
    assert answer.status_code >= 400 and "plans.not_yours" in answer.text
    assert town.visitor("ann").post("/plans/apply", {"plan": "nothing"}).status_code == 404


def test_a_plan_becomes_orders_of_those_whose_lines_they_are(town, pooled, own):
    answer = town.visitor("ann").post("/plans/apply", {"plan": pooled.plan})
    assert answer.status_code == 200 and "Ordered" in answer.text
    answer = town.visitor("bob").post("/plans/apply", {"plan": own.plan})
    assert "20 each confirmed from own stock" in answer.text
    assert "No line of this plan is yours" in town.visitor("cay").post("/plans/apply", {"plan": pooled.plan}).text


def test_a_plan_is_started_watched_and_refused_where_nothing_is_open(town, monkeypatch):
    start = planning_jobs.start
    monkeypatch.setattr(planning_jobs, "start", lambda *given: start(*given, worker=False, wait=True))
    cay = town.visitor("cay")
    answer = cay.post("/plans/run", {"circle": town.home("cay"), "seconds": "1"})
    assert answer.status_code == 303
    assert "there is nothing to plan" in cay.get("/plans/running").text
    answer = cay.post("/plans/run", {"circle": town.pool, "seconds": "1"})
    assert "Open the plan" in cay.get("/plans/running").text
    wrong = cay.post("/plans/run", {"circle": town.pool, "seconds": "soon"})
    assert wrong.status_code >= 400 and 'value="soon"' in wrong.text
    assert cay.post("/plans/run", {"circle": town.home("bob"), "seconds": "1"}).status_code >= 400
    assert town.visitor("ann", "viewer").post("/plans/run", {"circle": town.pool, "seconds": "1"}).status_code == 403
    assert cay.post("/plans/stop").status_code == 303


@pytest.fixture
def stopped(monkeypatch):
    """The next process that plans is stopped as soon as it is there."""

    class Stopped(Beside):
        def __init__(self, *given, **more):
            super().__init__(*given, **more)
            os.kill(self.process.pid, signal.SIGSTOP)

    monkeypatch.setattr(pipes, "STOPPED_SECONDS", 0.2)
    monkeypatch.setattr(pipes, "SLICE_SECONDS", 0.05)
    with monkeypatch.context() as once:
        once.setattr(planning_beside, "Beside", Stopped)
        yield once


def test_who_waits_for_a_stopped_planner_is_refused_and_the_next_plan_is_found(town, stopped, monkeypatch):
    start = planning_jobs.start
    monkeypatch.setattr(planning_jobs, "start", lambda *given: start(*given, wait=True))
    eve = town.visitor("eve")
    assert eve.post("/plans/run", {"circle": town.pool, "seconds": "1"}).status_code == 303
    text = html.unescape(eve.get("/plans/running").text)
    for words in ("plans.planner_ended", "it was stopped for 0.2 seconds", "start it again", 'action="/plans/run"',
                  "The same may succeed later"):  # fmt: skip
        assert words in text, words
    assert "True" not in text
    stopped.undo()
    assert eve.post("/plans/run", {"circle": town.pool, "seconds": "1"}).status_code == 303
    assert "Open the plan" in eve.get("/plans/running").text


def test_a_forecast_whose_process_was_stopped_is_calculated_again(town, stopped, monkeypatch):
    monkeypatch.setattr(planning_stock, "_jobs", {})
    assert planning_stock.shelves(town.node, "bob", wait=True).state == "failed"
    bob = town.visitor("bob")
    for path in ("/plans/forecast/bob-6205", "/plans/shocks", "/plans/replenish"):
        assert "calculated anew" in bob.get(path).text
    stopped.undo()
    monkeypatch.setattr(planning_stock, "AGAIN_SECONDS", 0.0)
    assert planning_stock.shelves(town.node, "bob", wait=True).state == "done"
    assert "Order at" in bob.get("/plans/forecast/bob-6205").text


def test_forecast_and_levels_come_from_own_sales_and_are_drawn_with_a_table(town, monkeypatch):
    bob = town.visitor("bob")
    with monkeypatch.context() as at_work:
        at_work.setattr(planning_stock, "_jobs", {})
        at_work.setattr(planning_stock, "_run", lambda job, node, party: None)  # not done yet
        assert "being calculated" in bob.get("/plans/forecast/bob-6205").text
    job = planning_stock.shelves(town.node, "bob", wait=True)
    assert job.state == "done"
    panel = bob.get("/plans/forecast/bob-6205").text
    for words in ("Order at", "Lend above", "Demand by week", "Stock and its levels", "Left if nothing comes",
                  "Figures as a table"):  # fmt: skip
        assert words in panel, words
    assert bob.get("/plans/forecast/no-such").status_code == 404
    assert town.visitor("eve").get("/plans/forecast/bob-6205").status_code == 404
    shelf = job.by_number["bob-6205"]
    assert 0 < shelf.reorder_each + 1 <= shelf.up_to_each and shelf.stock[-1] == shelf.on_hand_each
    levels = [_levels(job.found, msgspec.structs.replace(shelf, reorder_each=at)).head for at in (-1, 0)]
    assert ["Order at" in names for names in levels] == [False, True], "below nothing there is no level"
    assert "Nothing has fallen" in bob.get("/plans/replenish").text, "400 on hand are enough"
    planning_stock.shelves(town.node, "ann", wait=True)
    assert "too little for a forecast" in town.visitor("ann").get("/plans/replenish").text


def test_today_ranks_what_to_order_and_what_to_recompute_with_its_money(town, pooled):
    from hanse.node.planning_replenish import proposals
    from hanse.site.places import Places
    from hanse.site.today import today

    town.do("bob", Adjust(circle=town.home("bob"), lines=[
        AdjustLine(site="store-bob", own_number="bob-6205", each=-280, reason="scrapped")]))  # fmt: skip
    found = planning_stock.shelves(town.node, "bob", wait=True).found
    desk = town.desk("bob")
    assert proposals(desk.view, found), "it has fallen to its level"
    shown = today(desk, Places(set())).actions
    [order] = [action for action in shown if action.what == "Order"]
    assert "bob-6205" in order.title and order.money.minor > 0 and order.href == "/plans/replenish"
    lender = today(town.desk("cay"), Places(set())).actions
    assert [a for a in lender if a.what == "Sell" and "Eve wants 12" in a.title and a.money.minor == 12 * 700]
    keys = [(not a.late, -(a.money.minor if a.money else 0)) for a in shown]
    assert keys == sorted(keys)
    town.do("bob", Adjust(circle=town.home("bob"), lines=[
        AdjustLine(site="store-bob", own_number="bob-6205", each=280, reason="found")]))  # fmt: skip


def test_ticked_lines_and_rules_order_and_nothing_is_ordered_by_itself(town):
    bob, viewer = town.visitor("bob"), town.visitor("bob", "viewer")
    planning_stock.shelves(town.node, "bob", wait=True)
    town.do("bob", Adjust(circle=town.home("bob"), lines=[
        AdjustLine(site="store-bob", own_number="bob-6205", each=-270, reason="scrapped")]))  # fmt: skip
    text = bob.get("/plans/replenish?all=1").text
    assert "Cay, Kiel" in text and 'aria-label="Quantity of bob-6205"' in text and "checked" in text
    rows = bob.get("/plans/replenish?format=json").text
    assert "bob-6205" in rows
    here = "/plans/replenish"
    ticked = {"id": "bob-6205", "from:bob-6205": "offer|oc", "each:bob-6205": "3"}
    assert bob.post(f"{here}/accept").status_code >= 400, "nothing is ticked"
    assert "plans.not_proposed" in bob.post(f"{here}/accept", {"id": "another"}).text
    wrong = bob.post(f"{here}/accept", {**ticked, "each:bob-6205": "9999"})
    assert wrong.status_code >= 400 and "plans.bad_quantity" in wrong.text and 'value="9999"' in wrong.text
    assert "desk.not_permitted" in viewer.post(f"{here}/accept", ticked).text
    listed = bob.post(f"{here}/list", ticked)
    assert listed.headers["content-type"].startswith("text/csv") and "bob-6205" in listed.text
    assert bob.post(f"{here}/accept", ticked).status_code == 303
    rule = {"seller": "Cay", "kind": "offer", "line_max": "5000", "total_max": "9000", "currency": "EUR"}
    assert "plans.bad_limit" in bob.post(f"{here}/rule", {**rule, "total_max": "1"}).text
    assert "desk.not_permitted" in viewer.post(f"{here}/rule", rule).text
    assert bob.post(f"{here}/rule", rule).status_code == 303
    text = bob.get(here).text
    assert "Lines of up to 5,000.00 EUR from Cay" in text and "Order what it accepts" in text
    [row] = town.node.view("bob").rows(RULES)
    assert "plans.unknown_rule" in bob.post(f"{here}/rule/use", {"rule": "R-none"}).text
    assert bob.post(f"{here}/rule/use", {"rule": row.rule_id}).status_code == 303
    assert "nothing at present" in bob.post(f"{here}/rule/use", {"rule": row.rule_id}).text
    assert bob.post(f"{here}/rule/end", {"rule": row.rule_id}).status_code == 303
    town.do("bob", Adjust(circle=town.home("bob"), lines=[
        AdjustLine(site="store-bob", own_number="bob-6205", each=270, reason="found")]))  # fmt: skip


def test_the_shock_board_has_sites_suppliers_and_demand_with_service_and_cost(town):
    job = planning_stock.shelves(town.node, "bob", wait=True)
    struck = {one.label: one for one in job.found.shocks}
    assert {"Demand doubles", "All suppliers late", "Store of Bob lost"} <= set(struck)
    lost = struck["Store of Bob lost"]
    assert lost.fill_forecast < job.found.calm_forecast and lost.missed_each > 0 and lost.extra_cost_minor > 0
    assert lost.worst <= lost.fill_forecast
    text = town.visitor("bob").get("/plans/shocks").text
    for words in ("Store of Bob lost", "Demand doubles", "What it would cost more", "Figures as a table"):
        assert words in text, words


def test_a_study_is_shown_to_the_firm_that_it_was_kept_for(town):
    folder = town.node.directory / "studies" / "ann"
    folder.mkdir(parents=True)
    side = {"fill_rate": 0.9, "fill_rate_shock": 0.8, "stock_minor": 100, "cost_minor": 50, "transfers": 3}
    member = {"name": EVIL, "fill_rate_alone": 0.9, "fill_rate_pooled": None, "cost_alone_minor": 9, "charge_minor": 4,
              "gain_minor": 5, "lent_each": 1, "borrowed_each": 2}  # fmt: skip
    figures = {
        "origin": "sales", "simulated": True, "notes": [EVIL], "currency": "EUR", "items": 3,
        "assumptions": {"holding_ppm_year": 250_000, "shortage_ppm": 300_000, "lead_time_periods": 2, "held_out": 13},
        "total": {"cost_saved_share": {"value": 0.3, "low": 0.2, "high": 0.4}},
        "policies": {"alone": side, "lending": side, "pooled": side}, "members": [member],
        "item_gains": [{"item": EVIL, "saved_minor": 5, "pool": True, "reason": "shared"}],
    }  # fmt: skip
    (folder / "first.json").write_text(json.dumps(figures))
    (folder / "broken.json").write_text("{")
    ann, eve = town.visitor("ann"), town.visitor("eve")
    assert "first" in ann.get("/plans/studies").text and "30" in ann.get("/plans/studies").text
    text = ann.get("/plans/studies/first").text
    assert EVIL not in text and "simulated split" in text
    for who, name in ((eve, "first"), (ann, "broken"), (ann, "..%2Feve"), (ann, "none")):
        assert who.get(f"/plans/studies/{name}").status_code == 404
    assert "No study yet" in eve.get("/plans/studies").text


def test_a_plan_says_that_own_stock_at_a_cost_in_another_currency_is_reckoned_without_it(town, own):
    bob, said = town.visitor("bob"), "Own stock whose cost is in USD is reckoned without a cost."
    assert said not in bob.get(f"/plans/p/{own.plan}").text
    town.costs_in("bob", "USD", 400, 900)
    assert said in bob.get(f"/plans/p/{own.plan}").text
