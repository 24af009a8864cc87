"""Invitations, second factor, password, tokens over HTTP."""

from __future__ import annotations

import re

import pyotp

from hanse.web.accounts import Membership
from hanse.web.conftest import EVIL, PASSWORD, Visitor


def test_an_invitation_opens_an_account_signed_in(visitor: Visitor) -> None:
    raw = visitor.site.accounts.invite("bo@example.org", "p9", "buyer", name=EVIL, approval_limit_minor=70)
    path = f"/invitation/{raw}"
    shown = visitor.get(path)
    assert shown.status_code == 200 and EVIL not in shown.text
    form = {"name": "Bo", "password": PASSWORD, "repeat": "another"}
    assert "password.repeat" in visitor.post(path, form, visitor.token(path)).text
    assert visitor.post(path, {**form, "repeat": PASSWORD}, visitor.token(path)).headers["location"] == "/"
    bo = visitor.site.accounts.user_by_email("bo@example.org")
    assert bo is not None and visitor.site.accounts.memberships(bo.id) == (Membership("p9", "buyer", 70),)
    assert visitor.get("/things").status_code == 200
    assert visitor.get(path).status_code == 404


def test_with_a_second_factor_the_password_alone_opens_nothing(anna: Visitor) -> None:
    shown = anna.get("/settings/second-factor").text
    secret = re.search(r"<code class=\"wrap\">([A-Z2-7]+)</code>", shown)
    assert secret is not None and "<svg" in shown
    totp = pyotp.TOTP(secret.group(1))
    assert "second_factor.wrong" in anna.post("/settings/second-factor", {"code": "1"}).text
    codes = re.findall(
        r"<li><code>([a-z2-9-]+)</code>", anna.post("/settings/second-factor", {"code": totp.now()}).text
    )
    assert len(codes) == 10 and codes[0] not in anna.get("/settings").text
    anna.post("/sign-out")
    assert anna.sign_in("/things").headers["location"] == "/second-factor?next=%2Fthings"
    assert anna.get("/things").status_code == 303
    half = anna.client.cookies["__Host-hanse"]
    wrong = anna.post("/second-factor", {"code": "000000"}, anna.token("/second-factor"))
    assert wrong.status_code == 401 and anna.get("/things").status_code == 303
    right = anna.post("/second-factor", {"code": codes[0], "next": "/things"}, anna.token("/second-factor"))
    assert right.headers["location"] == "/things" and anna.get("/things").status_code == 200
    assert anna.site.accounts.sessions.load(half) is None


def test_guessing_codes_is_limited(anna: Visitor) -> None:
    accounts = anna.site.accounts
    user = accounts.user_by_email("anna@example.org")
    assert user is not None
    secret, _ = accounts.second_factor.begin(user.id)
    accounts.second_factor.confirm(user.id, pyotp.TOTP(secret).now())
    anna.post("/sign-out")
    anna.sign_in()
    codes = [anna.post("/second-factor", {"code": "x"}, anna.token("/second-factor")).status_code for _ in range(9)]
    assert codes == [401] * 8 + [429]


def test_a_new_password_ends_the_other_sessions_and_renews_this_one(anna: Visitor) -> None:
    other = anna.site.accounts.sessions.start(1, "p1", complete=True)
    old = anna.client.cookies["__Host-hanse"]
    form = {"present": "wrong", "password": "nine pickled eels", "repeat": "nine pickled eels"}
    assert "password.wrong" in anna.post("/settings/password", form).text
    assert anna.post("/settings/password", {**form, "present": PASSWORD}).status_code == 303
    assert [anna.site.accounts.sessions.load(raw) for raw in (old, other)] == [None, None]
    assert anna.get("/things").status_code == 200 and anna.site.accounts.password_is(1, "nine pickled eels")


def test_a_token_is_shown_once_and_can_be_revoked(anna: Visitor) -> None:
    shown = anna.post("/settings/tokens", {"name": "export", "scope": ["read", "root"], "days": "30"}).text
    found = re.search(r"hanse_[\w-]{43}", shown)
    assert found is not None and found.group() not in anna.get("/settings").text
    token = anna.site.accounts.tokens.check(found.group())
    assert (token.scopes, token.party) == (("read",), "p1")
    assert anna.post(f"/settings/tokens/{token.id}/revoke").status_code == 303
    assert "token.scopes" in anna.post("/settings/tokens", {"name": "x", "days": "30"}).text


def test_nobody_ends_another_persons_session_or_token(anna: Visitor) -> None:
    accounts = anna.site.accounts
    other = accounts.add_user("eve@example.org", "Eve", PASSWORD)
    raw = accounts.sessions.start(other, "p1", complete=True)
    number, token = accounts.tokens.create(other, "p1", "t", ("read",), 30)
    theirs = accounts.sessions.load(raw)
    assert theirs is not None
    assert "session.unknown" in anna.post(f"/settings/sessions/{theirs.id}/end").text
    assert "token.unknown" in anna.post(f"/settings/tokens/{number}/revoke").text
    assert accounts.sessions.load(raw) is not None and accounts.tokens.check(token).id == number
