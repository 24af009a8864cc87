"""From a proposal to an agreement in force, its amendments and its end: the circle's rules."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec
import rfc8785
from msgspec.structs import replace

from hanse.kernel.draft import Draft
from hanse.kernel.refusal import Refused, require
from hanse.kernel.rules import circle_rule
from hanse.rooms.contracts.clock import look
from hanse.rooms.contracts.compiled import Plan, rebind, refused_of, template_of
from hanse.rooms.contracts.endings import arm_period
from hanse.rooms.contracts.facts import Amend, CounterPropose, EndAgreement, EndProposal, Propose, SignProposal
from hanse.rooms.contracts.private_rows import (
    AGREEMENTS,
    CIRCLE_ROWS,
    COUNTERED,
    ENDED,
    OPEN,
    PROPOSALS,
    SIGNED,
    VERSIONS,
    Agreement,
    Content,
    Proposal,
    Version,
)
from hanse.rooms.contracts.rows import TEMPLATES
from hanse.rooms.contracts.scope import EVERYTHING, KINDS
from hanse.rooms.contracts.terms import Template, Terms, TermsRefused
from hanse.rooms.contracts.waits import circle_row, drop_wait, put_wait
from hanse.rooms.parties.facts import CIRCLES, MEMBERS, PARTIES
from hanse.rooms.parties.rules import party_behind

DAY_SECONDS = 86_400
WAIT_SECONDS_MAX = 366 * DAY_SECONDS
ANSWER_SECONDS, OBJECTION_SECONDS, DISPUTE_SECONDS = 30 * DAY_SECONDS, 14 * DAY_SECONDS, 14 * DAY_SECONDS
MEMBERS_MAX = 500


def said(value: Any, default: Any) -> Any:
    """A commercial field's value, or the default where it was not sent."""
    return default if value is msgspec.UNSET else value


def digest_of(content: Content) -> str:
    """Hex SHA-256 of the canonical JSON of terms: what every party signs."""
    return hashlib.sha256(rfc8785.dumps(msgspec.to_builtins(content))).hexdigest()


def is_one_sided(draft: Draft) -> bool:
    """Whether the draft's circle is a home: one party signs there for all."""
    circle = draft.get(CIRCLES, draft.circle)
    return circle is not None and circle.purpose == "home"


@circle_rule(Propose)
def propose(draft: Draft, fact: Propose) -> None:
    """Refuses, in order: contracts.missing_terms, contracts.agreement_taken, then as `_take`."""
    look(draft)
    _whole(fact)
    taken = draft.get(AGREEMENTS, draft.circle, fact.agreement)
    require(taken is None, "contracts.agreement_taken", "this agreement stands", got=fact.agreement, next="amend it")
    _take(draft, fact, amends=False)


@circle_rule(Amend)
def amend(draft: Draft, fact: Amend) -> None:
    """Refuses, in order: contracts.missing_terms, contracts.unknown_agreement, contracts.ended, then as `_take`."""
    look(draft)
    _whole(fact)
    _in_force(draft, fact.agreement)
    _take(draft, fact, amends=True)


@circle_rule(CounterPropose)
def counter(draft: Draft, fact: CounterPropose) -> None:
    """Refuses, in order: contracts.missing_terms, contracts.unknown_proposal, contracts.proposal_closed,
    contracts.other_agreement, then as `_take`."""
    look(draft)
    _whole(fact)
    earlier = _open(draft, said(fact.counters, ""))
    same = earlier.agreement == fact.agreement
    require(same, "contracts.other_agreement", "a counter-proposal keeps the agreement's number", got=fact.agreement)
    _take(draft, fact, amends=earlier.amends, counters=earlier.proposal)
    _close(draft, earlier, COUNTERED)


def _whole(fact: Propose) -> None:
    whole = all(said(v, "") for v in (fact.agreement, fact.proposal, fact.template, fact.roles))
    require(whole, "contracts.missing_terms", "say agreement, proposal, template and roles")


def _in_force(draft: Draft, agreement: str) -> Agreement:
    """Refuses, in order: contracts.unknown_agreement, contracts.ended."""
    found = draft.get(AGREEMENTS, draft.circle, agreement)
    if found is None:
        raise Refused("contracts.unknown_agreement", "no such agreement in this circle", got=agreement)
    require(not found.until_at or found.until_at > draft.now, "contracts.ended", "it has ended", got=agreement)
    return found


