"""Values as people write them, and calendar periods."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hanse.rooms.contracts.terms import TermsRefused, period_at, read, split
from hanse.rooms.contracts.terms.kinds import TIME_MAX, unit_kind
from hanse.rooms.contracts.terms.values import (
    decimals_of,
    read_money,
    read_rate,
    read_time,
    show_money,
    show_rate,
    show_time,
)


@pytest.mark.parametrize(
    ("unit", "text", "code"),
    [
        ("money", "1.234", "terms.money_fraction"),
        ("money", "1,200.00", "terms.value_text"),
        ("money", "1e5", "terms.value_text"),
        ("money", "EUR 5", "terms.value_text"),
        ("money", 10**16, "terms.value_range"),
        ("money", 1.5, "terms.value_type"),
        ("rate", "10.55555%", "terms.value_text"),
        ("rate", "0.1", "terms.value_text"),
        ("duration", "two days", "terms.value_text"),
        ("duration", "2", "terms.value_text"),
        ("duration", "", "terms.value_text"),
        ("time", "2019-02-29T00:00Z", "terms.value_text"),
        ("time", "2019-01-11T03:24", "terms.value_text"),
        ("time", "2019-01-11T25:00Z", "terms.value_text"),
        ("time", "1969-12-31T23:59Z", "terms.value_text"),
        ("qty", "1.5", "terms.value_text"),
        ("qty", "٣", "terms.value_text"),
        ("flag", "yes", "terms.value_type"),
        ("rounding", "nearest", "terms.value_range"),
    ],
)
def test_a_value_written_otherwise_is_refused(unit, text, code):
    with pytest.raises(TermsRefused) as refused:
        read("x", unit_kind(unit), text)
    assert refused.value.code == code


@given(st.integers(0, TIME_MAX))
def test_times_read_back_and_agree_with_the_standard_library(at):
    assert read_time(show_time(at)) == at
    assert show_time(at) == datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ").rjust(20, "0")


@given(st.integers(-(10**15), 10**15), st.sampled_from(["EUR", "JPY", "KWD"]))
def test_amounts_read_back(value, currency):
    decimals = decimals_of(currency)
    assert read_money(show_money(value, decimals).replace(",", ""), decimals) == value


@given(st.integers(-(10**9), 10**9))
def test_rates_read_back(value):
    assert read_rate(show_rate(value)) == value


@given(
    st.sampled_from(["month", "quarter", "year", 86_400, 604_800]), st.integers(-14, 14), st.integers(1, 12), st.data()
)
def test_periods_cover_time_without_gap_or_overlap(every, hours, first_month, data):
    at = data.draw(st.integers(86_400 * 800, TIME_MAX // 2))
    span = period_at(every, hours * 3_600, first_month, at)
    assert span.opened_at <= at < span.closed_at
    assert period_at(every, hours * 3_600, first_month, span.closed_at).opened_at == span.closed_at
    assert period_at(every, hours * 3_600, first_month, span.closed_at - 1) == span


@given(st.integers(0, 10**12), st.lists(st.integers(0, 10**6), min_size=1, max_size=6).filter(any), st.data())
def test_a_split_makes_and_loses_no_cent(amount, weights, data):
    place = data.draw(st.integers(0, len(weights) - 1))
    parts = split(amount, tuple(weights), place)
    assert sum(parts) == amount and min(parts) >= 0
