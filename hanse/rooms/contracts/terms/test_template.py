"""Templates: registration's refusals, binding, evaluation, state, explanation, difference."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from hanse.rooms.contracts.terms import TermsRefused, compile_template, diff, explain

LIBRARY = Path(__file__).parents[1] / "library"

SMALL = """
template: small
version: 1.0.0
roles: [supplier, buyer]
params:
  currency: {enum: [EUR, JPY]}
  rate: {unit: rate, minimum: 0, maximum: 1000000}
  rounding: {unit: rounding, default: half_even}
clauses:
- id: discount
  text: "{supplier} pays {buyer} {rate} of each invoice in {currency}, rounded {rounding}."
  when: {event: invoice.settled, once_per: [invoice]}
  facts:
    net: {event: invoice.settled, field: net, unit: money, attest: [supplier, buyer]}
  let:
    amount: muldiv(net, rate, 1000000, rounding)
  then:
  - {pay: amount, if: amount > 0, from: supplier, to: buyer, as: discount}
examples:
- with: {rate: 2%}
  given: {net: "100.00"}
  want: {amount: "2.00"}
"""


def changed(*pairs: tuple[str, str]) -> str:
    text = SMALL
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new)
    return text


AMOUNT = "muldiv(net, rate, 1000000, rounding)"
LINE = "net: {event: invoice.settled, field: net, unit: money, attest: [supplier, buyer]}"


@pytest.mark.parametrize(
    ("pairs", "code"),
    [
        ([("template: small\n", "")], "terms.missing_key"),
        ([("template: small", "template: Small!")], "terms.name"),
        ([("version: 1.0.0", "version: one")], "terms.form"),
        ([("version: 1.0.0", "version: 1.0.0\nlicense: x")], "terms.unknown_key"),
        ([("[supplier, buyer]\nparams", "[supplier]\nparams")], "terms.form"),
        ([("unit: rate,", "unit: percent,")], "terms.unknown_unit"),
        ([("maximum: 1000000}", "maximum: -5}")], "terms.range"),
        ([("maximum: 1000000}", "maximal: 5}")], "terms.unknown_key"),
        ([("enum: [EUR, JPY]", "enum: []")], "terms.form"),
        ([("enum: [EUR, JPY]", "enum: [EUR, EUR]")], "terms.form"),
        ([("when: {event", "when: {on")], "terms.unknown_key"),
        ([(", once_per: [invoice]", "")], "terms.missing_key"),
        ([(", attest: [supplier, buyer]", "")], "terms.attest"),
        ([("attest: [supplier, buyer]", "attest: {some_of: [buyer]}")], "terms.attest"),
        ([("attest: [supplier, buyer]", "attest: [buyer]")], "terms.attest"),
        ([("attest: [supplier, buyer]", "attest: {any_of: [supplier, buyer]}")], "terms.attest"),
        ([("of each invoice in {currency}", "of each invoice")], "terms.not_in_text"),
        ([("pays {buyer} {rate}", "pays {buyer}")], "terms.not_in_text"),
        ([("muldiv(net, rate, 1000000, rounding)", "muldiv(net, 20000, 1000000, rounding)")], "terms.not_in_rule"),
        ([("{rate} of each", "{rabate} of each {rate}")], "terms.text"),
        ([("{rate} of each", "{rate} of {each")], "terms.text"),
        ([("{rate} of each", "{rate} of {} each")], "terms.text"),
        ([("to: buyer", "to: carrier")], "terms.role"),
        ([("to: buyer", "to: supplier")], "terms.role"),
        ([("to: buyer, ", "")], "terms.missing_key"),
        ([("pay: amount", "pay: amount, grant: x")], "terms.form"),
        ([("pay: amount", "give: amount")], "terms.unknown_key"),
        ([("pay: amount", "pay: rate")], "terms.kind"),
        ([("pay: amount", "pay: net * rate")], "terms.kind"),
        ([("if: amount > 0", "if: amount")], "terms.kind"),
        ([("as: discount", "as: discount, due: net")], "terms.kind"),
        ([("amount: muldiv", "rate: muldiv")], "terms.name_twice"),
        ([("amount: muldiv", "for: muldiv")], "terms.name"),
        ([("amount: muldiv(net", "amount: muldiv(later")], "terms.unknown_name"),
        ([("amount: muldiv(net", "amount: muldiv(((net")], "terms.expression_syntax"),
        ([("amount: muldiv(net, rate, 1000000, rounding)", "amount: net + 9223372036854775807 * 3")], "terms.overflow"),
        ([('want: {amount: "2.00"}', 'want: {amount: "2.01"}')], "terms.example"),
        ([('want: {amount: "2.00"}', 'want: {amout: "2.00"}')], "terms.example"),
        ([('want: {amount: "2.00"}', "want: {amount: two}")], "terms.example"),
        ([('want: {amount: "2.00"}', 'then: [{pay: "2.01"}]')], "terms.example"),
        ([('want: {amount: "2.00"}', 'then: []')], "terms.example"),
        ([('want: {amount: "2.00"}', 'then: [{pay: "2.00", to: supplier}]')], "terms.example"),
        ([('want: {amount: "2.00"}', "refused: terms.overflow")], "terms.example"),
        ([('  want: {amount: "2.00"}\n', "")], "terms.missing_key"),
        ([('with: {rate: 2%}', 'with: {rate: 200%}')], "terms.example"),
        ([('with: {rate: 2%}', 'with: {tare: 2%}')], "terms.example"),
        ([('with: {rate: 2%}', 'with: {}')], "terms.example"),
        ([('given: {net: "100.00"}', 'given: {gross: "100.00"}')], "terms.example"),
        ([('given: {net: "100.00"}', 'given: {}')], "terms.example"),
        ([('given: {net: "100.00"}', 'given: {net: "100.001"}')], "terms.example"),
        ([("examples:", "examples: []\nnotes:")], "terms.form"),
        ([("field: net", 'field: "{rate}"')], "terms.reference"),
        ([("field: net", 'field: "{none}"')], "terms.reference"),
        ([("field: net, ", "")], "terms.missing_key"),
        ([("when: {event: invoice.settled", "when: {timer: net")], "terms.kind"),
        ([("when: {event: invoice.settled", "when: {timer: ledger_time")], "terms.unknown_name"),
        ([("- id: discount", "- id: discount\n  only_if: net > 0")], "terms.unknown_name"),
    ],
)  # fmt: skip
def test_registration_refuses(pairs, code):
    with pytest.raises(TermsRefused) as refused:
        compile_template(changed(*pairs))
    assert refused.value.code == code, str(refused.value)


def test_registration_refuses_a_clause_that_costs_too_much():
    step = "muldiv(net, rate, 1000000, rounding) + xs.sum(x, x + x - x)"
    many = "\n".join(f"    s{i}: {step}" for i in range(60))
    xs = "xs: {event: invoice.settled, field: xs, unit: list, of: money, maximum_items: 500, attest: [supplier]}"
    text = changed((LINE, f"{LINE}\n    {xs}"), ("    amount: muldiv", f"{many}\n    amount: muldiv"))
    with pytest.raises(TermsRefused) as refused:
        compile_template(text)
    assert refused.value.code == "terms.cost"


def test_registration_refuses_state_that_nobody_signed():
    state = "state:\n  total: {unit: money, add: {invoice.settled: net_total}}\nclauses:"
    with pytest.raises(TermsRefused) as refused:
        compile_template(changed(("clauses:", state)))
    assert refused.value.code == "terms.attest"


def test_registration_refuses_an_event_that_pays_its_only_reporter():
    told = "hurt: {event: damage.reported, exists: true, attest: [buyer]}"
    with pytest.raises(TermsRefused) as refused:
        compile_template(changed((LINE, f"{LINE}\n    {told}"), (AMOUNT, f"'{AMOUNT} + (hurt ? 100 : 0)'")))
    assert refused.value.code == "terms.attest"
    kept = changed((LINE, f"{LINE}\n    {told}"), ("if: amount > 0", "if: amount > 0 && !hurt"))
    assert compile_template(kept).name == "small"


def test_the_hash_names_meaning_not_layout():
    one = compile_template(SMALL)
    spaced = compile_template(
        SMALL.replace("{rate: 2%}", "{ rate:   2% }   # two")
        .replace("roles: [supplier, buyer]\n", "")
        .replace("clauses:", "roles:\n- supplier\n- buyer\nclauses:")
    )
    assert spaced.sha256 == one.sha256
    assert compile_template(one.canonical).sha256 == one.sha256
    assert compile_template(SMALL.replace("1.0.0", "1.0.1")).sha256 != one.sha256


def test_the_order_of_steps_is_part_of_the_hash():
    two = changed(("    amount:", "    a: net + 0\n    b: net + 1\n    amount:"))
    swapped = changed(("    amount:", "    b: net + 1\n    a: net + 0\n    amount:"))
    assert compile_template(two).sha256 != compile_template(swapped).sha256


def test_hash_and_explanation_are_the_same_in_every_process():
    code = (
        "from hanse.rooms.contracts.terms import *;import sys;"
        "t=compile_template(open(sys.argv[1]).read());print(t.sha256);"
        "e=t.document.examples[0];print(explain(run_example(t,e)).sha256)"
    )
    seen = set()
    for seed in ("0", "1", "77"):
        done = subprocess.run(
            [sys.executable, "-c", code, str(LIBRARY / "late-delivery.yaml")],
            capture_output=True, text=True, check=True,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(__file__).parents[4])},
        )  # fmt: skip
        seen.add(done.stdout)
    assert len(seen) == 1


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({}, "terms.value_missing"),
        ({"currency": "EUR"}, "terms.value_missing"),
        ({"currency": "EUR", "rate": "2%", "rat": 1}, "terms.unknown_param"),
        ({"currency": "USD", "rate": "2%"}, "terms.value_range"),
        ({"currency": "EUR", "rate": "-2%"}, "terms.value_range"),
        ({"currency": "EUR", "rate": 0.02}, "terms.value_type"),
        ({"currency": "EUR", "rate": "a lot"}, "terms.value_text"),
        ({"currency": "EUR", "rate": 10**50}, "terms.value_range"),
        ({"currency": ["EUR"], "rate": "2%"}, "terms.value_type"),
    ],
)
def test_bind_refuses(params, code):
    with pytest.raises(TermsRefused) as refused:
        compile_template(SMALL).bind(params)
    assert refused.value.code == code


def test_a_tier_table_out_of_order_is_not_agreed():
    template = compile_template((LIBRARY / "volume-rebate.yaml").read_text())
    for tiers in ([["10.00", "5%"], ["0.00", "1%"]], [["0.00", "5%"], ["0.00", "1%"]]):
        with pytest.raises(TermsRefused) as refused:
            template.bind({"currency": "EUR", "rebate_period": "year", "scheme": "retroactive", "tiers": tiers})
        assert refused.value.code == "terms.tiers_order"


def test_a_fold_without_a_calendar_lasts_as_long_as_the_agreement():
    state = "state:\n  n: {count: [delivery], attest: [supplier, buyer]}\nclauses:"
    assert [spec.per for spec in compile_template(changed(("clauses:", state))).document.state] == ["agreement"]
    yearly = compile_template(changed(("clauses:", f"period: year\n{state}")))
    assert [spec.per for spec in yearly.document.state] == ["period"]


def test_amounts_follow_the_currency():
    template = compile_template(SMALL)
    assert template.bind({"currency": "JPY", "rate": "2%"}).read_facts("discount", {"net": "100"}) == {"net": 100}
    assert template.bind({"currency": "EUR", "rate": "2%"}).read_facts("discount", {"net": "100"}) == {"net": 10_000}


def test_evaluate_names_the_step_that_fails():
    text = changed(("    amount: muldiv(net, rate", "    share: 100 / rate\n    amount: muldiv(net, rate * 1"))
    text = text.replace("100 / rate", "ceil_div(100 * rate, rate)")
    terms = compile_template(text).bind({"currency": "EUR", "rate": "0%"})
    with pytest.raises(TermsRefused) as refused:
        terms.evaluate("discount", {"net": 5})
    assert refused.value.code == "terms.division_by_zero"
    assert "clause discount: share" in str(refused.value)


def test_a_negative_amount_is_never_paid():
    terms = compile_template(changed((", if: amount > 0", ""))).bind({"currency": "EUR", "rate": "2%"})
    with pytest.raises(TermsRefused) as refused:
        terms.evaluate("discount", {"net": -1000})
    assert refused.value.code == "terms.negative_amount"
    assert terms.evaluate("discount", {"net": 0}).actions == ()


@given(st.integers(-(2**70), 2**70), st.integers(-5, 1_000_010))
def test_whatever_the_numbers_the_outcome_is_a_result_or_a_refusal(net, rate):
    template = SMALL_TEMPLATE
    try:
        result = template.bind({"currency": "EUR", "rate": rate}).evaluate("discount", {"net": net})
    except TermsRefused as refused:
        assert refused.code in ("terms.value_range", "terms.overflow")
        return
    assert abs(2 * (result.steps["amount"] * 1_000_000 - net * rate)) <= 1_000_000


SMALL_TEMPLATE = compile_template(SMALL)


@given(st.integers(-(10**15), 10**15), st.text(max_size=12), st.integers(0, 2**60))
def test_the_explanation_is_canonical_json_and_says_every_step(net, signer, position):
    result = SMALL_TEMPLATE.bind({"currency": "EUR", "rate": "2%"}).evaluate("discount", {"net": net})
    for evidence in (None, {"net": (position, signer.encode("utf-8", "ignore").decode())}, {}):
        record = explain(result, evidence, agreement="ag-1")
        parsed = json.loads(record.bytes)
        assert rfc8785.dumps(parsed) == record.bytes
        assert [name for name, _ in parsed["steps"]] == ["amount"]
        assert parsed["template"] == SMALL_TEMPLATE.sha256 and parsed["agreement"] == "ag-1"


def test_an_example_may_tell_its_history_and_state_folds_by_period():
    terms = compile_template((LIBRARY / "volume-rebate.yaml").read_text()).bind(
        {
            "currency": "EUR",
            "rebate_period": "quarter",
            "scheme": "retroactive",
            "tiers": [["0.00", "5%"], ["10000.00", "10%"]],
        }
    )
    state = terms.fold("invoice.settled", {"net": 1_000_000, "ignored": "x"}, {})
    assert state == {"spend": 1_000_000}
    assert terms.fold("credit.issued", {"net": 1}, state) == {"spend": 999_999}
    assert terms.fold("unknown.event", {}, state) == state
    result = terms.evaluate("accrue", {}, state)
    assert result.state == {"accrued": 0, "spend": 1_000_000}
    assert result.steps["delta"] == 100_000
    assert terms.period(1_547_177_040).key == "2019-01"
    assert terms.triggered_by("credit.issued") == ("accrue",)
    assert terms.triggered_by("period.closed") == ("settle",)
    with pytest.raises(TermsRefused):
        terms.fold("invoice.settled", {"net": "10"}, state)
    with pytest.raises(TermsRefused):
        terms.fold("invoice.settled", {}, state)
    with pytest.raises(TermsRefused):
        terms.fold("invoice.settled", {"net": 10**15}, {"spend": 10**15})


def late(**changes):
    params = dict(
        currency="EUR", due_field="promised_at", period="7d", rate="2.5%", cap="15%", partial="ceil",
        terminate_after="60d",        pay_within="30d", force_majeure=True,
    )  # fmt: skip
    return compile_template((LIBRARY / "late-delivery.yaml").read_text()).bind(params | changes)


def test_timers_say_when_they_fire_what_arms_them_and_where_facts_come_from():
    terms = late(due_field="requested_at")
    assert terms.timer("undelivered", {"due": 1_000_000}) == 1_000_000 + 60 * 86_400
    assert terms.events("undelivered") == ("order.accepted",)
    sources = {name: (events, field) for name, events, field, _ in terms.sources("late")}
    assert sources["due"] == (("order.accepted",), "requested_at")
    with pytest.raises(TermsRefused) as refused:
        terms.timer("late", {})
    assert refused.value.code == "terms.no_timer"
    with pytest.raises(TermsRefused) as refused:
        terms.evaluate("nothing", {})
    assert refused.value.code == "terms.unknown_clause"


def test_prose_says_the_parameters_and_nothing_is_left_in_braces():
    first, second = late().prose({"supplier": "Acme", "buyer": "Borg"})
    assert first.startswith(
        "Goods received more than 0 days after the promised time are late. Acme then pays Borg 2.5% of"
    )
    assert "per 7 days of delay" in first and "at most 15% of it, in EUR" in first
    assert second == "Borg may terminate a line not fully received 60 days after the promised time."
    assert late().prose()[1].startswith("The buyer may")


def test_amounts_name_their_currency_once():
    params = {"currency": "EUR", "rebate_period": "year", "scheme": "incremental", "tiers": [["0.00", "5%"]]}
    terms = compile_template((LIBRARY / "volume-rebate.yaml").read_text()).bind(params | {"cap": "1234.50"})
    accrue = terms.prose()[0]
    assert "above 0.00 (EUR)" in accrue and "at most 1,234.50 where" in accrue and "5% from 0.00:" in accrue
    fee = changed(
        ("{rate} of each invoice in {currency}", "{rate} of each invoice and {fee}"),
        ("  rate:", "  fee: {unit: money}\n  rate:"),
        ("rounding)\n", "rounding) + fee\n"),
        ("rate: 2%", 'rate: 2%, fee: "0.00"'),
        ("- id", "- {id: c, text: 'In {currency}.', when: {event: x, once_per: [x]}}\n- id"),
    )
    bound = compile_template(fee).bind({"currency": "EUR", "rate": "2%", "fee": "3.00"})
    assert bound.prose()[1] == "The supplier pays the buyer 2% of each invoice and 3.00 EUR, rounded half even."


def test_a_difference_is_told_in_words():
    changes = [str(change) for change in diff(late(), late(rate="3%", grace="1d"))]
    assert changes == ["params.grace: 0 days becomes 1 day", "params.rate: 2.5% becomes 3%"]
    assert diff(late(), late()) == []
    other = SMALL_TEMPLATE.bind({"currency": "EUR", "rate": "2%"})
    edited = compile_template(changed(("1.0.0", "2.0.0"), ("if: amount > 0", "if: amount > 99")))
    edited = edited.bind({"currency": "EUR", "rate": "2%"})
    paths = [change.path for change in diff(other, edited)]
    assert paths == ["template", "clause discount, then 1"]


def test_only_if_takes_a_clause_out_of_text_and_rule():
    text = changed(("- id: discount", "- id: discount\n  only_if: rate > 0"))
    template = compile_template(text)
    assert template.bind({"currency": "EUR", "rate": "0%"}).prose() == []
    assert template.bind({"currency": "EUR", "rate": "0%"}).triggered_by("invoice.settled") == ()
    assert template.bind({"currency": "EUR", "rate": "1%"}).triggered_by("invoice.settled") == ("discount",)


def test_a_figure_in_the_text_that_no_parameter_holds_is_warned_of():
    template = compile_template(changed(("of each invoice", "of each invoice within 30 days")))
    assert template.warnings == ("clause discount: the text says 30 days, which no parameter holds",)


def test_a_split_names_who_gets_the_remainder():
    action = "- {split: net, from: supplier, between: {buyer: 1, agent: 2}, remainder: agent, as: commission}"
    text = changed(
        ("[supplier, buyer]\nparams", "[supplier, buyer, agent]\nparams"), ("  then:", f"  then:\n  {action}")
    )
    result = compile_template(text).bind({"currency": "EUR", "rate": "0%"}).evaluate("discount", {"net": 100})
    assert [(a.kind, a.to, a.value) for a in result.actions] == [("pay", "agent", 67), ("pay", "buyer", 33)]
    with pytest.raises(TermsRefused) as refused:
        compile_template(text.replace("remainder: agent", "remainder: carrier"))
    assert refused.value.code == "terms.role"


def test_nothing_of_the_rest_of_hanse_is_imported():
    for path in Path(__file__).parent.glob("*.py"):
        if not path.name.startswith("test_"):
            for line in path.read_text().splitlines():
                words = line.split()
                if words[:1] in (["from"], ["import"]) and words[1].startswith("hanse"):
                    assert words[1].startswith("hanse.rooms.contracts.terms"), f"{path.name}: {line}"
