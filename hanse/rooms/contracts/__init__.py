"""Contracts: template, agreement, clause, clause result, timer, dispute, scorecard.

A *template* is data: text, typed parameters and rules in one document, named by its hash. An *agreement* is a template
with its parameters, its roles and the signatures of all of them. A *clause result* is its steps: the explanation is the
computation. A result first stands as a pending accrual with its reason, and as a credit note when the objection period
ends without dispute. Every wait ends in a named outcome. The one who gains is never enough alone to attest a fact.
"""
