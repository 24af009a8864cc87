"""Contracts as data: templates in YAML, expressions in CEL's syntax, compiled to functions that return every step.

    compile_template(text) -> Template          registration's checks included
    template.bind(params) -> Terms
    terms.evaluate(clause, facts, state) -> Result(steps, actions)
    explain(result) -> Explanation(bytes, sha256);  recompute(terms, bytes) -> Result, or a refusal
    terms.prose() -> list of sentences;  diff(terms_a, terms_b) -> list of changes

Pure: no clock, disk, network, float or random; nothing of the rest of Hanse is imported. Users' wrongs are
`TermsRefused`.
"""

from hanse.rooms.contracts.terms.examples import run_example
from hanse.rooms.contracts.terms.expression import Expression, expression
from hanse.rooms.contracts.terms.periods import Span, period_at
from hanse.rooms.contracts.terms.program import Clause
from hanse.rooms.contracts.terms.prose import Change, diff
from hanse.rooms.contracts.terms.recompute import recompute
from hanse.rooms.contracts.terms.refused import TermsRefused
from hanse.rooms.contracts.terms.result import Action, Explanation, Result, explain, split
from hanse.rooms.contracts.terms.schema import Attest, Fact, Param, StateSpec
from hanse.rooms.contracts.terms.template import Template, Terms, compile_template
from hanse.rooms.contracts.terms.values import read, show

__all__ = [
    "Action", "Attest", "Change", "Clause", "Explanation", "Expression", "Fact", "Param", "Result", "Span", "StateSpec",
    "Template", "Terms", "TermsRefused", "compile_template", "diff", "explain", "expression", "period_at",
    "read", "recompute",
    "run_example", "show", "split",
]  # fmt: skip
