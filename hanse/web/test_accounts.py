"""The accounts file: passwords, invitations, second factor, sessions, tokens, links, limits, log."""

from __future__ import annotations

import sqlite3
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pyotp
import pytest
from argon2 import PasswordHasher

from hanse.web.accounts import AccountStore
from hanse.web.refusals import Refusal
from hanse.web.sessions import ABSOLUTE_SECONDS, HALF_SECONDS, IDLE_SECONDS

PASSWORD = "seven salted cod"
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


class Hands:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = 1_790_000_000

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Hands:
    return Hands()


@pytest.fixture
def store(clock: Hands) -> Iterator[AccountStore]:
    accounts = AccountStore(":memory:", clock, CHEAP)
    yield accounts
    accounts.close()


@pytest.fixture
def anna(store: AccountStore) -> int:
    return store.add_user("Anna@Example.org", "Anna", PASSWORD)


def code_of(refused: pytest.ExceptionInfo[Refusal]) -> str:
    return refused.value.code


def test_the_file_is_readable_by_its_owner_only_and_holds_no_password(tmp_path: Path) -> None:
    path = tmp_path / "accounts.db"
    accounts = AccountStore(path, hasher=CHEAP)
    number = accounts.add_user("a@example.org", "A", PASSWORD)
    raw = accounts.sessions.start(number, "p", complete=True)
    _, token = accounts.tokens.create(number, "p", "t", ("read",), 30)
    link = accounts.links.create("delivery", {}, 60)
    accounts.close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    kept = b"".join(p.read_bytes() for p in tmp_path.iterdir())
    assert b"$argon2id$" in kept
    assert not [secret for secret in (PASSWORD, raw, token, link) if secret.encode() in kept]


def test_the_default_hash_is_argon2id_within_the_rfc_9106_parameters() -> None:
    accounts = AccountStore(":memory:")
    kept = accounts._nobody
    accounts.close()
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$")


def test_sign_in_takes_the_right_password_in_any_letter_case_of_the_address(store: AccountStore, anna: int) -> None:
    assert store.sign_in(" ANNA@example.org ", PASSWORD, "1.2.3.4").id == anna


@pytest.mark.parametrize(
    ("email", "password"),
    [("anna@example.org", "wrong"), ("nobody@example.org", PASSWORD), ("anna@example.org", ""), ("", "")],
)
def test_sign_in_says_the_same_of_every_cause(store: AccountStore, anna: int, email: str, password: str) -> None:
    with pytest.raises(Refusal) as refused:
        store.sign_in(email, password, "1.2.3.4")
    assert (refused.value.code, refused.value.message, refused.value.got) == (
        "signin.wrong", "The e-mail address or the password is wrong.", None,
    )  # fmt: skip


def test_a_disabled_account_opens_no_more_and_its_tokens_stop(store: AccountStore, anna: int) -> None:
    raw = store.sessions.start(anna, "p", complete=True)
    _, token = store.tokens.create(anna, "p", "t", ("read",), 30)
    store.disable(anna)
    assert store.sessions.load(raw) is None
    with pytest.raises(Refusal, match=r"token\.unknown"):
        store.tokens.check(token)
    with pytest.raises(Refusal, match=r"signin\.wrong"):
        store.sign_in("anna@example.org", PASSWORD, "")


def test_eight_failures_lock_an_account_for_a_quarter_of_an_hour_even_with_the_right_password(
    store: AccountStore, anna: int, clock: Hands
) -> None:
    for n in range(8):
        with pytest.raises(Refusal, match=r"signin\.wrong"):
            store.sign_in("anna@example.org", "wrong", f"10.0.0.{n}")
    with pytest.raises(Refusal) as refused:
        store.sign_in("anna@example.org", PASSWORD, "10.0.1.1")
    assert code_of(refused) == "signin.too_many" and refused.value.retry == 900
    clock.now += 900
    assert store.sign_in("anna@example.org", PASSWORD, "10.0.1.1").id == anna


