"""The pooling study: fair to both policies, exact in its money, readable, and alive with odd exports."""

import html.parser
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from hanse.planning import study as st
from hanse.planning.study.report import money

SHARED = Path(__file__).resolve().parents[4] / "shared/data"


def market(firms=4, kinds=24, periods=48, seed=0, level=1.2, **named):
    rng = np.random.default_rng(seed)
    rate = rng.gamma(1.0, level, (firms, kinds, 1))
    sales = rng.poisson(rate * rng.gamma(3, 1 / 3, (firms, kinds, periods))).astype(float)
    given = {
        "sales": sales,
        "owner": np.arange(firms),
        "members": tuple(f"Firm {m}" for m in range(firms)),
        "sites": tuple(f"Site {m}" for m in range(firms)),
        "items": tuple(f"Item {i}" for i in range(kinds)),
        "value_minor": rng.integers(2_000, 40_000, kinds).astype(float),
    }
    return st.History(**(given | named))


QUICK = st.Assumptions(bootstrap=200, shocks=6, replan=6)


@pytest.fixture(scope="module")
def result():
    return st.study(market(), QUICK)


def test_pooling_intermittent_items_saves_money_and_serves_no_less(result):
    assert result.total["cost_saved_minor"].value > 0
    assert result.total["stock_saved_share"].value > 0.1
    assert result.pooled.fill_rate_total >= result.alone.fill_rate_total - 0.01
    assert result.pooled.fill_rate_shock > result.alone.fill_rate_shock
    assert result.lending.fill_rate_total > result.alone.fill_rate_total


def test_charges_are_whole_units_that_sum_to_the_pools_cost_and_gains_to_what_was_saved(result):
    assert all(isinstance(one, int) for one in result.charge_minor)
    assert sum(result.charge_minor) == round(result.pooled.cost_minor.sum())
    assert result.gain_minor.sum() == pytest.approx(result.total["cost_saved_minor"].value, abs=1)
    assert (result.gain_minor > 0).all() and result.leaving.gaining == 0


def test_intervals_hold_their_value_and_units_balance(result):
    for name, one in result.total.items():
        assert one.low <= one.value <= one.high, name
    assert ((result.saved_low <= result.saved_minor) & (result.saved_minor <= result.saved_high)).all()
    assert result.pooled.borrowed.sum() == result.pooled.lent.sum()
    assert result.alone.borrowed.sum() == 0


def test_the_same_seed_gives_the_same_study():
    small = market(3, 6, 30)
    one, two = st.study(small, QUICK), st.study(small, QUICK)
    assert one.charge_minor == two.charge_minor and one.total == two.total


def test_held_out_sales_do_not_change_what_is_decided_before_them():
    first = market(3, 8, 36)
    sales = first.sales.copy()
    sales[:, :, -12:] *= 3
    one, two = st.study(first, QUICK), st.study(market(3, 8, 36, sales=sales), QUICK)
    assert one.given_up == two.given_up and (one.pool_item == two.pool_item).all()


def test_no_transfer_is_made_where_it_costs_more_than_the_shortage():
    cheap = market(3, 6, 30, value_minor=np.full(6, 100.0))
    found = st.study(cheap, st.Assumptions(transfer_minor=100_000, bootstrap=50, shocks=2, replan=12))
    assert found.pooled.transfers.sum() == 0


def test_two_members_with_two_sites_each_lend_within_the_firm_when_alone():
    named = {"owner": np.array([0, 0, 1, 1]), "members": ("North", "South")}
    found = st.study(market(4, 16, 40, **named), QUICK)
    assert len(found.charge_minor) == 2 and found.alone.transfers.sum() > 0


def test_returns_gaps_empty_items_and_a_site_without_sales_survive():
    sales = market(3, 8, 30).sales
    sales[0, 0, 3] = -5
    sales[1, :, :10] = np.nan
    sales[:, 4] = 0
    sales[2] = 0
    found = st.study(market(3, 8, 30, sales=sales), QUICK)
    assert np.isnan(found.alone.fill_rate[2]) and np.isfinite(found.gain_minor).all()
    assert found.reason[4] == "nobody asked for it"
    assert "–" in st.report(found)


