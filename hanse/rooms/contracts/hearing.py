"""For later rooms: how they tell this circle's agreements what they know (an invoice settled, a credit issued)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec.structs import replace

from hanse.kernel.draft import Draft
from hanse.rooms.contracts.agreeing import is_one_sided
from hanse.rooms.contracts.clock import look
from hanse.rooms.contracts.happening import Happening
from hanse.rooms.contracts.private_rows import CIRCLE_ROWS, HAPPENED
from hanse.rooms.contracts.running import observe
from hanse.rooms.contracts.stored import keep


def hear(
    draft: Draft,
    event: str,
    id: str,
    *,
    parties: Iterable[str],
    keys: Mapping[str, str],
    fields: Mapping[str, Any],
    at: int = 0,
    agreement: str = "",
) -> None:
    """Tell the draft's circle's agreements of an event, once for each (event, id).

    Args:
        event: as templates name it, `invoice.settled`. parties: who signed for it, by the later room's own rules.
        keys: what it is about; `document` for invoices and credit notes, `order`, `line`, `item`, ... as known.
        fields: base values: amounts in minor units (`net`, `total`, `amount`), quantities in each, times in UTC
            seconds; `currency` where amounts have one. at: when it occurred, 0 now.
    Writes: HAPPENED, and what clauses make of it. Refuses: nothing; a second telling of the same is not heard.
    """
    if draft.get(CIRCLE_ROWS, draft.circle) is None or draft.get(HAPPENED, draft.circle, event, id) is not None:
        return
    look(draft)
    one_sided = is_one_sided(draft)
    happening = Happening(
        event=event,
        id=id,
        at=at or draft.now,
        ledger_at=draft.now,
        keys=dict(keys),
        fields=dict(fields),
        signers=tuple((party, draft.position) for party in sorted(set(parties))),
        agreement=agreement,
    )
    keep(draft, happening)
    observe(draft, replace(happening, one_sided=True, ledger_at=happening.at) if one_sided else happening)
    look(draft)
