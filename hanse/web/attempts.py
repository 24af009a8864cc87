"""Limits on guessing: failed sign-ins per account and per address, kept in the accounts file."""

from __future__ import annotations

from hanse.web.db import Db
from hanse.web.refusals import Refusal

WINDOW_SECONDS = 900
ACCOUNT_MAX = 8
ADDRESS_MAX = 30


class Attempts:
    """Failed sign-ins in the last 15 minutes: at most 8 for an account, 30 from an address."""

    def __init__(self, db: Db) -> None:
        self._db = db

    def check(self, account: str, address: str) -> None:
        """Refuses, in order: signin.too_many (account), signin.too_many (address)."""
        since = self._db.clock() - WINDOW_SECONDS
        for column, value, most in (("account", account, ACCOUNT_MAX), ("address", address, ADDRESS_MAX)):
            sql = f"SELECT count(*) AS n, min(at) AS first FROM attempt WHERE {column} = ? AND at > ?"
            found = self._db.row(sql, (value, since))
            if found is not None and found["n"] >= most:
                wait = max(1, found["first"] + WINDOW_SECONDS - self._db.clock())
                raise Refusal(
                    "signin.too_many",
                    "Too many failed attempts to sign in.",
                    status=429,
                    expected=f"at most {most} failures in {WINDOW_SECONDS // 60} minutes",
                    next=f"Wait {-(-wait // 60)} minutes, then try again.",
                    retry=wait,
                )

    def failed(self, account: str, address: str) -> None:
        """Count one failure, and forget those of more than a day ago."""
        now = self._db.clock()
        self._db.run("INSERT INTO attempt (account, address, at) VALUES (?, ?, ?)", (account, address, now))
        self._db.run("DELETE FROM attempt WHERE at < ?", (now - 86_400,))

    def succeeded(self, account: str) -> None:
        """Forget the account's failures; the address keeps its own."""
        self._db.run("UPDATE attempt SET account = '' WHERE account = ?", (account,))