def _open(draft: Draft, proposal: str) -> Proposal:
    """Refuses, in order: contracts.unknown_proposal, contracts.proposal_closed."""
    found = draft.get(PROPOSALS, draft.circle, proposal)
    if found is None:
        raise Refused("contracts.unknown_proposal", "no such proposal in this circle", got=proposal)
    require(found.state == OPEN, "contracts.proposal_closed", f"this proposal is {found.state}", got=proposal)
    return found


def _close(draft: Draft, found: Proposal, state: str, **rest: Any) -> None:
    draft.put(PROPOSALS, replace(found, state=state, **rest))
    drop_wait(draft, found.answer_by, f"proposal/{found.proposal}")


def _take(draft: Draft, fact: Propose, *, amends: bool, counters: str = "") -> None:
    """Keep a proposal; its proposer has signed it. In a home it is in force at once.

    Refuses, in order: contracts.proposal_taken, contracts.unknown_template, terms.* (parameters), contracts.bad_roles,
        contracts.not_in_circle, contracts.not_a_role, contracts.unnamed_signer, contracts.bad_arbiter,
        contracts.bad_scope, contracts.bad_deadline.
    """
    taken = draft.get(PROPOSALS, draft.circle, fact.proposal)
    require(taken is None, "contracts.proposal_taken", "this number is taken", got=fact.proposal)
    terms = _bound(draft, fact)
    proposer = party_behind(draft, draft.signer)
    one_sided = is_one_sided(draft)
    roles = {str(k): str(v) for k, v in fact.roles.items()}
    _check_roles(draft, terms.template, roles, proposer, one_sided)
    names = names_of(terms, roles, said(fact.others, {}), said(fact.arbiter, ""))
    _check_names(draft, terms, names, roles, said(fact.arbiter, ""), one_sided)
    scope = tuple(said(fact.scope, [])) or (EVERYTHING,)
    good = all(part == EVERYTHING or part.startswith(KINDS) for part in scope)
    require(good, "contracts.bad_scope", "unknown scope", got=scope, expected="*, item:ID, brand:NAME, category:NAME")
    answer_by = said(fact.answer_by, 0) or draft.now + ANSWER_SECONDS
    content = _content(fact, terms, roles, scope)
    _check_times(draft, content, answer_by, one_sided)
    row = Proposal(
        circle=draft.circle,
        proposal=fact.proposal,
        agreement=fact.agreement,
        state=OPEN,
        proposer=proposer,
        answer_by=answer_by,
        content=content,
        digest=digest_of(content),
        signed=((proposer, draft.position),),
        amends=amends,
        counters=counters,
        at=draft.now,
    )
    draft.put(PROPOSALS, row)
    put_wait(draft, answer_by, f"proposal/{fact.proposal}", "proposal", fact.proposal)
    if one_sided:
        _enact(draft, row)


def _bound(draft: Draft, fact: Propose) -> Terms:
    """Refuses, in order: contracts.unknown_template, terms.*."""
    row = draft.get(TEMPLATES, fact.template)
    if row is None:
        raise Refused("contracts.unknown_template", "no such template", got=fact.template, next="register it first")
    try:
        terms = template_of(row.text).bind(said(fact.params, {}))
        Plan(terms)  # what the parameters make of the clauses can be computed
        return terms
    except TermsRefused as refused:
        raise refused_of(refused) from None


def _check_roles(draft: Draft, template: Template, roles: Mapping[str, str], proposer: str, one_sided: bool) -> None:
    """Refuses, in order: contracts.bad_roles, contracts.not_in_circle, contracts.not_a_role."""
    fits = set(roles) == set(template.roles) and len(set(roles.values())) == len(roles)
    require(fits, "contracts.bad_roles", "each role has one party", got=sorted(roles), expected=template.roles)
    if not one_sided:
        here = {member.party for member in draft.scan(MEMBERS, circle=draft.circle, limit=MEMBERS_MAX)}
        away = sorted(set(roles.values()) - here)
        require(not away, "contracts.not_in_circle", "a role's party is not in this circle", got=away)
    require(proposer in roles.values(), "contracts.not_a_role", "you have no role in this agreement", got=proposer)


