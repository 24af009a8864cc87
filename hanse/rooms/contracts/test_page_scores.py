"""Scorecards over HTTP on a real node, and what their charts say in words."""

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hanse.rooms.contracts.page_score_words import badge_of, change, chart_of, figure_words
from hanse.rooms.contracts.scorecards import scorecard
from hanse.rooms.contracts.scores import Figure, individuals, proportions
from hanse.rooms.contracts.testing_pages import AgreedTown
from hanse.site.testing import DAY


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    there = AgreedTown(tmp_path_factory.mktemp("town"))
    there.agree()
    for n in range(8):
        there.deliver(f"po{n}", days_late=-1)
    there.deliver("po9", days_late=25)
    yield there
    there.close()


def read(answer) -> str:
    assert answer.status_code == 200, answer.text[:2000]
    return html.unescape(re.sub(r"<script.*?</script>", "", answer.text, flags=re.S))


def test_a_supplier_is_measured_and_its_chart_says_what_changed(town):
    text = read(town.visitor("ann").get("/contracts/scorecards"))
    assert "Bob" in text and "88.9 %" in text and "worse than chance explains: 25.0 days after the promise" in text
    text = read(town.visitor("ann").get("/contracts/scorecards/buy/bob"))
    for words in ("Lines on time in full", "88.9 %", "Fill rate", "Damaged or short", "Claim time", "Satisfaction",
                  "Measured: good", "worse than chance explains", "1 is open"):  # fmt: skip
        assert words in text, words
    card = re.search(r"Lines on time in full</p>.*?</details>", text, re.S).group(0)
    assert 'href="/history/' in card, "figures open their entries"


def test_a_customer_is_measured_as_a_payer_too(town):
    text = read(town.visitor("bob").get("/contracts/scorecards?side=sell"))
    assert "Ann" in text and "Paid in time" in text
    text = read(town.visitor("bob", "viewer").get("/contracts/scorecards/sell/ann"))
    assert "As a payer" in text and "Invoices paid in time" in text


def test_scorecards_are_of_ones_own_trade_alone(town):
    assert "Bob" not in read(town.visitor("eve").get("/contracts/scorecards"))
    for path in ("buy/bob", "sell/ann", "other/ann", "buy/none"):
        assert town.visitor("eve").get(f"/contracts/scorecards/{path}").status_code == 404, path
    assert town.visitor("ann", "warehouse").get("/contracts/scorecards").status_code == 404
    assert town.visitor("ann").get("/contracts/scorecards?side=none").status_code == 422


def test_lists_are_files_too(town):
    text = town.visitor("ann").get("/contracts/scorecards?format=csv").text
    assert "Bob" in text and len(text.strip().splitlines()) == 2


def test_a_run_on_one_side_is_told_with_its_beginning_and_direction():
    seen = [(n * DAY, 500, n, False) for n in range(10)] + [(n * DAY, 100, n, False) for n in range(10, 20)]
    words = change(individuals("days_late_hundredths", seen))
    assert words == ("On average 3.0 days after the promise. Since 11 Jan 1970 10 in a row lie on the better side: "
                     "something has changed.")  # fmt: skip
    share = proportions("otif_lines_by_month", [(n * 30 * DAY, 90, 100, n, False) for n in range(9)]
                        + [(270 * DAY, 20, 100, 9, False)])  # fmt: skip
    assert change(share, short=True) == "On 28 Sep 1970 worse than chance explains: 20.0 % of lines on time in full."
    assert change(individuals("days_late_hundredths", seen[:3])) == "3 points: too few to tell chance from change."


@given(st.lists(st.integers(-2_000, 5_000), min_size=1, max_size=80))
def test_every_chart_can_be_drawn_and_said(values):
    chart = individuals("days_late_hundredths", [(n * DAY, value, n, False) for n, value in enumerate(values)])
    drawn, words = chart_of(chart), change(chart)
    assert len(drawn.data["values"]) == min(60, len(values)) and words.endswith(".")
    calm = "nothing has changed" in words
    assert calm == (len(values) >= 8 and not chart.signals)


def test_a_figure_without_anything_measured_says_so_and_unproven_ones_are_marked():
    assert figure_words(Figure("fill_rate", -1, 0))["value"] == "–"
    half = figure_words(Figure("fill_rate", 500_000, 4, 2, (7,)))
    assert half["value"] == "50.0 %" and "2 of them unproven" in half["detail"] and not half["unproven"]
    assert figure_words(Figure("fill_rate", 500_000, 4, 4))["unproven"]


def test_a_card_of_what_both_sides_signed_is_proven(town):
    card = scorecard(town.node.view("ann"), "bob", "buy")
    assert badge_of(card).text == "proven"
