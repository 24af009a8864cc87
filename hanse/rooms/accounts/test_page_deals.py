"""The pages of accruals, credit and netting, over HTTP on a real node."""

import pytest

from hanse.rooms.accounts.queries import open_items, payments, to_accept
from hanse.rooms.accounts.rows import ANNOUNCED, CLAIMED, CYCLES
from hanse.rooms.accounts.test_page import text_of
from hanse.rooms.accounts.testing_pages import BooksTown
from hanse.site.testing import DAY


@pytest.fixture
def town(tmp_path):
    there = BooksTown(tmp_path)
    yield there
    there.close()


# -- accruals --


def test_a_late_delivery_accrues_with_its_reason_and_stands_as_a_credit_that_leads_back_to_it(town):
    town.agree()
    town.deliver("po-1", promised_at=town.now() - 17 * DAY)
    ann, bob, path = town.visitor("ann"), town.visitor("bob", "viewer"), f"/accounts/accrual/{town.ab}/A1:1"
    row = ann.get("/accounts/accruals?format=json").json()[0]
    assert row["amount"]["minor"] == 750 and row["state"] == "may be objected to" and row["until"]
    assert bob.get("/accounts/accruals?format=json").json()[0]["amount"]["minor"] == -750
    text = text_of(ann, path)
    for words in ("liquidated damages", "2.5% of their value", "recomputed here: comes out the same", "periods",
                  "ceil_div", "Last day to object", "accrued −7.50 EUR"):  # fmt: skip
        assert words in text, words
    assert 'href="/history/' in text and "7.50 EUR" in text_of(ann, "/accounts")
    town.pass_days(15)
    assert ann.get("/accounts/accruals?show=pending&format=json").json() == []
    assert "credited" in text_of(ann, path)
    credit = text_of(ann, f"/accounts/d/{town.ab}/A1:1")
    assert "−7.50 EUR" in credit and "step by step" in credit and f"/accounts/accrual/{town.ab}/A1%3A1" in credit
    statement = f"/accounts/statement?circle={town.ab}&partner=bob&currency=EUR&side=buy"
    assert "Credits that stand" in text_of(ann, statement)


def test_a_third_firm_and_the_warehouse_see_no_accrual(town):
    town.agree()
    town.deliver("po-1", promised_at=town.now() - 17 * DAY)
    path = f"/accounts/accrual/{town.ab}/A1:1"
    assert town.visitor("eve").get(path).status_code == 404
    assert town.visitor("cay").get(path).status_code == 404, "an arbiter without a dispute sees nothing"
    assert town.visitor("ann", "warehouse").get(path).status_code == 404
    assert town.visitor("eve").get("/accounts/accruals?format=json").json() == []
    assert town.visitor("ann").get("/accounts/accruals?show=odd").status_code == 400


# -- credit --


def test_credit_shows_what_is_used_and_an_owner_alone_sets_it(town):
    town.billed("R-1", 30)
    bob = town.visitor("bob")
    row = bob.get("/accounts/credit?format=json").json()[0]
    assert (row["limit"]["minor"], row["used"]["minor"], row["free"]["minor"]) == (50_000, 35_700, 14_300)
    form = {"partner": "ann", "currency": "EUR", "limit": "300.00", "payment_days": "14", "tax": "7.5", "discount": "",
            "discount_days": "", "overdue_days": "10", "hold": ""}  # fmt: skip
    for role in ("seller", "buyer", "viewer"):
        who = town.visitor("bob", role)
        assert who.post("/accounts/credit", form).status_code == 403
        assert "Set terms</button>" not in who.get("/accounts/credit").text
    assert bob.post("/accounts/credit", form).status_code == 303
    row = bob.get("/accounts/credit?format=json").json()[0]
    assert row["held"] == "limit reached" and row["free"]["minor"] == 0
    for change, code in (({"limit": "1.234"}, "form.digits"), ({"tax": "101"}, "form.range"),
                         ({"partner": "nobody"}, "form.unknown_partner"), ({"currency": "EURO"}, "form.currency"),
                         ({"payment_days": "731"}, "form.range"), ({"payment_days": ""}, "form.missing")):  # fmt: skip
        answer = bob.post("/accounts/credit", {**form, **change})
        assert answer.status_code == 422 and code in answer.text, code
    town.order("po-2", each=1)
    assert "po-2" in text_of(bob, "/accounts/credit") and "Orders beyond credit" in text_of(bob, "/accounts/credit")
    assert "300.00" not in text_of(town.visitor("ann"), "/accounts/credit")


