"""Templates with a part replaced by another: they register or are refused; what registers, runs or is refused."""

import copy
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hanse.rooms.contracts.terms import TermsRefused, compile_template, explain
from hanse.rooms.contracts.terms.examples import run_example
from hanse.rooms.contracts.terms.yamlsafe import load

LIBRARY = Path(__file__).parents[1] / "library"
DOCUMENTS = [load(path.read_text()) for path in sorted(LIBRARY.glob("*.yaml"))]

NUMBERS = st.one_of(
    st.integers(-(2**64), 2**64), st.integers(-3, 3), st.sampled_from([10**17, -(10**17), 2**53, 10**300])
)
WORDS = st.one_of(
    st.sampled_from(
        ["", "x", "{", "{rate}", "{supplier}", "supplier", "buyer", "0", "1 / 0", "-1", "true", "a.b", "10.5%", "2d",
         "list", "tiers", "money", "text", "net", "__class__", "ledger_time", "2025-03-01T09:00Z", "qty * price",
         "\ud800", "\n", "é"]
    ),
    st.text(max_size=8),
)  # fmt: skip
LEAVES = st.one_of(NUMBERS, WORDS, st.booleans())
PARTS = st.one_of(
    LEAVES,
    st.none(),
    st.floats(),
    st.lists(LEAVES, max_size=3),
    st.dictionaries(WORDS, LEAVES, max_size=3),
    st.dictionaries(
        st.sampled_from(["unit", "enum", "of", "event", "timer", "all_of", "add", "maximum_items"]), LEAVES, max_size=3
    ),
)


def places(part, here=()):
    """Every path into a document."""
    yield here
    items = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
    for key, value in items:
        yield from places(value, (*here, key))


@st.composite
def damaged(draw):
    """A library document with one to three parts replaced, removed or swapped with another part of it."""
    document = copy.deepcopy(draw(st.sampled_from(DOCUMENTS)))
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from([p for p in places(document) if p]))
        target = document
        for key in path[:-1]:
            target = target[key]
        act = draw(st.integers(0, 3))
        if act == 0 and isinstance(target, dict):
            del target[path[-1]]
        elif act == 1:
            other = draw(st.sampled_from([p for p in places(document) if p]))
            source = document
            for key in other:
                source = source[key]
            target[path[-1]] = copy.deepcopy(source)
        else:
            target[path[-1]] = draw(PARTS)
    return document


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(damaged())
def test_a_damaged_template_registers_or_is_refused(document):
    try:
        template = compile_template(document)
    except TermsRefused as refused:
        assert refused.code.startswith("terms.") and refused.message
        return
    assert compile_template(template.canonical).sha256 == template.sha256
    for example in template.document.examples:
        result = run_example(template, example)
        if result is not None:
            assert explain(result).sha256 and result.terms.prose() is not None


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(DOCUMENTS), st.data())
def test_absurd_parameters_facts_and_state_end_in_a_result_or_a_refusal(document, data):
    template = compile_template(document)
    params = {param.name: data.draw(PARTS) for param in template.document.params if data.draw(st.booleans())}
    example = template.document.examples[0]
    try:
        terms = template.bind({**example.params, **params})
        for clause in template.clauses:
            facts = {fact.name: data.draw(PARTS) for fact in clause.facts}
            state = {name: data.draw(NUMBERS) for name in clause.state}
            result = terms.evaluate(clause.id, facts, state)
            assert explain(result).sha256
    except TermsRefused as refused:
        assert refused.code.startswith("terms.")
