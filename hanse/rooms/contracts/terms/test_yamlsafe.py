"""Hostile YAML is refused, and nothing but refusals comes of arbitrary bytes."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hanse.rooms.contracts.terms import TermsRefused, compile_template
from hanse.rooms.contracts.terms.yamlsafe import load


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a: &x 1\nb: *x", "terms.yaml_feature"),
        ("a: &x [1]\nb: [*x, *x]", "terms.yaml_feature"),
        ("a: {<<: {b: 1}}", "terms.yaml_key"),
        ("a: !!python/object/apply:os.system ['id']", "terms.yaml_feature"),
        ("a: !!float 1", "terms.yaml_feature"),
        ("%YAML 1.1\n---\na: 1", "terms.yaml_feature"),
        ("a: 1\n---\nb: 2", "terms.yaml_feature"),
        ("", "terms.yaml_feature"),
        ("a: 1\na: 2", "terms.yaml_duplicate"),
        ("{a: 1, 'a': 2}", "terms.yaml_duplicate"),
        ("[a]: 1", "terms.yaml_key"),
        ("? {b: 1}\n: 1", "terms.yaml_key"),
        ("'': 1", "terms.yaml_key"),
        ("a: 1.5", "terms.yaml_scalar"),
        ("a: 1e5", "terms.yaml_scalar"),
        ("a: .inf", "terms.yaml_scalar"),
        ("a: .nan", "terms.yaml_scalar"),
        ("a: 2019-01-11", "terms.yaml_scalar"),
        ("a: yes", "terms.yaml_scalar"),
        ("a: NO", "terms.yaml_scalar"),
        ("a: True", "terms.yaml_scalar"),
        ("a: null", "terms.yaml_scalar"),
        ("a:", "terms.yaml_scalar"),
        ("a: ~", "terms.yaml_scalar"),
        ("a: 0x1F", "terms.yaml_scalar"),
        ("a: 0o17", "terms.yaml_scalar"),
        ("a: 017", "terms.yaml_scalar"),
        ("a: 1_000", "terms.yaml_scalar"),
        ("a: 12:30", "terms.yaml_scalar"),
        ("a: 12345678901234567890", "terms.yaml_scalar"),
        ("a: [", "terms.yaml_syntax"),
        ("a: 'x", "terms.yaml_syntax"),
        ("a: @x", "terms.yaml_syntax"),
        ("a: b: c", "terms.yaml_syntax"),
        ("\ta: 1", "terms.yaml_syntax"),
        ("a: \u202e1", "terms.yaml_text"),
        ("a: \x00", "terms.yaml_text"),
        (b"a: \xff\xfe", "terms.yaml_text"),
        ("[" * 20 + "]" * 20, "terms.yaml_depth"),
        ("[" * 20_000, "terms.yaml_depth"),
        ("a: " + "x" * 5_000, "terms.yaml_size"),
        ("- a\n" * 10_000, "terms.yaml_size"),
        ("a" * 70_000, "terms.yaml_size"),
        (b"a" * 70_000, "terms.yaml_size"),
    ],
)
def test_hostile_yaml_is_refused(text, code):
    with pytest.raises(TermsRefused) as refused:
        load(text)
    assert refused.value.code == code


def test_times_and_versions_are_read_as_text_never_as_dates():
    assert load("a: 2019-01-11T03:24Z\nb: 2019-01-11T03:24:00Z\nc: 1.0.0") == {
        "a": "2019-01-11T03:24Z",
        "b": "2019-01-11T03:24:00Z",
        "c": "1.0.0",
    }


VALUES = st.recursive(
    st.one_of(
        st.booleans(), st.integers(-(10**18), 10**18), st.text(st.characters(codec="ascii", exclude_categories=("C",)))
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text("abc", min_size=1, max_size=3), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(VALUES)
def test_json_is_read_back_as_it_was_written(value):
    assert load(json.dumps(value)) == value


@settings(max_examples=300)
@given(st.one_of(st.binary(max_size=60), st.text("ab:-[]{}&*!|>'\"#%@,.0 1\n\t?~", max_size=40)))
def test_arbitrary_text_is_read_or_refused(text):
    for reader in (load, compile_template):
        try:
            reader(text)
        except TermsRefused as refused:
            assert refused.code.startswith("terms.")