# -- netting --


def cycle_of(town, treasurer="cay"):
    """ann owes bob, bob owes cay, cay owes ann; cay begins a cycle; its address."""
    town.billed("R-1", 10)
    town.billed("R-2", 8, buyer="bob", seller="cay")
    town.billed("R-3", 6, buyer="cay", seller="ann")
    who = town.visitor(treasurer)
    day = "2027-01-25"
    form = {"circle": town.pool, "currency": "EUR", "submit_by": day, "sign_days": "5"}
    answer = who.post("/accounts/netting", form)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def take(town, party, step, path, role="owner", **form):
    return town.visitor(party, role).post(f"/accounts/netting/do/{step}", {"cycle": path.rpartition("/")[2], **form})


def submit_all(town, path):
    said = {
        "ann": {"pay.bob": "119.00", "get.cay": "60.00"}, "bob": {"get.ann": "119.00", "pay.cay": "80.00"},
        "cay": {"get.bob": "80.00", "pay.ann": "60.00", "pay.eve": "5.00"}, "eve": {"get.cay": "4.00"},
    }  # fmt: skip
    for party, form in said.items():
        assert take(town, party, "submit", path, **form).status_code == 303


def test_a_cycle_is_submitted_closed_checked_signed_and_booked_from_its_page(town):
    path = cycle_of(town)
    text = text_of(town.visitor("ann"), path)
    assert 'name="pay.bob" value="119.00"' in text and 'name="get.cay" value="60.00"' in text
    assert "netting cycles to state your balances for" in text_of(town.visitor("ann"), "/accounts")
    submit_all(town, path)
    assert "State the result" not in town.visitor("ann").get(path).text
    assert take(town, "ann", "close", path).status_code == 422
    assert take(town, "cay", "close", path).status_code == 303
    text = text_of(town.visitor("bob"), path)
    for words in ("Need not be moved", "200.00", "Your own node has computed", "4.00 EUR", "<svg"):
        assert words in text, words
    assert "netting results to check and sign" in text_of(town.visitor("bob"), "/accounts")
    for party in ("ann", "bob", "cay"):
        assert take(town, party, "sign", path).status_code == 303
    assert take(town, "ann", "sign", path).status_code == 422
    text = text_of(town.visitor("ann"), path)
    assert "settled" in text and "R-1" in text and "Announce as settled" in text
    assert take(town, "ann", "book", path).status_code == 303
    waits = town.visitor("bob").get("/accounts/payments?show=answer&format=json").json()
    assert [row["settles"] for row in waits] == ["R-1"] and waits[0]["payment"].startswith("Netting")
    [paid] = [row for row in payments(town.node.view("bob")) if row.state in (ANNOUNCED, CLAIMED)]
    done = town.visitor("bob").post("/accounts/payments/confirm", {"id": f"{town.ab} {paid.payment}"})
    assert done.status_code == 303
    assert "Announce as settled" not in town.visitor("ann").get(path).text


def test_who_does_not_sign_drops_out_and_the_treasurer_states_another_result(town):
    path = cycle_of(town)
    submit_all(town, path)
    take(town, "cay", "close", path)
    take(town, "ann", "sign", path)
    take(town, "cay", "sign", path)
    town.pass_days(6)
    text = text_of(town.visitor("cay"), path)
    assert "dropped out: did not sign" in text and "State the result" in text
    assert take(town, "cay", "close", path).status_code == 303
    assert "round 2" in text_of(town.visitor("ann"), path)
    for party in ("ann", "cay"):
        assert take(town, party, "sign", path).status_code == 303
    assert town.node.view("ann").get(CYCLES, path.rpartition("/")[2]).state == "settled"