def test_thirty_failures_from_one_address_lock_the_address_for_every_account(store: AccountStore, anna: int) -> None:
    for n in range(30):
        with pytest.raises(Refusal, match=r"signin\.wrong"):
            store.sign_in(f"guess{n}@example.org", "wrong", "10.0.0.1")
    with pytest.raises(Refusal, match=r"signin\.too_many"):
        store.sign_in("anna@example.org", PASSWORD, "10.0.0.1")
    assert store.sign_in("anna@example.org", PASSWORD, "10.0.0.2").id == anna


def test_success_forgets_the_accounts_failures_but_not_the_addresses(store: AccountStore, anna: int) -> None:
    for _ in range(5):
        for _ in range(5):
            with pytest.raises(Refusal, match=r"signin\.wrong"):
                store.sign_in("anna@example.org", "wrong", "10.0.0.1")
        store.sign_in("anna@example.org", PASSWORD, "10.0.0.1")
    for n in range(5):
        with pytest.raises(Refusal, match=r"signin\.wrong"):
            store.sign_in(f"x{n}@example.org", "wrong", "10.0.0.1")
    with pytest.raises(Refusal, match=r"signin\.too_many"):
        store.sign_in("anna@example.org", PASSWORD, "10.0.0.1")


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("short", "password.short"),
        ("x" * 201, "password.long"),
        ("aaaaaaaaaaaaaaa", "password.guessable"),
        ("Password12345678", "password.guessable"),
        ("anna-loves-anna", "password.guessable"),
    ],
)
def test_a_weak_password_is_refused(store: AccountStore, anna: int, password: str, code: str) -> None:
    with pytest.raises(Refusal) as refused:
        store.set_password(anna, password)
    assert code_of(refused) == code
    assert store.password_is(anna, PASSWORD)


@pytest.mark.parametrize("email", ["", "anna", "@example.org", "anna@", "a@b@c"])
def test_what_is_no_address_opens_no_account(store: AccountStore, email: str) -> None:
    with pytest.raises(Refusal, match=r"account\.email"):
        store.add_user(email, "A", PASSWORD)


@pytest.mark.parametrize("wrong", ["bo", "@x.org", "bo@", "a@b@c", "x" * 250 + "@a.de", "bo\n@x.org"])
def test_an_invitation_goes_to_an_address(store, wrong):
    with pytest.raises(Refusal, match=r"account\.email"):
        store.invite(wrong, "p7", "buyer")


def test_an_invitation_works_once_and_gives_exactly_its_membership(store: AccountStore) -> None:
    raw = store.invite("bo@example.org", "p7", "buyer", name="Bo", approval_limit_minor=5_000)
    assert store.invitation(raw).role == "buyer"
    number = store.accept(raw, "Bo Lind", PASSWORD)
    (mine,) = store.memberships(number)
    assert (mine.party, mine.role, mine.approval_limit_minor) == ("p7", "buyer", 5_000)
    with pytest.raises(Refusal, match=r"invitation\.invalid"):
        store.accept(raw, "Eve", PASSWORD)


def test_an_invitation_expires(store: AccountStore, clock: Hands) -> None:
    raw = store.invite("bo@example.org", "p7", "buyer", seconds=60)
    clock.now += 60
    with pytest.raises(Refusal, match=r"invitation\.invalid"):
        store.invitation(raw)


def test_an_invitation_to_a_known_person_needs_that_persons_password_and_leaves_it(
    store: AccountStore, anna: int
) -> None:
    raw = store.invite("anna@example.org", "p2", "viewer")
    with pytest.raises(Refusal, match=r"signin\.wrong"):
        store.accept(raw, "Eve", "another password entirely")
    assert store.memberships(anna) == ()
    assert store.accept(raw, "Eve", PASSWORD) == anna
    assert store.password_is(anna, PASSWORD) and store.user(anna).name == "Anna"  # type: ignore[union-attr]