def test_stock_that_one_firm_does_not_sell_and_another_asks_for_is_named():
    sales = market(2, 3, 30).sales
    sales[0, 0] = 0
    sales[1, 0] = 2
    stock = np.zeros((2, 3))
    stock[0, 0] = 100
    found = st.study(market(2, 3, 30, sales=sales, stock=stock, value_minor=np.full(3, 1000.0)), QUICK)
    assert found.stock_now_minor == found.stock_idle_minor == 100_000
    assert found.stock_wanted_minor == 24_000
    assert "asked for elsewhere" in st.report(found)
    assert np.isnan(st.study(market(2, 3, 30), QUICK).stock_now_minor)


def test_distances_make_far_transfers_dearer():
    near = np.ones((3, 3)) - np.eye(3)
    near[0, 2] = near[2, 0] = 50
    found = st.study(market(3, 12, 36, distance_km=near), QUICK)
    assert found.pooled.transfers.sum() > 0


def test_progress_rises_and_a_cancelled_study_stops():
    told = []
    st.study(market(2, 4, 24), QUICK, progress=lambda share, name: told.append((share, name)))
    assert [share for share, _ in told] == sorted(share for share, _ in told) and len(told) >= 3
    with pytest.raises(st.Cancelled):
        st.study(market(2, 4, 24), QUICK, cancelled=lambda: True)


@pytest.mark.parametrize(
    ("named", "assumed", "sentence"),
    [
        ({"owner": np.zeros(4, dtype=int)}, {}, "two members"),
        ({}, {"held_out": 60}, "held_out"),
        ({}, {"shortage_ppm": 0}, "holding and shortage"),
        ({}, {"caution_ppm": 1_000_000}, "caution"),
    ],
)
def test_a_study_that_cannot_be_made_says_why(named, assumed, sentence):
    with pytest.raises(ValueError, match=sentence):
        st.study(market(**named), st.Assumptions(**assumed))


@pytest.mark.parametrize(
    ("named", "sentence"),
    [
        ({"sales": np.zeros((2, 2))}, "sales"),
        ({"owner": np.zeros(3, dtype=int)}, "owners"),
        ({"items": ("a",)}, "names"),
        ({"stock": np.zeros((1, 1))}, "stock"),
        ({"owner": np.array([0, 1, 2, 9])}, "outside"),
        ({"value_minor": np.zeros(24)}, "value"),
    ],
)
def test_malformed_histories_are_refused(named, sentence):
    with pytest.raises(ValueError, match=sentence):
        market(**named)


