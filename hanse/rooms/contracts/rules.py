"""What everybody sees of contracts: templates registered, circles that keep a clock, digests published."""

from __future__ import annotations

from msgspec.structs import replace

from hanse.kernel.draft import Draft
from hanse.kernel.refusal import require
from hanse.kernel.rules import rule
from hanse.rooms.contracts.clock import start
from hanse.rooms.contracts.compiled import refused_of, template_of
from hanse.rooms.contracts.facts import (
    Amend,
    AnswerDispute,
    Attest,
    ConfirmResult,
    CounterPropose,
    Decide,
    Dispute,
    EndAgreement,
    EndProposal,
    Propose,
    RegisterTemplate,
    SignProposal,
    WithdrawDispute,
)
from hanse.rooms.contracts.rows import PUBLISHED, TEMPLATES, PublishedRow, TemplateRow
from hanse.rooms.contracts.terms import TermsRefused
from hanse.rooms.parties.facts import CIRCLES
from hanse.rooms.parties.rules import require_member, require_party


@rule(RegisterTemplate)
def register_template(draft: Draft, fact: RegisterTemplate) -> None:
    """Register a template under its hash, once.

    Refuses, in order: parties.unknown_party, contracts.template_stands, terms.* (all that `compile_template` refuses:
        its examples must come out), contracts.hash_differs.
    """
    require_party(draft)
    stands = draft.get(TEMPLATES, fact.sha256)
    require(stands is None, "contracts.template_stands", "this template is registered", next="propose under it")
    try:
        template = template_of(fact.text)
    except TermsRefused as refused:
        raise refused_of(refused) from None
    own = template.sha256
    require(own == fact.sha256, "contracts.hash_differs", "this is not the text of that hash", got=own)
    row = TemplateRow(
        sha256=own,
        name=template.name,
        version=template.version,
        title=template.document.title,
        publisher=draft.signer,
        registered_at=draft.now,
        text=template.canonical.decode(),
    )
    draft.put(TEMPLATES, row)


@rule(Propose)
@rule(CounterPropose)
@rule(Amend)
@rule(SignProposal)
@rule(EndProposal)
@rule(EndAgreement)
@rule(Attest)
@rule(Dispute)
@rule(AnswerDispute)
@rule(WithdrawDispute)
def in_circle(draft: Draft, fact: Propose) -> None:
    """Refuses, in order: parties.unknown_circle, parties.not_in_circle."""
    require_member(draft, fact.circle)
    start(draft, fact.circle)


@rule(Decide)
def decide(draft: Draft, fact: Decide) -> None:
    """An arbiter may stand outside the circle. Refuses, in order: parties.unknown_circle, parties.unknown_party."""
    circle = draft.get(CIRCLES, fact.circle)
    require(circle, "parties.unknown_circle", "no such circle", got=fact.circle)
    if circle is not None and draft.signer not in circle.members:
        require_party(draft)
    start(draft, fact.circle)


@rule(ConfirmResult)
def publish(draft: Draft, fact: ConfirmResult) -> None:
    """Put a party's alias to digests of results. Refuses, in order: parties.unknown_circle, parties.not_in_circle,
    contracts.elsewhere (the digest was published from another circle)."""
    require_member(draft, fact.circle)
    for sha256 in fact.publish:
        row = draft.get(PUBLISHED, sha256) or PublishedRow(sha256=sha256, circle=fact.circle, aliases=())
        require(row.circle == fact.circle, "contracts.elsewhere", "another circle published this digest", got=sha256)
        draft.put(PUBLISHED, replace(row, aliases=tuple(sorted({*row.aliases, draft.signer}))))
    start(draft, fact.circle)
