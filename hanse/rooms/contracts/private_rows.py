"""What a circle alone knows: proposals, agreements by version, events, folds, results, disputes, waits."""

from __future__ import annotations

from msgspec import Struct

from hanse.kernel.rows import Row
from hanse.kernel.tables import Table

OPEN, SIGNED, COUNTERED, LAPSED, ENDED = "open", "signed", "countered", "lapsed", "ended"
"""Of a proposal. `ended`: withdrawn or declined."""
PENDING, STANDING, DISPUTED, VOID, UNPROVEN = "pending", "standing", "disputed", "void", "unproven"
"""Of an award. `unproven`: one side alone signed everything; it counts in that firm's own reports only."""
ARMED, DONE, WAITING, EXCUSED, FAILED = "armed", "done", "waiting", "excused", "failed"
"""Of a clause's run. armed: a timer waits. waiting: a fact or a signature is missing. excused: the timer's `unless`
came first. failed: the clause cannot be computed, `code` says why."""


class Content(Struct, frozen=True, kw_only=True):
    """The terms that parties sign; its canonical JSON is what `digest` names. Fields as in `facts.Propose`.

    params: JSON of the parameters in base units, canonical. roles, others: pairs, sorted.
    """

    agreement: str
    template: str
    params: str
    roles: tuple[tuple[str, str], ...]
    others: tuple[tuple[str, str], ...]
    arbiter: str
    scope: tuple[str, ...]
    from_at: int
    until_at: int
    objection_seconds: int
    dispute_seconds: int
    notice_seconds: int
    undecided: str
    note: str


class Proposal(Row, frozen=True, kw_only=True):
    """signed: (party, entry) in order. amends: a later version of an agreement in force. counters: or ""."""

    circle: str
    proposal: str
    agreement: str
    state: str
    proposer: str
    answer_by: int
    content: Content
    digest: str
    signed: tuple[tuple[str, int], ...]
    amends: bool
    counters: str
    reason: str = ""
    at: int


class Agreement(Row, frozen=True, kw_only=True):
    """An agreement. versions: (version, from_at), rising. until_at: 0 open. awards_n: how many results it gave.

    ended_by: party, or "" where it ran out.
    """

    circle: str
    agreement: str
    versions: tuple[tuple[int, int], ...]
    until_at: int
    parties: tuple[str, ...]
    one_sided: bool
    awards_n: int = 0
    ended_by: str = ""
    signed_at: int


class Version(Row, frozen=True, kw_only=True):
    """One version of an agreement, as signed. names: every name under `attest` -> who stands behind it."""

    circle: str
    agreement: str
    version: int
    from_at: int
    content: Content
    digest: str
    proposal: str
    signed: tuple[tuple[str, int], ...]
    names: dict[str, str]
    objection_seconds: int
    one_sided: bool


class CircleRow(Row, frozen=True, kw_only=True):
    """What a circle's rules ask first. agreements: all that came into force. next_at: the earliest wait, UTC seconds, 0
    none. told: names of events that stand in `HAPPENED`. waiting: "agreement/clause" that ever waited for a fact."""

    circle: str
    agreements: tuple[str, ...] = ()
    next_at: int = 0
    told: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()


class Bound(Row, frozen=True, kw_only=True):
    """An order's versions: (agreement, version) in force when it was placed. Entries: of its order and confirmation."""

    circle: str
    order_id: str
    versions: tuple[tuple[str, int], ...]
    placed_entry: int
    accepted_entry: int = 0


class Happened(Row, frozen=True, kw_only=True):
    """An attested or told event. agreement: "" for all. signers: (party, entry). counted: agreements whose folds have
    it. ledger_at: when it first stood on the record. subject: what it is looked up by. fields: JSON."""

    circle: str
    event: str
    id: str
    subject: str
    agreement: str
    at: int
    ledger_at: int
    keys: dict[str, str]
    fields: str
    signers: tuple[tuple[str, int], ...]
    counted: tuple[str, ...] = ()


