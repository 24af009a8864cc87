"""Local accounts: people, their memberships, invitations, passwords. Signing keys of parties are not here."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import msgspec
from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from hanse.web.access_log import AccessLog
from hanse.web.attempts import Attempts
from hanse.web.db import Clock, Db, digest, new_token, system_clock
from hanse.web.refusals import Refusal
from hanse.web.second_factor import SecondFactor
from hanse.web.sessions import Sessions
from hanse.web.tokens import ApiTokens, OneTimeLinks

PASSWORD_CHARS_MIN = 12
PASSWORD_CHARS_MAX = 200
INVITATION_SECONDS = 7 * 86_400


class User(msgspec.Struct, frozen=True):
    """A person with an account. `created_at`: seconds since 1970 UTC."""

    id: int
    email: str
    name: str
    has_password: bool
    has_second_factor: bool
    disabled: bool
    created_at: int


class Membership(msgspec.Struct, frozen=True):
    """What a user may do for a party. `approval_limit_minor`: minor units of the party's currency; None: no limit."""

    party: str
    role: str
    approval_limit_minor: int | None = None


class Invitation(msgspec.Struct, frozen=True):
    """An invitation that may still be accepted."""

    email: str
    name: str
    party: str
    role: str
    approval_limit_minor: int | None
    expires_at: int


def address_of(email: str) -> str:
    """An e-mail address as it is kept. Refuses: account.email.

    >>> address_of(" Anna@Example.ORG ")
    'anna@example.org'
    """
    address = email.strip().casefold()
    local, at, host = address.partition("@")
    if not local or not at or not host or "@" in host or len(address) > 254 or not address.isprintable():
        shown = address[:80]
        raise Refusal("account.email", "This is not an e-mail address.", got=shown, expected="name@example.com")
    return address


def check_password_form(password: str, email: str = "") -> None:
    """Refuses, in order: password.short (< 12 characters), password.long (> 200), password.guessable.

    Length, not composition: NIST SP 800-63B-4, section 3.1.1.2.
    """
    if len(password) < PASSWORD_CHARS_MIN:
        raise Refusal(
            "password.short",
            f"The password has {len(password)} characters; it needs at least {PASSWORD_CHARS_MIN}.",
            next="Choose a longer one; several words are easy to remember.",
        )
    if len(password) > PASSWORD_CHARS_MAX:
        raise Refusal("password.long", f"The password is longer than {PASSWORD_CHARS_MAX} characters.")
    folded = password.casefold()
    name = email.partition("@")[0].casefold()
    weak = len(set(folded)) < 5 or folded.startswith(("password", "123456789")) or "qwertyuiop" in folded
    if weak or (len(name) >= 4 and name in folded):
        raise Refusal("password.guessable", "The password is easy to guess.", next="Choose several unrelated words.")