def test_a_session_ends_when_idle_when_old_and_when_revoked(store: AccountStore, anna: int, clock: Hands) -> None:
    raw = store.sessions.start(anna, "p", complete=True)
    clock.now += IDLE_SECONDS - 1
    assert store.sessions.load(raw) is not None
    clock.now += IDLE_SECONDS
    assert store.sessions.load(raw) is None
    raw = store.sessions.start(anna, "p", complete=True)
    for _ in range(ABSOLUTE_SECONDS // 3600 - 1):
        clock.now += 3600
        assert store.sessions.load(raw) is not None
    clock.now += 3600
    assert store.sessions.load(raw) is None
    raw = store.sessions.start(anna, "p", complete=True)
    assert store.sessions.revoke(store.sessions.load(raw).id, user=anna + 1) is False  # type: ignore[union-attr]
    assert store.sessions.revoke(store.sessions.load(raw).id, user=anna) is True  # type: ignore[union-attr]
    assert store.sessions.load(raw) is None


def test_a_half_session_lasts_five_minutes(store: AccountStore, anna: int, clock: Hands) -> None:
    raw = store.sessions.start(anna, "p", complete=False)
    clock.now += HALF_SECONDS - 1
    assert store.sessions.load(raw).complete is False  # type: ignore[union-attr]
    clock.now += 1
    assert store.sessions.load(raw) is None and store.sessions.rotate(raw) is None


def test_rotation_ends_the_old_id(store: AccountStore, anna: int) -> None:
    old = store.sessions.start(anna, "p", complete=False)
    new = store.sessions.rotate(old)
    assert new is not None and new != old
    assert store.sessions.load(old) is None and store.sessions.load(new).complete is True  # type: ignore[union-attr]
    assert len(store.sessions.of(anna)) == 1


def test_a_code_of_the_second_factor_works_once_and_within_half_a_minute(
    store: AccountStore, anna: int, clock: Hands
) -> None:
    secret, address = store.second_factor.begin(anna)
    assert address.startswith("otpauth://totp/Hanse:anna%40example.org?secret=")
    assert store.second_factor.begin(anna)[0] == secret
    totp = pyotp.TOTP(secret)
    codes = store.second_factor.confirm(anna, totp.at(clock.now))
    assert len(set(codes)) == 10 and store.user(anna).has_second_factor  # type: ignore[union-attr]
    with pytest.raises(Refusal, match=r"second_factor\.wrong"):
        store.second_factor.check(anna, totp.at(clock.now))
    clock.now += 30
    assert store.second_factor.check(anna, f" {totp.at(clock.now)[:3]} {totp.at(clock.now)[3:]} ") == "code"
    with pytest.raises(Refusal, match=r"second_factor\.wrong"):
        store.second_factor.check(anna, totp.at(clock.now - 30))
    late = totp.at(clock.now + 30)
    clock.now += 90
    with pytest.raises(Refusal, match=r"second_factor\.wrong"):
        store.second_factor.check(anna, late)


def test_a_recovery_code_works_once_written_any_way(store: AccountStore, anna: int, clock: Hands) -> None:
    secret, _ = store.second_factor.begin(anna)
    first, second, *_ = store.second_factor.confirm(anna, pyotp.TOTP(secret).at(clock.now))
    assert store.second_factor.check(anna, first.upper().replace("-", " ")) == "recovery"
    with pytest.raises(Refusal, match=r"second_factor\.wrong"):
        store.second_factor.check(anna, first)
    assert store.second_factor.recovery_left(anna) == 9
    store.second_factor.remove(anna)
    with pytest.raises(Refusal, match=r"second_factor\.wrong"):
        store.second_factor.check(anna, second)


def test_a_wrong_code_puts_no_second_factor_in_force(store: AccountStore, anna: int) -> None:
    with pytest.raises(Refusal, match=r"second_factor\.not_begun"):
        store.second_factor.confirm(anna, "000000")
    store.second_factor.begin(anna)
    for code in ("", "abc", "１２３４５６"):
        with pytest.raises(Refusal, match=r"second_factor\.wrong"):
            store.second_factor.confirm(anna, code)
    assert store.user(anna).has_second_factor is False  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("name", "scopes", "days", "code"),
    [
        ("", ("read",), 30, "token.name"),
        ("t", (), 30, "token.scopes"),
        ("t", ("read write",), 30, "token.scopes"),
        ("t", ("read",), 0, "token.days"),
        ("t", ("read",), 367, "token.days"),
    ],
)
def test_a_token_without_name_scope_or_end_is_refused(
    store: AccountStore, anna: int, name: str, scopes: tuple[str, ...], days: int, code: str
) -> None:
    with pytest.raises(Refusal) as refused:
        store.tokens.create(anna, "p", name, scopes, days)
    assert code_of(refused) == code and store.tokens.of(anna) == []


