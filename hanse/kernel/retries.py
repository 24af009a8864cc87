"""Retries: where each (key, nonce) stands, so that the same fact never takes effect twice; refusals by key and hour."""

from __future__ import annotations

from hanse.kernel.draft import Draft
from hanse.kernel.facts import Signed
from hanse.kernel.kept import REFUSALS, SEEN, Refusals, Seen
from hanse.kernel.rows import Key
from hanse.kernel.state import State

REFUSALS_PER_HOUR_MAX = 2_000
EXPIRING_MAX = 300_000
"""Nonces of which memory keeps, for the sweep, when they expire."""
_DAY = 86_400


class Retries:
    """The retry index of a state."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._highest: dict[str, int] = {}
        self._expiring: dict[int, list[Key]] | None = None  # day -> of all that stand; None: the state is asked
        self._count = 0

    def forget(self, size: int) -> None:
        """A block was taken back, or this is the first; nothing is under way to the database.

        Args:
            size: entries that the state has applied.
        """
        self._highest.clear()
        self._expiring, self._count = None if size else {}, 0

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
        key = kid, nonce
        row = Seen(kid=kid, nonce=nonce, exp=envelope.exp, hash=signed.hash, code=code, position=position)
        self._state.written(SEEN, key, row)
        if self._expiring is not None:
            self._expiring.setdefault(envelope.exp // _DAY, []).append(key)
            self._count += 1
            if self._count > EXPIRING_MAX:
                self._expiring = None
        self._highest[kid] = max(self._highest[kid], nonce)

    def sweep(self, swept_day: int, now: int, position: int) -> int:
        """Once a ledger day, forget nonces whose facts have expired; the day of the last sweep."""
        today = now // _DAY
        if today > swept_day:
            draft = Draft(self._state, now=now, position=position)
            for key in self._expired(now):
                draft.delete(SEEN, *key)
        return today

    def _expired(self, now: int) -> list[Key]:
        """What expired before `now`, in order; memory has none of it any more."""
        days = self._expiring
        if days is None:
            return self._state.below(SEEN, "exp", now)
        today, found = now // _DAY, list[Key]()
        for day in [day for day in days if day < today]:
            found += days.pop(day)
        if left := days.pop(today, []):
            days[today] = []
            for key in left:
                row = self._state.get(SEEN, key)
                (found if row is not None and row.exp < now else days[today]).append(key)
        self._count -= len(found)
        return sorted(found)

    def count_refusal(self, kid: str, position: int, now: int) -> None:
        hour, had = now // 3600, self._state.get(REFUSALS, (kid,))
        count = had.count + 1 if had and had.hour == hour else 1
        self._state.written(REFUSALS, (kid,), Refusals(kid=kid, hour=hour, count=count, position=position))

    def refusals_left(self, kid: str, now: int) -> int:
        """How many refusals a key may still cause in this ledger hour."""
        had = self._state.get(REFUSALS, (kid,))
        return REFUSALS_PER_HOUR_MAX - (had.count if had and had.hour == now // 3600 else 0)
