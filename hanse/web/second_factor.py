"""The second factor: time-based one-time passwords (RFC 6238) and recovery codes."""

from __future__ import annotations

import secrets

import pyotp

from hanse.web.db import Db, digest
from hanse.web.refusals import Refusal

STEP_SECONDS = 30
RECOVERY_CODES = 10
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


def _plain(code: str) -> str:
    return "".join(code.split()).replace("-", "").casefold()


def _recovery_code() -> str:
    letters = "".join(secrets.choice(ALPHABET) for _ in range(15))
    return "-".join(letters[i : i + 5] for i in (0, 5, 10))


class SecondFactor:
    """Set up, confirm, check and remove a user's second factor."""

    def __init__(self, db: Db) -> None:
        self._db = db

    def begin(self, user: int, issuer: str = "Hanse") -> tuple[str, str]:
        """Start setting up: (secret in base32, otpauth:// address for the QR code). Not in force until confirmed.

        A set-up that was begun and not confirmed is gone on with, so that a reload shows the same code.
        """
        row = self._db.row("SELECT email, totp_pending FROM user WHERE id = ?", (user,))
        if row is None:
            raise Refusal("account.unknown", "There is no such account.", status=404)
        secret = row["totp_pending"] or pyotp.random_base32()
        self._db.run("UPDATE user SET totp_pending = ? WHERE id = ?", (secret, user))
        return secret, pyotp.TOTP(secret).provisioning_uri(name=row["email"], issuer_name=issuer)

    def confirm(self, user: int, code: str) -> list[str]:
        """Put the second factor in force; returns ten recovery codes, shown once.

        Refuses, in order: second_factor.not_begun, second_factor.wrong.
        """
        row = self._db.row("SELECT totp_pending FROM user WHERE id = ?", (user,))
        if row is None or row["totp_pending"] is None:
            raise Refusal("second_factor.not_begun", "Scan the code first.", next="Open Settings, Second factor.")
        step = self._step(row["totp_pending"], code, after=0)
        if step is None:
            raise self.wrong()
        codes = [_recovery_code() for _ in range(RECOVERY_CODES)]
        with self._db.together():
            self._db.run(
                "UPDATE user SET totp = totp_pending, totp_pending = NULL, totp_step = ? WHERE id = ?", (step, user)
            )
            self._db.run("DELETE FROM recovery WHERE user = ?", (user,))
            for one in codes:
                self._db.run("INSERT INTO recovery (digest, user) VALUES (?, ?)", (digest(_plain(one)), user))
        return codes

    def check(self, user: int, code: str) -> str:
        """Check a code: "code" or "recovery", whichever it was; neither works twice. Refuses: second_factor.wrong."""
        row = self._db.row("SELECT totp, totp_step FROM user WHERE id = ?", (user,))
        if row is None or row["totp"] is None:
            raise self.wrong()
        step = self._step(row["totp"], code, after=row["totp_step"])
        if step is not None:
            sql = "UPDATE user SET totp_step = ? WHERE id = ? AND totp_step < ?"
            if self._db.run(sql, (step, user, step)):
                return "code"
        sql = "UPDATE recovery SET used_at = ? WHERE digest = ? AND user = ? AND used_at IS NULL"
        if self._db.run(sql, (self._db.clock(), digest(_plain(code)), user)):
            return "recovery"
        raise self.wrong()

    def recovery_left(self, user: int) -> int:
        """How many recovery codes were not used yet, 0..10."""
        row = self._db.row("SELECT count(*) AS n FROM recovery WHERE user = ? AND used_at IS NULL", (user,))
        return int(row["n"]) if row else 0

    def remove(self, user: int) -> None:
        """Take the second factor away (the caller has checked the password)."""
        with self._db.together():
            self._db.run("UPDATE user SET totp = NULL, totp_pending = NULL, totp_step = 0 WHERE id = ?", (user,))
            self._db.run("DELETE FROM recovery WHERE user = ?", (user,))

    def _step(self, secret: str, code: str, after: int) -> int | None:
        """The 30-second step (one earlier or later allowed) that a code belongs to, if later than `after`."""
        totp, now = pyotp.TOTP(secret), self._db.clock() // STEP_SECONDS
        given = _plain(code)
        for step in (now, now - 1, now + 1):
            if step > after and secrets.compare_digest(totp.generate_otp(step).encode(), given.encode()):
                return step
        return None

    @staticmethod
    def wrong() -> Refusal:
        """The one refusal for a code that does not fit."""
        return Refusal(
            "second_factor.wrong",
            "The code is wrong, expired or used.",
            status=401,
            next="Wait for the next code in your app, or use a recovery code.",
        )