class _Reader(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.open, self.words = [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag not in {"meta", "br", "rect", "line", "circle", "polyline"}:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag in self.open:
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


def test_the_report_is_one_page_without_scripts_or_outside_addresses_and_well_formed(result):
    page = st.report(result)
    reader = _Reader()
    reader.feed(page)
    assert not reader.open and reader.tags.count("svg") == 4
    assert "script" not in reader.tags and not re.search(r"(src|href)=|url\(|https?://", page)
    assert money(result.total["cost_saved_minor"].value) in page
    assert all(name in page for name in result.history.members)


def test_names_are_escaped_in_the_report():
    evil = ("<script>x</script>", "A & B", "C", "D")
    page = st.report(st.study(market(4, 4, 24, members=evil), QUICK))
    assert "<script" not in page and "&lt;script&gt;" in page and "A &amp; B" in page


def test_a_pool_that_does_not_pay_is_reported_as_such(result):
    from dataclasses import replace

    worse = replace(result, total=result.total | {"cost_saved_minor": st.Interval(-500.0, -900.0, -100.0)})
    assert "would not have paid" in st.report(worse)


def test_a_long_table_becomes_a_history_with_unknown_months_before_a_sites_first_sale():
    table = pl.DataFrame({
        "member": ["A", "A", "B"], "site": ["a", "a", "b"], "item": ["x", "y", "x"],
        "period": [10, 11, 12], "quantity": [2, 3, 4], "value_minor": [100, 200, 300],
    })  # fmt: skip
    found = st.from_frame(table)
    assert found.sales.shape == (2, 2, 3) and found.members == ("A", "B")
    assert np.isnan(found.sales[1, :, :2]).all() and found.sales[1, 0, 2] == 4
    assert found.value_minor[1] == pytest.approx(200) and 100 < found.value_minor[0] < 300
    with pytest.raises(ValueError, match="lacks"):
        st.from_frame(table.drop("site"))
    with pytest.raises(ValueError, match="stock table lacks"):
        st.from_frame(table, stock=pl.DataFrame({"member": ["A"]}))
    with pytest.raises(ValueError, match="no rows"):
        st.from_frame(table.head(0))


def test_stock_and_places_are_matched_to_sites_and_distances_are_great_circles():
    table = pl.DataFrame({
        "member": ["A", "B"], "site": ["a", "b"], "item": ["x", "x"], "period": [0, 1], "quantity": [2, 3],
        "value_minor": [100, 100],
    })  # fmt: skip
    stock = pl.DataFrame({"member": ["B", "Z"], "site": ["b", "z"], "item": ["x", "x"], "quantity": [7, 9]})
    places = pl.DataFrame({
        "member": ["A", "B"], "site": ["a", "b"], "latitude": [53.55, 54.32], "longitude": [10.0, 10.13],
    })  # fmt: skip
    found = st.from_frame(table, stock=stock, places=places)
    assert found.stock.tolist() == [[0.0], [7.0]]
    assert found.distance_km[0, 1] == pytest.approx(86, abs=1)  # Hamburg to Kiel
    assert st.from_frame(table, places=places.head(1)).distance_km is None


def test_a_simulated_split_deals_every_row_once_keeps_customers_whole_and_balances():
    rng = np.random.default_rng(0)
    rows = pl.DataFrame({
        "customer": [None if k % 10 == 0 else f"c{k % 37}" for k in range(2000)],
        "quantity": rng.integers(1, 9, 2000),
    })  # fmt: skip
    dealt = st.split_balanced(rows, 5, "customer", "Branch", seed=1)
    assert dealt.height == 2000 and dealt["quantity"].sum() == rows["quantity"].sum()
    named = dealt.filter(pl.col("customer").is_not_null())
    assert named.group_by("customer").agg(pl.col("member").n_unique())["member"].max() == 1
    units = dealt.group_by("member").agg(pl.col("quantity").sum())["quantity"].to_numpy()
    assert len(units) == 5 and units.max() < 1.3 * units.min()


def test_totals_without_customers_are_dealt_by_the_unit_so_that_the_split_makes_no_lumps():
    rows = pl.DataFrame({"customer": [None] * 40, "item": ["x"] * 40, "quantity": [400, -40] * 20},
                        schema_overrides={"customer": pl.String})  # fmt: skip
    dealt = st.split_balanced(rows, 4, "customer", "Branch", seed=1)
    assert dealt["quantity"].sum() == rows["quantity"].sum()
    parts = dealt.filter(pl.col("quantity") > 0)["quantity"].to_numpy()
    assert len(parts) == 80 and parts.min() > 60 and parts.max() < 140, "a day's total is everybody's"


def test_what_was_done_to_the_exports_stands_in_the_report_a_line_each():
    history = market(2, 3, 30)
    told = replace(history, origin="sales exports of 2 members", notes=("3 rows left out", "two <b>names</b> joined"))
    page = st.report(st.study(told, st.Assumptions(held_out=4, bootstrap=20, shocks=2)))
    assert '<div class="label-origin">sales exports of 2 members</div>' in page
    assert "<dd>3 rows left out</dd>" in page and "<dd>two &lt;b&gt;names&lt;/b&gt; joined</dd>" in page


def test_the_published_supplygraph_sales_split_over_three_simulated_members_give_a_study():
    path = SHARED / "supplygraph/Unit__Sales_Order.csv.gz"
    if not path.exists():
        pytest.skip(f"no {path.name} in ../shared: the study of supplygraph was not tried")
    daily = pl.read_csv(path, infer_schema_length=None).drop("Date").cast(pl.Float64).to_numpy()
    weekly = np.maximum(daily[: 31 * 7].reshape(31, 7, -1).sum(axis=1), 0).T
    rng = np.random.default_rng(0)
    part = rng.dirichlet(np.full(3, 4.0), weekly.shape).transpose(2, 0, 1)
    history = market(3, len(weekly), 31, sales=np.rint(part * weekly), origin="simulated split of SupplyGraph")
    found = st.study(history, st.Assumptions(periods_a_year=52, held_out=8, bootstrap=50, shocks=4, replan=4))
    assert "simulated split of SupplyGraph" in st.report(found)
    assert sum(found.charge_minor) == round(found.pooled.cost_minor.sum())