def names_of(terms: Terms, roles: Mapping[str, str], others: Mapping[str, str], arbiter: str) -> dict[str, str]:
    """Every name under `attest` -> its party. `receiver` is the second role's party, who receives what the first sells;
    no other name may stand in for a role."""
    second = terms.template.roles[1]
    names = {"receiver": roles.get(second, ""), **{str(k): str(v) for k, v in others.items()}}
    if arbiter:
        names["arbiter"] = arbiter
    return {**names, **roles}


def _check_names(
    draft: Draft, terms: Terms, names: Mapping[str, str], roles: Mapping[str, str], arbiter: str, one_sided: bool
) -> None:
    """Refuses, in order: contracts.unnamed_signer, contracts.bad_arbiter."""
    for clause in terms.clauses:
        for _, _, _, fact in terms.sources(clause.id):
            if fact.implicit or fact.exists or fact.default is not None or one_sided:
                continue
            missing = [name for name in fact.attest.all_of if name not in names and name != "arbiter"]
            some = not fact.attest.any_of or any(name in names for name in fact.attest.any_of)
            if missing or not some:
                got = ", ".join(missing or fact.attest.any_of)
                raise Refused("contracts.unnamed_signer", "say who attests this", got=got, next="name it under others")
    good = not arbiter or (draft.get(PARTIES, arbiter) is not None and arbiter not in roles.values())
    require(good, "contracts.bad_arbiter", "an arbiter is a party without a role", got=arbiter)


def _content(fact: Propose, terms: Terms, roles: Mapping[str, str], scope: tuple[str, ...]) -> Content:
    others: dict[str, str] = said(fact.others, {})
    return Content(
        agreement=fact.agreement,
        template=fact.template,
        params=terms.params_json.decode(),
        roles=tuple(sorted(roles.items())),
        others=tuple(sorted((str(k), str(v)) for k, v in others.items())),
        arbiter=said(fact.arbiter, ""),
        scope=scope,
        from_at=said(fact.from_at, 0),
        until_at=said(fact.until_at, 0),
        objection_seconds=said(fact.objection_seconds, OBJECTION_SECONDS),
        dispute_seconds=said(fact.dispute_seconds, DISPUTE_SECONDS),
        notice_seconds=said(fact.notice_seconds, 0),
        undecided=said(fact.undecided, "stands"),
        note=said(fact.note, ""),
    )


def _check_times(draft: Draft, content: Content, answer_by: int, one_sided: bool) -> None:
    """Refuses: contracts.bad_deadline. What both sign reaches back a year at most."""
    back = one_sided or not content.from_at or content.from_at >= draft.now - WAIT_SECONDS_MAX
    require(back, "contracts.bad_deadline", "an agreement reaches back at most a year", got=content.from_at)
    ahead = draft.now < answer_by <= draft.now + WAIT_SECONDS_MAX
    require(ahead, "contracts.bad_deadline", "an answer is awaited at most a year", got=answer_by)
    ordered = not content.until_at or content.until_at > max(content.from_at, 0)
    require(ordered, "contracts.bad_deadline", "it ends before it begins", got=content.until_at)
    waits = (content.objection_seconds, content.dispute_seconds, content.notice_seconds)
    require(max(waits) <= WAIT_SECONDS_MAX, "contracts.bad_deadline", "a wait is at most a year", got=max(waits))


@circle_rule(SignProposal)
def sign(draft: Draft, fact: SignProposal) -> None:
    """Sign a proposal; once all roles have, it is in force.

    Refuses, in order: contracts.unknown_proposal, contracts.proposal_closed, contracts.not_a_role,
        contracts.signed_already, contracts.digest_differs, contracts.ended (an amended agreement, meanwhile),
        contracts.agreement_taken.
    """
    look(draft)
    found = _open(draft, said(fact.proposal, ""))
    party = party_behind(draft, draft.signer)
    parties = {name for _, name in found.content.roles}
    require(party in parties, "contracts.not_a_role", "you have no role in this agreement", got=party)
    require(party not in dict(found.signed), "contracts.signed_already", "you have signed it", got=found.proposal)
    same = said(fact.digest, "") == found.digest
    require(
        same, "contracts.digest_differs", "you signed other terms", got=said(fact.digest, ""), expected=found.digest
    )
    after = replace(found, signed=(*found.signed, (party, draft.position)))
    if parties <= set(dict(after.signed)):
        _enact(draft, after)
    else:
        draft.put(PROPOSALS, after)