class Fold(Row, frozen=True, kw_only=True):
    """A fold's state per (agreement, period): name -> base value. period: "" where the agreement has none."""

    circle: str
    agreement: str
    period: str
    figures: dict[str, int]
    events_n: int
    closed: bool = False


class FoldStep(Row, frozen=True, kw_only=True):
    """The state after one event; so a sum opens its entries."""

    circle: str
    agreement: str
    period: str
    n: int
    entry: int
    event: str
    id: str
    figures: dict[str, int]


class Result(Row, frozen=True, kw_only=True):
    """A clause's run for one key: the idempotency key. record: the explanation's canonical JSON, "" where nothing
    followed. actions: (kind, value as text, label, to). due_at: of an armed timer. context: how to find its facts."""

    circle: str
    agreement: str
    clause: str
    key: str
    version: int
    state: str
    at: int
    due_at: int = 0
    code: str = ""
    sha256: str = ""
    record: str = ""
    actions: tuple[tuple[str, str, str, str], ...] = ()
    awards: tuple[str, ...] = ()
    context: str = ""


class Award(Row, frozen=True, kw_only=True):
    """A result in money. amount_minor: as it stands now; posted_minor: as the clause gave it, both minor units.

    sender, receiver: parties (in words where one-sided). objection_until: UTC seconds. evidence: entries.
    confirmed: parties. sha256: of the record in `Result`.
    """

    circle: str
    award: str
    agreement: str
    version: int
    clause: str
    key: str
    kind: str
    sender: str
    receiver: str
    amount_minor: int
    posted_minor: int
    currency: str
    label: str
    due_at: int
    state: str
    sha256: str
    posted_at: int
    objection_until: int
    settled_at: int = 0
    dispute: str = ""
    confirmed: tuple[str, ...] = ()
    evidence: tuple[int, ...] = ()


class DisputeRow(Row, frozen=True, kw_only=True):
    """State: open, answered, decided, accepted, withdrawn, unanswered, undecided. deadline_at: of the next wait.

    evidence: (entry, party). answer, decision: in words. decided_minor: -1 before.
    """

    circle: str
    dispute: str
    award: str
    opened_by: str
    against: str
    liable: str
    wanted_minor: int
    reason: str
    evidence: tuple[tuple[int, str], ...]
    state: str
    opened_at: int
    deadline_at: int
    answer: str = ""
    decision: str = ""
    decided_by: str = ""
    decided_minor: int = -1
    ended_at: int = 0


class Wait(Row, frozen=True, kw_only=True):
    """What ends by itself at `due`. what: objection, proposal, timer, period, answer, decision or tell."""

    circle: str
    due: int
    id: str
    what: str
    args: tuple[str, ...]


PROPOSALS = Table("contracts_proposal", Proposal, ("circle", "proposal"), index=[("circle", "agreement")], circle=True)
AGREEMENTS = Table("contracts_agreement", Agreement, ("circle", "agreement"), circle=True)
VERSIONS = Table("contracts_version", Version, ("circle", "agreement", "version"), circle=True)
CIRCLE_ROWS = Table("contracts_circle", CircleRow, ("circle",), circle=True)
BOUND = Table("contracts_bound", Bound, ("circle", "order_id"), circle=True)
HAPPENED = Table(
    "contracts_happened", Happened, ("circle", "event", "id"), index=[("circle", "event", "subject")], circle=True
)
FOLDS = Table("contracts_fold", Fold, ("circle", "agreement", "period"), circle=True)
FOLD_STEPS = Table("contracts_fold_step", FoldStep, ("circle", "agreement", "period", "n"), circle=True)
RESULTS = Table(
    "contracts_result",
    Result,
    ("circle", "agreement", "clause", "key"),
    index=[("circle", "agreement", "clause", "state")],
    circle=True,
)
AWARDS = Table(
    "contracts_award", Award, ("circle", "award"), index=[("circle", "state"), ("circle", "agreement")], circle=True
)
DISPUTES = Table("contracts_dispute", DisputeRow, ("circle", "dispute"), index=[("circle", "state")], circle=True)
WAITS = Table("contracts_wait", Wait, ("circle", "due", "id"), circle=True)
