"""Award records: what was explained is recomputed to the byte; what was altered is noticed."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hanse.rooms.contracts.terms import TermsRefused, compile_template, explain, recompute, run_example

LIBRARY = Path(__file__).parents[1] / "library"
RESULTS = [
    result
    for path in sorted(LIBRARY.glob("*.yaml"))
    for template in [compile_template(path.read_text())]
    for example in template.document.examples
    if (result := run_example(template, example)) is not None
]


@pytest.mark.parametrize("result", RESULTS, ids=lambda result: f"{result.terms.template.name}-{result.clause}")
def test_every_record_of_the_library_is_recomputed_to_the_byte(result):
    told = {name: (5, "a") for name in list(result.facts)[:1]}
    for evidence in (None, told, {}):
        record = explain(result, evidence, "agreement-1")
        assert recompute(result.terms, record.bytes).steps == result.steps


@given(st.sampled_from(RESULTS), st.data())
def test_a_record_with_any_byte_altered_is_refused(result, data):
    record = bytearray(explain(result).bytes)
    place = data.draw(st.integers(0, len(record) - 1))
    new = data.draw(st.integers(32, 126).filter(lambda byte: byte != record[place]))
    old, record[place] = record[place], new
    altered = bytes(record)
    try:
        again = recompute(result.terms, altered)
    except TermsRefused:
        return
    # another fact may be stated consistently only if it changes no step; then the record is true of those facts
    assert explain(again, agreement=_agreement(altered)).bytes == altered and old != new


def _agreement(record: bytes) -> str:
    import json

    return str(json.loads(record)["agreement"])


@given(st.binary(max_size=40))
def test_arbitrary_bytes_are_no_record(data):
    with pytest.raises(TermsRefused) as refused:
        recompute(RESULTS[0].terms, data)
    assert refused.value.code == "terms.record_form"


def test_a_record_under_other_parameters_is_refused():
    record = explain(RESULTS[0])
    other = next(result for result in RESULTS if result.terms.template.name != RESULTS[0].terms.template.name)
    with pytest.raises(TermsRefused) as refused:
        recompute(other.terms, record.bytes)
    assert refused.value.code == "terms.record_terms"