def test_a_token_acts_within_its_scopes_until_it_ends(store: AccountStore, anna: int, clock: Hands) -> None:
    number, raw = store.tokens.create(anna, "p7", "export", ("read",), 30)
    token = store.tokens.check(raw, "read")
    assert (token.party, token.user) == ("p7", anna) and store.tokens.of(anna)[0].used_at == clock.now
    with pytest.raises(Refusal, match=r"token\.scope"):
        store.tokens.check(raw, "write")
    assert store.tokens.revoke(number, anna + 1) is False
    clock.now += 30 * 86_400
    with pytest.raises(Refusal, match=r"token\.unknown"):
        store.tokens.check(raw)
    number, raw = store.tokens.create(anna, "p7", "export", ("read",), 30)
    assert store.tokens.revoke(number, anna) is True
    with pytest.raises(Refusal, match=r"token\.unknown"):
        store.tokens.check(raw)


def test_a_one_time_link_works_once_for_its_purpose_before_its_end(store: AccountStore, clock: Hands) -> None:
    raw = store.links.create("delivery", {"shipment": "S-1"}, 3600)
    with pytest.raises(Refusal, match=r"link\.unknown"):
        store.links.use(raw, "rating")
    assert store.links.peek(raw, "delivery") == store.links.peek(raw, "delivery") == {"shipment": "S-1"}
    assert store.links.use(raw, "delivery") == {"shipment": "S-1"}
    with pytest.raises(Refusal, match=r"link\.used"):
        store.links.use(raw, "delivery")
    raw = store.links.create("delivery", None, 3600)
    clock.now += 3600
    with pytest.raises(Refusal, match=r"link\.expired"):
        store.links.peek(raw, "delivery")


def test_the_log_of_who_saw_what_cannot_be_changed(store: AccountStore, anna: int, clock: Hands) -> None:
    for n in range(3):
        store.seen.note(f"invoice:{n}", user=anna, party="p1", address="1.2.3.4")
        clock.now += 1
    store.seen.note("delivery:1", user=None, party="p2")
    assert [line.what for line in store.seen.recent(party="p1", limit=2)] == ["invoice:2", "invoice:1"]
    last = store.seen.recent(party="p1", limit=2)[-1].id
    assert [line.what for line in store.seen.recent(party="p1", before=last)] == ["invoice:0"]
    assert [line.id for line in store.seen.recent(party="p1", limit=2, what="invoice:1")] == [last]
    assert store.seen.recent(party="p1", limit=2, what="invoice:0") == []
    for sql in ("UPDATE seen SET what = ''", "DELETE FROM seen"):
        with pytest.raises(sqlite3.DatabaseError, match="append only"):
            store.db.run(sql)
    assert len(store.seen.recent()) == 4


def test_who_asks_for_a_session_waits_for_no_writer(tmp_path: Path) -> None:
    store = AccountStore(tmp_path / "accounts.db")
    raw = store.sessions.start(store.add_user("a@example.com", "A"), "p1", complete=True)
    found: list[bool] = []

    def other() -> None:
        found.append(store.sessions.load(raw) is not None)
        found.append(store.db.row("SELECT 1 FROM user WHERE email = ?", ("b@example.com",)) is not None)

    with store.db.together():
        store.add_user("b@example.com", "B")
        thread = threading.Thread(target=other, daemon=True)
        thread.start()
        thread.join(10)
        assert found == [True, False], "it sees what stood before, and at once"
        assert store.user_by_email("b@example.com") is not None, "who writes sees what it wrote"
    other()
    assert found[2:] == [True, True]
    store.close()
