"""The simulator over HTTP on a real node, and how its pieces sum."""

import html
import json
import re

import pytest

from hanse.kernel.refusal import Refused
from hanse.rooms.contracts import page_simulating
from hanse.rooms.contracts.library import text_of
from hanse.rooms.contracts.page_parts import read_template
from hanse.rooms.contracts.page_simulating import simulated, summed
from hanse.rooms.contracts.simulate import Simulated, SimulatedRun
from hanse.rooms.contracts.testing import LATE
from hanse.rooms.contracts.testing_pages import AgreedTown

AT = "/contracts/simulate?template=late-delivery&p.currency=EUR&p.period=7&p.cap=15&p.force_majeure=yes"


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    there = AgreedTown(tmp_path_factory.mktemp("town"))
    there.agree()
    there.deliver("po1")
    there.deliver("po2", days_late=3, each=20)
    there.deliver("po3", days_late=-2)
    yield there
    there.close()


def read(answer) -> str:
    assert answer.status_code == 200, answer.text[:2000]
    return html.unescape(answer.text)


def test_sliders_change_what_own_deliveries_would_have_given(town):
    ann = town.visitor("ann")
    text = read(ann.get(AT + "&p.rate=2.5&p.partial=ceil"))
    # 17 days late: 3 part-weeks of 2.5% of 100.00; 3 days late: one of 200.00
    assert "12.50" in text and "of 3 deliveries" in text and 'type="range"' in text
    text = read(ann.get(AT + "&p.rate=5&p.partial=floor"))
    assert "10.00" in text and "pays the buyer 5% of their value" in text, "two whole weeks of 5% of 100.00"
    chart = json.loads(re.search(r'<script type="application/json">(.*?)</script>', text, re.S).group(1))
    assert chart["series"][0]["values"] == [10.0] and chart["unit"] == "EUR"


def test_an_agreement_is_simulated_on_its_own_terms_and_amended_from_there(town):
    text = read(town.visitor("bob").get(f"/contracts/simulate?agreement={town.ab}/A1"))
    assert "12.50" in text and "Ann" in text
    assert f"/contracts/new?circle={town.ab}&amends=A1&p.cap=15" in text
    viewer = read(town.visitor("bob", "viewer").get(f"/contracts/simulate?agreement={town.ab}/A1"))
    assert "Propose these terms" not in viewer
    for name in (f"agreement={town.ab}/A1", f"proposal={town.ab}/P1"):
        assert town.visitor("eve").get(f"/contracts/simulate?{name}").status_code == 404
    assert town.visitor("ann", "warehouse").get("/contracts/simulate").status_code == 404


def test_a_firm_simulates_its_own_history_alone(town):
    assert "you have no deliveries yet" in read(town.visitor("eve").get(AT + "&p.rate=2.5"))


def test_what_cannot_be_read_is_refused_beside_the_form_that_keeps_it(town):
    answer = town.visitor("ann").get(AT + "&p.rate=much")
    assert answer.status_code == 422 and "terms.value_text" in answer.text and 'value="much"' in answer.text
    assert town.visitor("ann").get(AT + "&days=5").status_code == 422
    assert town.visitor("ann").get("/contracts/simulate?template=none").status_code == 404


def test_a_template_that_orders_do_not_feed_says_what_is_missing(town):
    text = read(town.visitor("ann").get("/contracts/simulate?template=unit-rebate"))
    assert "Owed in all" in text
    assert read(town.visitor("ann").get("/contracts/simulate?template=chargeback"))


def test_a_long_history_is_watched_while_it_is_read_and_too_long_a_one_refused(town, monkeypatch):
    terms = read_template(text_of("late-delivery")).bind({**LATE, "rate": "7%"})
    monkeypatch.setattr(page_simulating, "WAIT_SECONDS", 0)
    release = page_simulating.threading.Event()
    run = page_simulating.simulate

    def slow(*args, **kwargs):
        release.wait(10)
        return run(*args, **kwargs)

    monkeypatch.setattr(page_simulating, "simulate", slow)
    text = read(town.visitor("ann").get(AT + "&p.rate=7&p.partial=ceil"))
    assert "<progress" in text and 'hx-trigger="load delay' in text
    release.set()
    job = simulated(town.node, "ann", terms)
    assert job.ended.wait(10) and job.state == "done" and job.seen == job.total == 3
    assert simulated(town.node, "ann", terms) is job, "the same question gets the kept answer"
    monkeypatch.setattr(page_simulating, "DELIVERIES_MAX", 2)
    with pytest.raises(Refused, match=r"simulate.too_many"):
        simulated(town.node, "ann", terms)


def test_sums_by_partner_and_month_add_up_to_the_total():
    terms = read_template(text_of("late-delivery")).bind(LATE)
    day = 86_400
    runs = tuple(
        SimulatedRun(clause="late", partner=f"p{n % 3}", order=f"o{n}", delivery="d", line="1", item="i",
                     at=1_700_000_000 + n * 40 * day, label="x", sender="supplier" if n % 2 else "buyer",
                     to="buyer" if n % 2 else "supplier", amount_minor=100 + n, steps=(), entry=n, unproven=n % 4 == 0)
        for n in range(12)
    )  # fmt: skip
    total = sum(run.amount_minor if run.to == "buyer" else -run.amount_minor for run in runs)
    found = summed(Simulated(12, "EUR", total, runs, {"b": 1, "a": 2}), terms)
    assert sum(one.total_minor for one in found.partners) == sum(minor for _, minor in found.months) == total
    assert sum(one.results for one in found.partners) == 12 and sum(one.unproven for one in found.partners) == 3
    names = [month for month, _ in found.months]
    assert names == sorted(names) and len(names) == 15, "every month between the first and the last"
    assert found.waiting == (("a", 2), ("b", 1)) and found.runs[0].order == "o11"
