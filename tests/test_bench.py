"""The benchmarks of the record run, at sizes at which their figures say nothing."""

import argparse
import json
from xml.etree import ElementTree

import pytest

from bench import commit, growth, growth_picture, read, verify
from bench.common import network
from bench.matching_demo import measure_demo


def test_a_record_is_made_verified_rebuilt_and_told_of():
    found = verify.run(500)
    assert found["entries"] > 500 and found["bytes_per_entry"] > 0
    for what in ("verify", "rebuild"):
        assert found[what]["entries_per_s"] > 0
        assert 0 < found[what]["peak_mib"] <= found[what]["peak_mib_with_largest_beside"]


def test_facts_are_written_singly_in_batches_and_at_a_rate():
    with network(sellers=2, buyers=2, items=5) as net:
        assert commit.singly(net, 20)["facts"] == 100
        assert commit.batched(net, 20)["facts"] == 100
        waits = commit.latency(net, 100, 1)
        assert 0 < waits["p50_ms"] <= waits["p99_ms"] <= waits["max_ms"]
    assert commit.plain_sqlite(20) > 0


@pytest.mark.slow
def test_a_record_grows_and_every_chart_is_drawn(tmp_path, monkeypatch):
    monkeypatch.setattr(growth, "ORDERS", 20)
    monkeypatch.setattr(growth, "LATENCY_SECONDS", 1)
    monkeypatch.setattr(read, "ALONE", 2)
    asked = argparse.Namespace(seconds=3, readers=30, writes=50)
    rows = [
        growth.at_size(tmp_path / "data", entries, asked) for entries in (6_000, 6_500)
    ]  # its network alone is 5,000
    assert rows[0]["entries"] < rows[1]["entries"] and json.dumps(rows)
    drawn = ElementTree.fromstring(growth_picture.svg(rows))
    assert len(drawn.findall(".//{*}polyline")) == sum(len(c.series) for c in growth_picture.charts(rows))


def test_the_demos_renamed_goods_are_found_again_and_none_is_taken_for_another():
    found = measure_demo(21, count=40)
    assert found["accepted_precision"] == 1.0
    assert found["exact_keys_as_written_recall"] < 0.9 < found["accepted_recall"] and found["recall@5"] > 0.9


@pytest.mark.parametrize(("value", "most"), [(11_654, 12_000), (50, 60), (954, 1_000), (1, 1)])
def test_an_axis_ends_at_a_round_number(value, most):
    assert growth_picture.round_up(value) == most