class AccountStore:
    """The accounts file and everything in it.

    Args:
        path: the file, `accounts.db`; ":memory:" for tests.
        clock: seconds since 1970-01-01 UTC.
        hasher: argon2id; a cheaper one in tests.

    Attributes: `sessions`, `tokens`, `links`, `attempts`, `seen` (access log), `second_factor`.
    """

    def __init__(self, path: Path | str, clock: Clock = system_clock, hasher: PasswordHasher | None = None) -> None:
        self.db = Db(path, clock)
        self.clock = clock
        self._hasher = hasher or PasswordHasher()
        self.sessions = Sessions(self.db)
        self.tokens = ApiTokens(self.db)
        self.links = OneTimeLinks(self.db)
        self.attempts = Attempts(self.db)
        self.seen = AccessLog(self.db)
        self.second_factor = SecondFactor(self.db)

    def close(self) -> None:
        """Close the file."""
        self.db.close()

    @cached_property
    def _nobody(self) -> str:
        """A hash that no password has, so that unknown accounts take as long as known ones."""
        return self._hasher.hash(new_token())

    def add_user(self, email: str, name: str, password: str | None = None) -> int:
        """A new user; returns the id. Refuses, in order: account.email, account.exists, then as the password's form."""
        email = address_of(email)
        if self.db.row("SELECT 1 FROM user WHERE email = ?", (email,)):
            raise Refusal("account.exists", "There is an account with this e-mail address.", got=email, next="Sign in.")
        if password is not None:
            check_password_form(password, email)
        kept = self._hasher.hash(password) if password is not None else None
        return self.db.insert(
            "INSERT INTO user (email, name, password, created_at) VALUES (?, ?, ?, ?)",
            (email, name.strip() or email, kept, self.clock()),
        )

    def _user(self, where: str, value: object) -> User | None:
        row = self.db.row(f"SELECT * FROM user WHERE {where} = ?", (value,))
        if row is None:
            return None
        return User(
            id=row["id"],
            email=row["email"],
            name=row["name"],
            has_password=row["password"] is not None,
            has_second_factor=row["totp"] is not None,
            disabled=bool(row["disabled"]),
            created_at=row["created_at"],
        )

    def user(self, number: int) -> User | None:
        """A user by id."""
        return self._user("id", number)

    def user_by_email(self, email: str) -> User | None:
        """A user by e-mail address, letter case aside."""
        return self._user("email", email.strip().casefold())

    def users(self, party: str | None = None) -> list[User]:
        """All users, or the members of one party, by e-mail address."""
        sql = "SELECT id FROM user ORDER BY email"
        if party is not None:
            sql = "SELECT id FROM user JOIN membership ON user = id WHERE party = ? ORDER BY email"
        found = (self.user(row["id"]) for row in self.db.rows(sql, () if party is None else (party,)))
        return [user for user in found if user is not None]

    def set_name(self, user: int, name: str) -> None:
        """Change the name shown. Refuses: account.name (empty or over 80 characters)."""
        if not 1 <= len(name.strip()) <= 80:
            raise Refusal("account.name", "A name has 1 to 80 characters.", got=name)
        self.db.run("UPDATE user SET name = ? WHERE id = ?", (name.strip(), user))

    def set_password(self, user: int, password: str) -> None:
        """Set a password; the caller ends the other sessions. Refuses as the password's form."""
        found = self.user(user)
        check_password_form(password, found.email if found else "")
        self.db.run("UPDATE user SET password = ? WHERE id = ?", (self._hasher.hash(password), user))

    def disable(self, user: int) -> None:
        """Close an account: its sessions end, its tokens stop."""
        self.db.run("UPDATE user SET disabled = 1 WHERE id = ?", (user,))
        self.sessions.revoke_all(user)

    def password_is(self, user: int, password: str) -> bool:
        """True when this is the user's password (takes about as long when it is not)."""
        row = self.db.row("SELECT password FROM user WHERE id = ?", (user,))
        kept = row["password"] if row is not None and row["password"] else self._nobody
        try:
            self._hasher.verify(kept, password[: PASSWORD_CHARS_MAX + 1])
        except (Argon2Error, InvalidHashError):
            return False
        if self._hasher.check_needs_rehash(kept):
            self.db.run("UPDATE user SET password = ? WHERE id = ?", (self._hasher.hash(password), user))
        return True

    def sign_in(self, email: str, password: str, address: str) -> User:
        """The user whose e-mail address and password these are.

        Refuses, in order: signin.too_many (before any hashing), signin.wrong (one sentence for every cause).
        """
        email = email.strip().casefold()
        self.attempts.check(email, address)
        user = self.user_by_email(email)
        right = self.password_is(user.id if user else -1, password)
        if user is None or not right or user.disabled:
            self.attempts.failed(email, address)
            raise Refusal(
                "signin.wrong",
                "The e-mail address or the password is wrong.",
                status=401,
                next="Try again, or ask the person who invited you for a new invitation.",
            )
        if not user.has_second_factor:
            self.attempts.succeeded(email)
        return user

    def add_membership(self, user: int, party: str, role: str, approval_limit_minor: int | None = None) -> None:
        """Let a user act for a party; replaces what the user could do for it before."""
        self.db.run(
            "INSERT INTO membership VALUES (?, ?, ?, ?) ON CONFLICT (user, party) DO UPDATE"
            " SET role = excluded.role, approval_limit_minor = excluded.approval_limit_minor",
            (user, party, role, approval_limit_minor),
        )

    def remove_membership(self, user: int, party: str) -> None:
        """A user no longer acts for a party."""
        self.db.run("DELETE FROM membership WHERE user = ? AND party = ?", (user, party))

    def memberships(self, user: int) -> tuple[Membership, ...]:
        """What a user may do, by party id."""
        sql = "SELECT party, role, approval_limit_minor FROM membership WHERE user = ? ORDER BY party"
        return tuple(Membership(**dict(row)) for row in self.db.rows(sql, (user,)))

    def invite(
        self,
        email: str,
        party: str,
        role: str,
        *,
        name: str = "",
        approval_limit_minor: int | None = None,
        invited_by: int | None = None,
        seconds: int = INVITATION_SECONDS,
    ) -> str:
        """A new invitation; returns the raw token for `/invitation/{token}`, which is not kept.

        Refuses: account.email.
        """
        address, raw = address_of(email), new_token()
        self.db.insert(
            "INSERT INTO invitation (digest, email, name, party, role, approval_limit_minor, invited_by, expires_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (digest(raw), address, name, party, role, approval_limit_minor, invited_by,
             self.clock() + seconds),
        )  # fmt: skip
        return raw

    def invitation(self, raw: str) -> Invitation:
        """An invitation that may still be accepted. Refuses: invitation.invalid (unknown, used or expired)."""
        sql = "SELECT * FROM invitation WHERE digest = ? AND used_at IS NULL AND expires_at > ?"
        row = self.db.row(sql, (digest(raw), self.clock()))
        if row is None:
            raise Refusal(
                "invitation.invalid",
                "This invitation was used, has expired, or never existed.",
                status=404,
                next="Ask the person who invited you for a new one.",
            )
        return Invitation(**{name: row[name] for name in Invitation.__struct_fields__})

    def accept(self, raw: str, name: str, password: str) -> int:
        """Accept an invitation, once; returns the user's id. A person who has an account gives its password.

        Refuses, in order: invitation.invalid, signin.too_many, signin.wrong (existing account), password form.
        """
        invitation = self.invitation(raw)
        known = self.user_by_email(invitation.email)
        if known is not None and known.has_password:
            self.sign_in(invitation.email, password, address="")
        else:
            check_password_form(password, invitation.email)
        hashed = self._hasher.hash(password)
        with self.db.together():
            sql = "UPDATE invitation SET used_at = ? WHERE digest = ? AND used_at IS NULL"
            if self.db.run(sql, (self.clock(), digest(raw))) == 0:
                raise Refusal("invitation.invalid", "This invitation was used.", status=404)
            user = known.id if known else self.add_user(invitation.email, name or invitation.name)
            if known is None or not known.has_password:
                self.db.run("UPDATE user SET password = ? WHERE id = ?", (hashed, user))
            self.add_membership(user, invitation.party, invitation.role, invitation.approval_limit_minor)
        return user
