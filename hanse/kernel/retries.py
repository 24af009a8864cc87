"""Retries: where each (key, nonce) stands, so that the same fact never takes effect twice; refusals by key and hour."""

from __future__ import annotations

from hanse.kernel.draft import Draft
from hanse.kernel.facts import Signed
from hanse.kernel.kept import REFUSALS, SEEN, Refusals, Seen
from hanse.kernel.state import State

REFUSALS_PER_HOUR_MAX = 2_000


class Retries:
    """The retry index of a state."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._highest: dict[str, int] = {}

    def forget(self) -> None:
        """A block was taken back, or this is the first; nothing is under way to the database."""
        self._highest.clear()

    def seen(self, kid: str, nonce: int) -> Seen | None:
        """What stands under a nonce. A nonce above the highest known of its key is new; no table is asked."""
        highest = self._highest.get(kid)
        if highest is None:
            sql = f"SELECT MAX(nonce) FROM {SEEN.name} WHERE kid = ?"
            found = self._state.conn.execute(sql, (kid,)).fetchone()[0]
            highest = self._highest[kid] = -1 if found is None else found
        return None if nonce > highest else self._state.get(SEEN, (kid, nonce))

    def keep(self, signed: Signed, position: int, code: str) -> None:
        """Note where a fact stands, behind `seen` of the same."""
        envelope = signed.envelope
        kid, nonce = envelope.kid, envelope.nonce
        row = Seen(kid=kid, nonce=nonce, exp=envelope.exp, hash=signed.hash, code=code, position=position)
        self._state.written(SEEN, (kid, nonce), row)
        self._highest[kid] = max(self._highest[kid], nonce)

    def sweep(self, swept_day: int, now: int, position: int) -> int:
        """Once a ledger day, forget nonces whose facts have expired; the day of the last sweep."""
        today = now // 86_400
        if today > swept_day:
            draft = Draft(self._state, now=now, position=position)
            for key in self._state.below(SEEN, "exp", now):
                draft.delete(SEEN, *key)
        return today

    def count_refusal(self, kid: str, position: int, now: int) -> None:
        hour, had = now // 3600, self._state.get(REFUSALS, (kid,))
        count = had.count + 1 if had and had.hour == hour else 1
        self._state.written(REFUSALS, (kid,), Refusals(kid=kid, hour=hour, count=count, position=position))

    def refusals_left(self, kid: str, now: int) -> int:
        """How many refusals a key may still cause in this ledger hour."""
        had = self._state.get(REFUSALS, (kid,))
        return REFUSALS_PER_HOUR_MAX - (had.count if had and had.hour == now // 3600 else 0)