def test_nobody_outside_sees_a_cycle_and_no_clerk_signs_one(town):
    path = cycle_of(town)
    for role in ("buyer", "seller", "viewer"):
        who = town.visitor("bob", role)
        assert "Sign your balances" not in who.get(path).text
        assert take(town, "bob", "submit", path, role, **{"get.ann": "119.00"}).status_code == 403
        assert who.post("/accounts/netting", {"circle": town.pool, "currency": "EUR", "submit_by": "2027-02-01",
                                              "sign_days": "5"}).status_code == 403  # fmt: skip
    assert take(town, "ann", "jump", path).status_code == 404
    assert take(town, "ann", "sign", "/accounts/netting/none").status_code == 404
    wrong = take(town, "ann", "submit", path, **{"pay.bob": "lots"})
    assert wrong.status_code == 422 and "form.number" in wrong.text and 'value="lots"' in wrong.text
    assert "form.missing" in take(town, "ann", "submit", path).text
    assert town.visitor("ann").post("/accounts/netting", {"circle": "elsewhere"}).status_code == 422


# -- debts handed over --


def test_a_debt_leaves_one_account_and_arrives_in_two_others_by_forms(town):
    """cay pays centrally: ann's debt to bob becomes cay's to bob, and ann's to cay."""
    town.billed("R-1", bill_to="cay")
    town.circle("bob", "cay"), town.circle("ann", "cay")
    bob, cay, ann = (town.visitor(party) for party in ("bob", "cay", "ann"))
    assert "Invoices that name another payer" in text_of(bob, "/accounts/debts")
    leave = {"step": "leaves", "item": f"{town.ab} R-1", "third": "cay"}
    take_on = {"step": "arrives", "partner": "bob", "side": "we", "third": "ann", "amount": "119.00", "currency": "EUR",
               "due": "2027-03-01", "reference": "R-1"}  # fmt: skip
    for who, form, code in ((bob, {**leave, "item": "a b"}, "accounts.unknown_item"),
                            (bob, {"step": "x"}, "form.choice"),
                            (cay, {**take_on, "partner": "eve"}, "accounts.unknown_partner"),
                            (cay, {**take_on, "amount": "0"}, "form.range")):  # fmt: skip
        answer = who.post("/accounts/debts", form)
        assert answer.status_code == 422 and code in answer.text, code
    assert town.visitor("bob", "seller").post("/accounts/debts", leave).status_code == 403
    assert bob.post("/accounts/debts", leave).status_code == 303
    assert cay.post("/accounts/debts", take_on).status_code == 303
    assert cay.post("/accounts/debts", {**take_on, "partner": "ann", "side": "they", "third": "bob"}).status_code == 303
    assert "debts that you are asked" in text_of(ann, "/accounts")
    for party, who, n in (("ann", ann, 2), ("bob", bob, 1)):
        keys = [f"{row.circle} {row.assignment}" for row in to_accept(town.node.view(party))]
        assert len(keys) == n and who.post("/accounts/debts/accept", {"id": keys}).status_code == 303
    open_ = {(i.supplier, i.customer): i.open_minor for i in open_items(town.node.view("cay"))}
    assert open_ == {("bob", "cay"): 11_900, ("cay", "ann"): 11_900}
    assert "settled" in text_of(ann, f"/accounts/d/{town.ab}/R-1")
    assert town.visitor("eve").post("/accounts/debts", leave).status_code == 422
    assert ann.post("/accounts/debts/accept").status_code == 422


def test_a_supplier_pays_a_credit_back(town):
    town.agree()
    town.deliver("po-1", promised_at=town.now() - 17 * DAY)
    town.pass_days(15)
    bob = town.visitor("bob")
    assert bob.post("/accounts/payments/propose", {"id": f"{town.ab} A1:1"}).status_code == 303
    row = town.visitor("ann").get("/accounts/payments?show=answer&format=json").json()[0]
    assert (row["amount"]["minor"], row["settles"]) == (750, "A1:1")
    paid = payments(town.node.view("ann"))[0].payment
    done = town.visitor("ann").post("/accounts/payments/confirm", {"id": f"{town.ab} {paid}"})
    assert done.status_code == 303
    assert "settled" in text_of(bob, f"/accounts/d/{town.ab}/A1:1")