def _enact(draft: Draft, proposal: Proposal) -> None:
    """All have signed: a first or next version is in force. An amendment never reaches back."""
    content, one_sided = proposal.content, is_one_sided(draft)
    before = _in_force(draft, proposal.agreement) if proposal.amends else None
    _close(draft, proposal, SIGNED, signed=proposal.signed)
    number = len(before.versions) + 1 if before else 1
    first = before is None
    from_at = content.from_at if first and content.from_at else max(content.from_at, draft.now)
    if first:
        taken = draft.get(AGREEMENTS, draft.circle, proposal.agreement)
        require(taken is None, "contracts.agreement_taken", "this agreement stands", got=proposal.agreement)
    bound = rebind(template_of(_text(draft, content.template)), content.params)
    waits = bound.template.document.waits
    objection = bound.wait(waits.objection) if waits.objection != "" else content.objection_seconds
    version = Version(
        circle=draft.circle,
        agreement=proposal.agreement,
        version=number,
        from_at=from_at,
        content=content,
        digest=proposal.digest,
        proposal=proposal.proposal,
        signed=proposal.signed,
        names=names_of(bound, dict(content.roles), dict(content.others), content.arbiter),
        objection_seconds=max(0, min(objection, WAIT_SECONDS_MAX)),
        one_sided=one_sided,
    )
    draft.put(VERSIONS, version)
    about = Agreement(
        circle=draft.circle,
        agreement=proposal.agreement,
        versions=(*(before.versions if before else ()), (number, from_at)),
        until_at=content.until_at,
        parties=tuple(sorted(party for _, party in content.roles)),
        one_sided=one_sided,
        awards_n=before.awards_n if before else 0,
        signed_at=draft.now,
    )
    draft.put(AGREEMENTS, about)
    row = circle_row(draft)
    if proposal.agreement not in row.agreements:
        draft.put(CIRCLE_ROWS, replace(row, agreements=tuple(sorted({*row.agreements, proposal.agreement}))))
    arm_period(draft, version, max(from_at, draft.now) if not first else from_at)
    look(draft)


def _text(draft: Draft, sha256: str) -> str:
    row = draft.get(TEMPLATES, sha256)
    assert row is not None, "a proposal's template was registered"
    return row.text


@circle_rule(EndProposal)
def end_proposal(draft: Draft, fact: EndProposal) -> None:
    """Refuses, in order: contracts.unknown_proposal, contracts.proposal_closed, contracts.not_a_role."""
    look(draft)
    found = _open(draft, said(fact.proposal, ""))
    party = party_behind(draft, draft.signer)
    concerned = party in {found.proposer, *(name for _, name in found.content.roles)}
    require(concerned, "contracts.not_a_role", "you have no role in this agreement", got=party)
    _close(draft, found, ENDED, reason=said(fact.reason, ""))


@circle_rule(EndAgreement)
def end_agreement(draft: Draft, fact: EndAgreement) -> None:
    """Refuses, in order: contracts.unknown_agreement, contracts.ended, contracts.not_a_role, contracts.ends_already."""
    look(draft)
    found = _in_force(draft, said(fact.agreement, ""))
    party = party_behind(draft, draft.signer)
    require(party in found.parties, "contracts.not_a_role", "you have no role in this agreement", got=party)
    version = draft.get(VERSIONS, draft.circle, found.agreement, found.versions[-1][0])
    assert version is not None, "an agreement has its versions"
    until = max(said(fact.at, 0), draft.now + version.content.notice_seconds)
    sooner = not found.until_at or until < found.until_at
    require(sooner, "contracts.ends_already", "it ends sooner already", got=until, expected=f"< {found.until_at}")
    draft.put(AGREEMENTS, replace(found, until_at=until, ended_by=party))


__all__ = ["amend", "counter", "digest_of", "end_agreement", "end_proposal", "propose", "said", "sign"]
