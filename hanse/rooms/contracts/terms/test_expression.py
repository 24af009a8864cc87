"""The expression kernel: kinds, bounds, costs, refusals."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hanse.rooms.contracts.terms import TermsRefused, expression
from hanse.rooms.contracts.terms.kinds import INT, INT64_MAX, INT64_MIN, MODES, Kind, unit_kind
from hanse.rooms.contracts.terms.runtime import muldiv, tier_at, tier_slices

NAMES = {
    "price": unit_kind("money"),
    "other": unit_kind("money"),
    "qty": unit_kind("qty"),
    "more": unit_kind("qty"),
    "rate": unit_kind("rate"),
    "n": unit_kind("int"),
    "wide": INT,
    "due": unit_kind("time"),
    "got": unit_kind("time"),
    "wait": unit_kind("duration"),
    "on": unit_kind("flag"),
    "item": unit_kind("text"),
    "mode": unit_kind("rounding"),
    "way": Kind("enum", values=("ceil", "floor")),
    "sums": Kind("list", items=(unit_kind("money"),), count_max=10),
    "rows": Kind(
        "list", items=(Kind("row", fields=(("at", unit_kind("time")), ("qty", unit_kind("qty")))),), count_max=4
    ),
    "tiers": Kind("tiers", items=(unit_kind("money"), unit_kind("rate")), count_max=5),
    "prices": Kind("tiers", items=(unit_kind("qty"), unit_kind("money")), count_max=5),
}


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("qty * price", "money"),
        ("price * qty + other", "money"),
        ("rate * n", "rate"),
        ("price * rate", "money x rate"),
        ("muldiv(price, rate, 1000000, mode)", "money"),
        ("muldiv(price, rate * n, 1000000, 'floor')", "money"),
        ("muldiv(price, rate * (wait / days(1)), 1000000 * (wait / days(1)), mode)", "money"),
        ("muldiv(price * rate, wait, 1000000 * days(365), mode)", "money"),
        ("muldiv(qty, 1000000, more, 'floor')", "rate"),
        ("muldiv(price, qty, more, 'floor')", "money"),
        ("muldiv(qty, price, other, 'floor')", "qty"),
        ("muldiv(qty, rate, 1000000, 'ceil')", "qty"),
        ("muldiv(price, 1, qty, mode)", "money"),
        ("muldiv(tier_slices(tiers, price), 1, 1000000, mode)", "money"),
        ("tier_at(tiers, price)", "rate"),
        ("tier_slices(prices, qty)", "money"),
        ("tier_at(prices, qty) * qty", "money"),
        ("got - due", "duration"),
        ("due + wait", "time"),
        ("wait + due", "time"),
        ("due + days(3)", "time"),
        ("(got - due) / days(1)", "int"),
        ("ceil_div(got - due, wait)", "int"),
        ("ceil_div(qty, 12)", "qty"),
        ("qty / 12", "qty"),
        ("qty % 12 == 0", "flag"),
        ("price / other", "int"),
        ("on ? price : 0", "money"),
        ("max(0, price - other)", "money"),
        ("max(due, got)", "time"),
        ("price > 0 && !(on || qty == 0)", "flag"),
        ("way == 'ceil'", "flag"),
        ("way in ['ceil', 'floor']", "flag"),
        ("item == way", "flag"),
        ("sum(sums)", "money"),
        ("max(sums)", "money"),
        ("sums.map(x, x * 2)", "list of money"),
        ("rows.filter(r, r.at < due).map(r, r.qty)", "list of qty"),
        ("rows.sum(r, r.qty * price)", "money"),
        ("size(rows.filter(r, r.qty > 0))", "int"),
        ("rows[0].qty", "qty"),
        ("duration('36h') + wait", "duration"),
        ("due >= timestamp('2020-01-01T00:00Z')", "flag"),
        ("-price", "money"),
        ("hours(n)", "duration"),
    ],
)
def test_each_expression_has_the_kind_that_its_dimensions_give(text, kind):
    assert str(expression(text, NAMES).kind) == kind


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("price + qty", "terms.kind"),
        ("price + n", "terms.kind"),
        ("price * other", "terms.kind"),
        ("due + due", "terms.kind"),
        ("due * 2", "terms.kind"),
        ("due - price", "terms.kind"),
        ("price - due", "terms.kind"),
        ("price > qty", "terms.kind"),
        ("due > 5", "terms.kind"),
        ("on + 1", "terms.kind"),
        ("on > false", "terms.kind"),
        ("on ? price : qty", "terms.kind"),
        ("price ? 1 : 2", "terms.kind"),
        ("!price", "terms.kind"),
        ("-on", "terms.kind"),
        ("on && price", "terms.kind"),
        ("item < item", "terms.kind"),
        ("item + item", "terms.kind"),
        ("sums == sums", "terms.kind"),
        ("max(price, qty)", "terms.kind"),
        ("max(on, on)", "terms.kind"),
        ("muldiv(price, rate, on, mode)", "terms.kind"),
        ("muldiv(price, rate, 1000000, item)", "terms.kind"),
        ("tier_at(tiers, qty)", "terms.kind"),
        ("[price, qty]", "terms.kind"),
        ("price in rows", "terms.kind"),
        ("price[0]", "terms.kind"),
        ("price.map(x, x)", "terms.kind"),
        ("rows.map(r, price * rate).all(x, x > price)", "terms.kind"),
        ("way == 'prorate'", "terms.enum_value"),
        ("muldiv(price, rate, 1000000, 'nearest')", "terms.enum_value"),
        ("price / 2", "terms.rounding_place"),
        ("rate / 2", "terms.rounding_place"),
        ("price * rate / 1000000", "terms.rounding_place"),
        ("ceil_div(price, 2)", "terms.rounding_place"),
        ("prise", "terms.unknown_name"),
        ("rows[0].colour", "terms.unknown_name"),
        ("price.minor", "terms.unknown_name"),
        ("round(price)", "terms.unknown_function"),
        ("__import__('os')", "terms.unknown_function"),
        ("muldiv(price, rate, 1000000)", "terms.arguments"),
        ("min(price)", "terms.arguments"),
        ("days(price)", "terms.arguments"),
        ("size(price)", "terms.arguments"),
        ("sums.all(x)", "terms.arguments"),
        ("duration(item)", "terms.arguments"),
        ("duration('tomorrow')", "terms.value_text"),
        ("timestamp('2020-13-01T00:00Z')", "terms.value_text"),
        ("sums.all(x, sums.all(y, y > x))", "terms.nested_macro"),
        ("1 / 0", "terms.division_by_zero"),
        ("muldiv(price, rate, 0, mode)", "terms.division_by_zero"),
        ("qty % (3 - 3)", "terms.division_by_zero"),
        ("9223372036854775807 + 1", "terms.overflow"),
        ("9223372036854775807 * 2", "terms.overflow"),
        ("9223372036854775808", "terms.number_size"),
        ("99999999999999999999999", "terms.number_size"),
        ("price +", "terms.expression_syntax"),
        ("", "terms.expression_syntax"),
        ("price price", "terms.expression_syntax"),
        ("1.5", "terms.expression_syntax"),
        ("0x10", "terms.expression_syntax"),
        ("1u", "terms.expression_syntax"),
        ("'a\\n'", "terms.expression_syntax"),
        ("{'a': 1}", "terms.expression_syntax"),
        ("price = 3", "terms.expression_syntax"),
        ("price; qty", "terms.expression_syntax"),
        ("lambda", "terms.unknown_name"),
        ("import", "terms.expression_syntax"),
        ("sums.filter(1, true)", "terms.expression_syntax"),
        ("!-n", "terms.expression_syntax"),
        ("(" * 70 + "n" + ")" * 70, "terms.expression_depth"),
        ("+".join(["n"] * 80), "terms.expression_depth"),
        ("on ? n : " * 100 + "n", "terms.expression_depth"),
        (" " * 2001, "terms.expression_size"),
        ("max(" + ",".join(["n"] * 40) + ")", "terms.expression_size"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_it_runs(text, code):
    with pytest.raises(TermsRefused) as refused:
        expression(text, NAMES)
    assert refused.value.code == code


def test_a_product_with_a_rate_says_how_to_divide_it():
    with pytest.raises(TermsRefused) as refused:
        expression("on ? price * rate : price", NAMES)
    assert "muldiv" in refused.value.next


def test_cost_counts_every_element_and_a_budget_ends_it():
    long = {"xs": Kind("list", items=(INT,), count_max=500)}
    assert expression("xs.all(x, x > 0)", long).cost == 1 + 1 + 500 * 3
    with pytest.raises(TermsRefused) as refused:
        expression("xs.all(x, " + "+".join(["x"] * 30) + " > 0)", long)
    assert refused.value.code == "terms.cost"


def test_depth_64_still_compiles_and_runs():
    assert expression("(" * 63 + "n" + ")" * 63, NAMES)(**given_values(n=5)) == 5
    assert expression("+".join(["wide"] * 60), NAMES)(**given_values(wide=2)) == 120
    nested = "wide"
    for _ in range(62):
        nested = f"(wide - {nested})"
    assert expression(nested, NAMES)(**given_values(wide=3)) == 3
    chosen = "n"
    for _ in range(60):
        chosen = f"on ? 0 : {chosen}"
    assert expression(chosen, NAMES)(**given_values(n=5, on=False)) == 5


def given_values(**known):
    """Values for every name, the known ones as given."""
    rest = dict(
        price=100, other=50, qty=3, more=4, rate=10_000, n=1, wide=1, due=0, got=0, wait=86_400, on=False, item="a",
        mode="floor", way="ceil", sums=(1, 2), rows=(), tiers=((0,), (1,)), prices=((0,), (1,)),
    )  # fmt: skip
    return rest | known


@pytest.mark.parametrize(
    ("text", "values", "code"),
    [
        ("wide * wide", {"wide": 2**40}, "terms.overflow"),
        ("wide + 1", {"wide": INT64_MAX}, "terms.overflow"),
        ("-wide", {"wide": INT64_MIN}, "terms.overflow"),
        ("wide / -1", {"wide": INT64_MIN}, "terms.overflow"),
        ("wide % -1", {"wide": INT64_MIN}, "terms.overflow"),
        ("muldiv(wide, wide, 1, mode)", {"wide": 2**40}, "terms.overflow"),
        ("muldiv(wide, wide, 1, 'ceil')", {"wide": 2**40}, "terms.overflow"),
        ("sums.sum(x, x * wide)", {"wide": 2**62}, "terms.overflow"),
        ("1 / n", {"n": 0}, "terms.division_by_zero"),
        ("1 % n", {"n": 0}, "terms.division_by_zero"),
        ("ceil_div(1, n)", {"n": 0}, "terms.division_by_zero"),
        ("muldiv(price, 1, qty, mode)", {"qty": 0}, "terms.division_by_zero"),
        ("sums[n]", {"n": 2}, "terms.index"),
        ("sums[n]", {"n": -1}, "terms.index"),
        ("max(sums)", {"sums": ()}, "terms.empty_list"),
        ("qty", {"qty": -1}, "terms.value_range"),
        ("qty", {"qty": 10**13}, "terms.value_range"),
        ("qty", {"qty": 10**5000}, "terms.value_range"),
        ("qty", {"qty": 1.0}, "terms.value_type"),
        ("qty", {"qty": True}, "terms.value_type"),
        ("qty", {"qty": "3"}, "terms.value_type"),
        ("qty", {"qty": None}, "terms.value_missing"),
        ("on", {"on": 1}, "terms.value_type"),
        ("way == 'ceil'", {"way": "up"}, "terms.value_range"),
        ("item == 'a'", {"item": "a" * 201}, "terms.value_range"),
        ("item == 'a'", {"item": "a\n"}, "terms.value_range"),
        ("item == 'a'", {"item": "\ud800"}, "terms.value_range"),
        ("size(sums)", {"sums": (1,) * 11}, "terms.value_range"),
        ("size(sums)", {"sums": (1, "2")}, "terms.value_type"),
        ("size(rows)", {"rows": ({"at": 0},)}, "terms.value_type"),
        ("tier_at(tiers, price)", {"tiers": ((5, 0), (1, 2))}, "terms.tiers_order"),
        ("tier_at(tiers, price)", {"tiers": ((0, 0), (1, 2))}, "terms.tiers_order"),
        ("tier_at(tiers, price)", {"tiers": ((), ())}, "terms.value_range"),
    ],
)
def test_what_goes_wrong_at_run_time_is_a_refusal(text, values, code):
    with pytest.raises(TermsRefused) as refused:
        expression(text, NAMES)(**given_values(**values))
    assert refused.value.code == code


@given(st.integers(-(10**30), 10**30), st.integers(-(10**20), 10**20), st.integers(1, 10**20), st.sampled_from(MODES))
def test_muldiv_rounds_as_exact_fractions_do(a, b, c, mode):
    from decimal import (
        ROUND_CEILING,
        ROUND_DOWN,
        ROUND_FLOOR,
        ROUND_HALF_DOWN,
        ROUND_HALF_EVEN,
        ROUND_HALF_UP,
        ROUND_UP,
        Context,
        Decimal,
    )
    from fractions import Fraction

    names = dict(
        half_even=ROUND_HALF_EVEN, half_up=ROUND_HALF_UP, half_down=ROUND_HALF_DOWN, up=ROUND_UP, down=ROUND_DOWN,
        ceil=ROUND_CEILING, floor=ROUND_FLOOR,
    )  # fmt: skip
    exact = Fraction(a * b, c)
    twice = 2 * exact
    near = twice.numerator // twice.denominator  # same side of every half as the exact value
    stand_in = Decimal(near) / 2 if twice.denominator == 1 else Decimal(near) / 2 + Decimal("0.25")
    wanted = int(Context(prec=80).create_decimal(stand_in).quantize(Decimal(1), names[mode], Context(prec=80)))
    if not INT64_MIN <= wanted <= INT64_MAX:
        with pytest.raises(TermsRefused):
            muldiv(a, b, c, mode)
    else:
        assert muldiv(a, b, c, mode) == wanted
        assert muldiv(a, -b, -c, mode) == wanted


TABLES = st.lists(
    st.tuples(st.integers(0, 10**9), st.integers(0, 10**6)), min_size=1, max_size=8, unique_by=lambda t: t[0]
)


@given(TABLES, st.integers(0, 2 * 10**9))
def test_tier_slices_are_the_sum_over_each_unit_of_its_tier(rows, at):
    starts, gives = zip(*sorted(rows), strict=True)
    step = 0
    edges = sorted({*starts, at})
    for low, high in itertools.pairwise(edges):
        if high <= at:
            step += (high - low) * tier_at((starts, gives), low)
    assert tier_slices((starts, gives), at) == step


def test_generated_code_holds_no_word_of_the_author():
    text = "item == 'os.system(1)' && rows.all(secret_name, secret_name.qty > 0)"
    source = expression(text, NAMES).source
    assert "os" not in source and "secret" not in source and "item" not in source
