"""Bank files: transfers out (pain.001), and statements in (camt.053), matched, looked at, then signed."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec
from anyio import to_thread
from litestar import Request, get, post
from litestar.datastructures import UploadFile

from hanse.kernel.refusal import Refused
from hanse.kernel.view import View
from hanse.node.desk import Desk
from hanse.rooms.accounts.facts import DAY, ReceivePayment
from hanse.rooms.accounts.page_bills import iban_of, last_iban
from hanse.rooms.accounts.page_document import attached
from hanse.rooms.accounts.page_payments import ANSWER_SECONDS, lists
from hanse.rooms.accounts.page_words import CRUMBS, apart, at_desk, item_link, key_of, name_of
from hanse.rooms.accounts.rows import ITEMS, PAYMENTS
from hanse.rooms.accounts.standards import Matched, match, transfers
from hanse.site.pages_forms import Accounts, Fields, Given, attempt, note_seen
from hanse.standards.iso20022 import BankEntry, BankStatement, read_statements, write_transfers
from hanse.standards.safe_xml import XmlRefused
from hanse.web import Badge, Money, Read, Reader, Refusal, page

FILE_BYTES_MAX = 5_000_000
SIGNED_MAX = 500
WHY = {
    "number": Badge("by the payment's number", "good"),
    "reference and amount": Badge("by invoice and amount", "good"),
    "reference": Badge("by invoice; other amount, goes on account", "warn"),
    "": Badge("nothing fits", "quiet"),
}


def xml_refusal(error: XmlRefused) -> Refusal:
    """Why a file is not read, as a form shows it."""
    return Refusal(error.code, f"The file is not read: {error.message}.", got=error.got or None)


@post("/accounts/payments/file", sync_to_thread=True, status_code=200)
def bank_file(request: Request[Any, Any, Any], session: Reader, read: Read, accounts: Accounts, data: Fields) -> Any:
    """The ticked payments as a file for the bank."""
    found, form = at_desk(read, session), Given(data)

    def act() -> Any:
        if not found.may("accounts.pay"):
            raise Refused("desk.not_permitted", "your role does not pay", next="ask an owner of your firm")
        keys = [apart(key) for key in form.many("id")]
        iban = iban_of(form)
        if not keys or not iban:
            raise Refused("form.nothing_chosen", "tick payments, and name your account")
        name = found.node.wallet.new_id("sepa")
        order = transfers(found.view, keys, iban=iban, message=name)
        if order is None:
            raise Refused(
                "accounts.no_transfer", "a file has announced payments of one currency whose invoices name an account",
                got=len(keys), next="untick the others",
            )  # fmt: skip
        try:
            written = write_transfers(order)
        except XmlRefused as error:
            raise xml_refusal(error) from None
        note_seen(accounts, session, f"export:{name}", request)
        return attached(written, f"{name}.xml", "application/xml")

    return attempt(
        act, lambda status, refusal: lists(request, found, "sent", status=status, refusal=refusal, given=data)
    )


@get("/accounts/bank", sync_to_thread=True)
def bank_page(session: Reader, read: Read) -> Any:
    """Where a bank statement is dropped."""
    return _bank(at_desk(read, session))


def _bank(found: Desk, *, status: int = 200, refusal: Any = None, **more: Any) -> Any:
    crumbs = (*CRUMBS, ("Payments", "/accounts/payments"))
    return page(
        "accounts/bank.html", title="Bank statement", crumbs=crumbs, status=status, refusal=refusal,
        may=found.may(ReceivePayment), iban=last_iban(found.view), **more,
    )  # fmt: skip


@post("/accounts/bank", status_code=200)
async def upload(request: Request[Any, Any, Any], session: Reader, read: Read) -> Any:
    """Read a statement and show what it would settle; nothing is signed yet."""
    form = await request.form()
    sent = form.get("file")
    data = await sent.read(FILE_BYTES_MAX + 1) if isinstance(sent, UploadFile) else b""
    return await to_thread.run_sync(_preview, at_desk(read, session), data)


def _preview(found: Desk, data: bytes) -> Any:
    def act() -> Any:
        if not data:
            raise Refusal("form.missing", "Choose the bank's file first.", expected="camt.053, XML")
        if len(data) > FILE_BYTES_MAX:
            raise Refusal("form.too_large", "The file is too large.", expected="at most 5 MB")
        try:
            statements = read_statements(data)
        except XmlRefused as error:
            raise xml_refusal(error) from None
        return _bank(found, statements=[_shown(found.view, one) for one in statements])

    return attempt(act, lambda status, refusal: _bank(found, status=status, refusal=refusal))


def matches(view: View, statement: BankStatement) -> list[Matched]:
    """What a statement would settle; a claim's number says nothing of the bank's own."""
    out = []
    for one in match(view, statement, answer_by=view.now + ANSWER_SECONDS):
        fact = one.fact
        if fact is not None and one.why != "number":
            digest = hashlib.sha256(f"{view.party} {fact.circle} {fact.payment}".encode()).hexdigest()
            fact = msgspec.structs.replace(fact, payment=f"bank-{digest[:20]}")
        out.append(Matched(one.entry, fact, one.why))
    return out


def stamp(fact: ReceivePayment) -> str:
    """What a reader has seen of a proposal: it is signed only if it comes out the same."""
    seen = [fact.circle, fact.payment, fact.amount_minor, [[a.item, a.amount_minor] for a in fact.allocations or ()]]
    return hashlib.sha256(msgspec.json.encode(seen)).hexdigest()[:16]


def _shown(view: View, statement: BankStatement) -> dict[str, Any]:
    rows = []
    for one in matches(view, statement):
        entry, fact = one.entry, one.fact
        rows.append({
            "money": Money(entry.amount_minor, entry.currency), "at": entry.booked_at, "partner": entry.partner,
            "text": entry.text, "why": WHY[one.why], "settles": _settles(view, fact),
            "ticked": one.why in ("number", "reference and amount"),
            "stamp": stamp(fact) if fact else "", "entry": msgspec.json.encode(entry).decode(),
        })  # fmt: skip
    out = [entry for entry in statement.entries if entry.amount_minor <= 0]
    return {
        "s": statement, "rows": rows, "matched": sum(1 for row in rows if row["stamp"]), "out": len(out),
        "out_sum": Money(-sum(entry.amount_minor for entry in out), statement.currency),
    }  # fmt: skip


def _settles(view: View, fact: ReceivePayment | None) -> str:
    """In words, what a proposal settles."""
    if fact is None:
        return ""
    row = view.get(PAYMENTS, fact.circle, fact.payment)
    names = [part.item for part in row.allocations] if row else [part.item for part in fact.allocations or ()]
    items = [view.get(ITEMS, fact.circle, name) for name in names]
    partner = name_of(view, row.payer if row else str(fact.payer))
    return f"{partner}: {', '.join(item_link(item).text for item in items if item) or 'on account'}"


@post("/accounts/bank/sign", sync_to_thread=True, status_code=200)
def sign(session: Reader, read: Read, data: Fields) -> Any:
    """Sign the ticked lines of a statement: each that still comes out as it was shown."""
    found, form = at_desk(read, session), Given(data)

    def act() -> Any:
        stamps = form.many("id")
        if not stamps:
            raise Refused("form.nothing_chosen", "tick the lines to sign")
        if len(stamps) > SIGNED_MAX:
            raise Refusal("form.range", "Too many lines at once.", got=len(stamps), expected=f"at most {SIGNED_MAX}")
        return _bank(found, done=[_sign(found, one, form.text(f"entry.{one}", most=8_000)) for one in stamps])

    return attempt(act, lambda status, refusal: _bank(found, status=status, refusal=refusal))


def _sign(found: Desk, seen: str, text: str) -> list[Any]:
    """Sign one line as it was shown; the row that says what became of it."""
    try:
        entry = msgspec.json.decode(text, type=BankEntry)
    except msgspec.MsgspecError:
        raise Refused("form.bad_value", "a line of the statement is damaged", next="read the file again") from None
    whole = BankStatement(
        number="", iban="", currency=entry.currency, opening_minor=None, closing_minor=None, entries=(entry,)
    )
    fact = next((one.fact for one in matches(found.view, whole)), None)
    money = Money(entry.amount_minor, entry.currency)
    if fact is None or stamp(fact) != seen:
        return [money, entry.text, Badge("changed meanwhile, not signed", "bad"), None]
    words = _settles(found.view, fact)
    try:
        receipt = found.do(fact)
    except Refused as refused:
        if refused.code == "desk.not_permitted":
            raise
        return [money, words, Badge(f"{refused.message} ({refused.code})", "bad"), None]
    return [money, words, Badge("signed", "good"), receipt.position]


PAGES: list[Any] = [bank_file, bank_page, upload, sign]
__all__ = ["DAY", "PAGES", "key_of", "xml_refusal"]
