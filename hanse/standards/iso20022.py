"""ISO 20022 bank files: credit transfers out (pain.001.001.09), statements in (camt.053, versions 02 to 13).

Sources: ISO 20022 message definitions CustomerCreditTransferInitiationV09 and BankToCustomerStatement; ISO 13616 (IBAN,
check digits by ISO 7064 mod 97-10); the EPC's character set for SEPA (EPC217-08).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from lxml import etree
from msgspec import Struct

from hanse.standards.safe_xml import (
    XmlRefused,
    day_seconds,
    day_text,
    decimal_text,
    digits_of,
    minor_units,
    need,
    parse,
    text_at,
)

PAIN = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"
_CAMT = re.compile(r"\{(urn:iso:std:iso:20022:tech:xsd:camt\.053\.001\.(0[2-9]|1[0-3]))\}Document")
_ALLOWED = re.compile(r"[^A-Za-z0-9/\-?:().,'+ ]")
_IBAN = re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}")
_SPECIAL = {"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ß": "ss", "ø": "o", "Ø": "O", "&": "+"}
ENTRIES_MAX = 100_000


class Transfer(Struct, frozen=True, kw_only=True):
    """One credit transfer. end_to_end: comes back on the payee's statement, at most 35 characters."""

    end_to_end: str
    amount_minor: int
    payee: str
    iban: str
    bic: str = ""
    text: str = ""


class Instruction(Struct, frozen=True, kw_only=True):
    """Transfers of one payer's account on one day."""

    message: str
    created_at: int
    execute_at: int
    currency: str
    payer: str
    iban: str
    bic: str = ""
    transfers: tuple[Transfer, ...]


class BankEntry(Struct, frozen=True, kw_only=True):
    """A booked movement, or one transaction of a collected one. amount_minor: positive comes in, negative goes out.

    end_to_end: the payer's own number. partner, iban: of the other side. reversal: it takes an earlier one back.
    """

    amount_minor: int
    currency: str
    booked_at: int
    value_at: int
    end_to_end: str = ""
    partner: str = ""
    iban: str = ""
    text: str = ""
    bank_reference: str = ""
    reversal: bool = False


class BankStatement(Struct, frozen=True, kw_only=True):
    """opening, closing: booked balances in minor units, None where the bank states none."""

    number: str
    iban: str
    currency: str
    opening_minor: int | None
    closing_minor: int | None
    entries: tuple[BankEntry, ...]


def iban_ok(iban: str) -> bool:
    """Whether an IBAN's form and check digits hold (ISO 7064 mod 97-10).

    >>> iban_ok("GB82WEST12345698765432"), iban_ok("GB82WEST12345698765433")
    (True, False)
    """
    if not _IBAN.fullmatch(iban):
        return False
    return int("".join(str(int(c, 36)) for c in iban[4:] + iban[:4])) % 97 == 1


def plain(text: str, length: int) -> str:
    """Text in the characters that every bank takes, cut to a length.

    >>> plain("Müller & Söhne GmbH", 20)
    'Mueller + Soehne Gmb'
    """
    spelled = "".join(_SPECIAL.get(c, c) for c in text)
    bare = "".join(c for c in unicodedata.normalize("NFKD", spelled) if not unicodedata.combining(c))
    return _ALLOWED.sub(" ", bare)[:length].strip()


def write_transfers(order: Instruction) -> bytes:
    """The instruction as pain.001.001.09.

    Refuses, in order: xml.missing (no transfer), xml.bad_number (amounts not above zero), xml.unsupported (IBANs, or a
        number that is empty, too long, or stands twice).
    """
    if not order.transfers:
        raise XmlRefused("xml.missing", "there is nothing to pay")
    if any(part.amount_minor <= 0 for part in order.transfers):
        raise XmlRefused("xml.bad_number", "each transfer pays more than nothing")
    for iban in (order.iban, *(part.iban for part in order.transfers)):
        if not iban_ok(iban):
            raise XmlRefused("xml.unsupported", "this is no IBAN", iban)
    names = [order.message, *(part.end_to_end for part in order.transfers)]
    if len(set(names[1:])) != len(names) - 1 or any(not 0 < len(n) <= 35 or plain(n, 35) != n for n in names):
        raise XmlRefused("xml.unsupported", "numbers are unique, 1 to 35 plain characters")
    digits = digits_of(order.currency)
    total = decimal_text(sum(part.amount_minor for part in order.transfers), digits)
    root = etree.Element(f"{{{PAIN}}}Document", nsmap={None: PAIN})
    top = _add(root, "CstmrCdtTrfInitn")
    head = _add(top, "GrpHdr")
    _add(head, "MsgId", order.message)
    _add(head, "CreDtTm", datetime.fromtimestamp(order.created_at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
    _add(head, "NbOfTxs", str(len(order.transfers)))
    _add(head, "CtrlSum", total)
    _add(_add(head, "InitgPty"), "Nm", plain(order.payer, 70))
    info = _add(top, "PmtInf")
    _add(info, "PmtInfId", order.message)
    _add(info, "PmtMtd", "TRF")
    _add(info, "NbOfTxs", str(len(order.transfers)))
    _add(info, "CtrlSum", total)
    if order.currency == "EUR":
        _add(_add(_add(info, "PmtTpInf"), "SvcLvl"), "Cd", "SEPA")
    _add(_add(info, "ReqdExctnDt"), "Dt", day_text(order.execute_at))
    _add(_add(info, "Dbtr"), "Nm", plain(order.payer, 70))
    _add(_add(_add(info, "DbtrAcct"), "Id"), "IBAN", order.iban)
    _agent(_add(info, "DbtrAgt"), order.bic)
    _add(info, "ChrgBr", "SLEV")
    for part in order.transfers:
        _transfer(_add(info, "CdtTrfTxInf"), part, order.currency, digits)
    found: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
    return found


def _add(at: Any, name: str, text: str = "", **attributes: str) -> Any:
    found = etree.SubElement(at, f"{{{PAIN}}}{name}", **attributes)
    if text:
        found.text = text
    return found


def _agent(at: Any, bic: str) -> None:
    bank = _add(at, "FinInstnId")
    if bic:
        _add(bank, "BICFI", bic)
    else:
        _add(_add(bank, "Othr"), "Id", "NOTPROVIDED")


def _transfer(at: Any, part: Transfer, currency: str, digits: int) -> None:
    _add(_add(at, "PmtId"), "EndToEndId", part.end_to_end)
    _add(_add(at, "Amt"), "InstdAmt", decimal_text(part.amount_minor, digits), Ccy=currency)
    if part.bic:
        _agent(_add(at, "CdtrAgt"), part.bic)
    _add(_add(at, "Cdtr"), "Nm", plain(part.payee, 70))
    _add(_add(_add(at, "CdtrAcct"), "Id"), "IBAN", part.iban)
    if part.text:
        _add(_add(at, "RmtInf"), "Ustrd", plain(part.text, 140))


def read_transfers(data: bytes) -> Instruction:
    """The inverse of `write_transfers`, for files of this form with one payment information block.

    Refuses, in order: as `parse`, xml.wrong_root, xml.missing, xml.bad_number, xml.inexact, xml.bad_date,
        xml.wrong_total.
    """
    root = parse(data)
    if root.tag != f"{{{PAIN}}}Document":
        raise XmlRefused("xml.wrong_root", "this is no pain.001.001.09", str(root.tag))
    ns = {"p": PAIN}
    info = root.find("p:CstmrCdtTrfInitn/p:PmtInf", ns)
    parts = info.findall("p:CdtTrfTxInf", ns) if info is not None else []
    if not parts:
        raise XmlRefused("xml.missing", "there is nothing to pay")
    amounts = [part.find("p:Amt/p:InstdAmt", ns) for part in parts]
    currency = amounts[0].get("Ccy", "") if amounts[0] is not None else ""
    head = "p:CstmrCdtTrfInitn/p:GrpHdr/p:"
    try:
        created = datetime.fromisoformat(need(root, f"{head}CreDtTm", ns).replace("Z", "+00:00"))
    except ValueError:
        raise XmlRefused("xml.bad_date", "the time of creation does not read") from None
    transfers = tuple(
        Transfer(
            end_to_end=need(part, "p:PmtId/p:EndToEndId", ns),
            amount_minor=minor_units(need(part, "p:Amt/p:InstdAmt", ns), digits_of(currency)),
            payee=need(part, "p:Cdtr/p:Nm", ns),
            iban=need(part, "p:CdtrAcct/p:Id/p:IBAN", ns),
            bic=text_at(part, "p:CdtrAgt/p:FinInstnId/p:BICFI", ns),
            text=text_at(part, "p:RmtInf/p:Ustrd", ns),
        )
        for part in parts
    )
    total = minor_units(need(root, f"{head}CtrlSum", ns), digits_of(currency))
    if total != sum(part.amount_minor for part in transfers):
        raise XmlRefused("xml.wrong_total", "the control sum differs", str(total))
    return Instruction(
        message=need(root, f"{head}MsgId", ns),
        created_at=int(created.timestamp()),
        execute_at=day_seconds(need(info, "p:ReqdExctnDt/p:Dt", ns)),
        currency=currency,
        payer=need(info, "p:Dbtr/p:Nm", ns),
        iban=need(info, "p:DbtrAcct/p:Id/p:IBAN", ns),
        bic=text_at(info, "p:DbtrAgt/p:FinInstnId/p:BICFI", ns),
        transfers=transfers,
    )


def read_statements(data: bytes) -> list[BankStatement]:
    """The statements of a camt.053 file: booked entries alone, collected ones by their transactions.

    Where the bank states both balances, they and the entries must agree.
    Refuses, in order: as `parse`, xml.wrong_root, xml.unsupported (too many entries, currencies within), xml.missing,
        xml.bad_number, xml.inexact, xml.bad_date, xml.wrong_total.
    """
    root = parse(data)
    known = _CAMT.fullmatch(str(root.tag))
    if not known:
        raise XmlRefused("xml.wrong_root", "this is no camt.053", str(root.tag))
    ns = {"c": known.group(1)}
    return [_statement(at, ns) for at in root.findall("c:BkToCstmrStmt/c:Stmt", ns)]


def _statement(at: Any, ns: dict[str, str]) -> BankStatement:
    found = at.findall("c:Ntry", ns)
    if len(found) > ENTRIES_MAX:
        raise XmlRefused("xml.unsupported", f"at most {ENTRIES_MAX} entries", str(len(found)))
    booked = [entry for entry in found if _status(entry, ns) == "BOOK"]
    balances = {text_at(bal, "c:Tp/c:CdOrPrtry/c:Cd", ns): bal for bal in at.findall("c:Bal", ns)}
    opening = balances.get("OPBD", balances.get("PRCD"))
    closing = balances.get("CLBD")
    first = next((amount.get("Ccy") for amount in at.iterfind(".//c:Amt", ns) if amount.get("Ccy")), "")
    currency = text_at(at, "c:Acct/c:Ccy", ns) or first
    row = BankStatement(
        number=need(at, "c:Id", ns),
        iban=text_at(at, "c:Acct/c:Id/c:IBAN", ns) or text_at(at, "c:Acct/c:Id/c:Othr/c:Id", ns),
        currency=currency,
        opening_minor=None if opening is None else _signed(opening, ns, currency),
        closing_minor=None if closing is None else _signed(closing, ns, currency),
        entries=tuple(part for entry in booked for part in _entry(entry, ns, currency)),
    )
    if row.opening_minor is not None and row.closing_minor is not None:
        moved = sum(_signed(entry, ns, currency) for entry in booked)
        if row.opening_minor + moved != row.closing_minor:
            raise XmlRefused("xml.wrong_total", "opening, entries and closing do not agree", str(moved))
    return row


def _status(entry: Any, ns: dict[str, str]) -> str:
    """Version 08 has a code within; earlier ones the word itself; none means booked."""
    return text_at(entry, "c:Sts/c:Cd", ns) or text_at(entry, "c:Sts", ns) or "BOOK"


def _signed(at: Any, ns: dict[str, str], currency: str) -> int:
    """An amount with its direction. Refuses, in order: xml.missing, xml.unsupported, xml.bad_number, xml.inexact."""
    found = at.find("c:Amt", ns)
    way = text_at(at, "c:CdtDbtInd", ns)
    if found is None or way not in ("CRDT", "DBIT"):
        raise XmlRefused("xml.missing", "an amount has a value and a direction", way)
    if found.get("Ccy", currency) != currency:
        raise XmlRefused("xml.unsupported", "an entry is in another currency than its account", found.get("Ccy"))
    amount = minor_units(found.text or "", digits_of(currency))
    return amount if way == "CRDT" else -amount


def _entry(at: Any, ns: dict[str, str], currency: str) -> list[BankEntry]:
    """One row an entry; where its transactions have amounts that come to it, one row each."""
    whole = _signed(at, ns, currency)
    parts = at.findall("c:NtryDtls/c:TxDtls", ns)
    amounts = [_part(part, ns, currency, whole) for part in parts]
    split = len(parts) > 1 and None not in amounts and sum(amount or 0 for amount in amounts) == whole
    pairs: Sequence[tuple[Any, int]]
    if split:
        pairs = [(part, amount or 0) for part, amount in zip(parts, amounts, strict=True)]
    else:
        pairs = [(parts[0] if len(parts) == 1 else None, whole)]
    return [_row(at, part, amount, ns, currency) for part, amount in pairs]


def _part(part: Any, ns: dict[str, str], currency: str, whole: int) -> int | None:
    found = part.find("c:Amt", ns)
    if found is None:
        found = part.find("c:AmtDtls/c:TxAmt/c:Amt", ns)
    if found is None or found.get("Ccy", currency) != currency:
        return None
    amount = minor_units(found.text or "", digits_of(currency))
    way = text_at(part, "c:CdtDbtInd", ns)
    comes_in = way == "CRDT" if way else whole > 0
    return amount if comes_in else -amount


def _row(at: Any, part: Any, amount: int, ns: dict[str, str], currency: str) -> BankEntry:
    other = "Dbtr" if amount > 0 else "Cdtr"
    booked = _day(at, "c:BookgDt", ns)

    def said(path: str) -> str:
        return text_at(part, path, ns) if part is not None else ""

    names = (f"c:RltdPties/c:{other}/c:Pty/c:Nm", f"c:RltdPties/c:{other}/c:Nm")
    lines = [line.text or "" for line in part.findall("c:RmtInf/c:Ustrd", ns)] if part is not None else []
    end_to_end = said("c:Refs/c:EndToEndId")
    return BankEntry(
        amount_minor=amount,
        currency=currency,
        booked_at=booked,
        value_at=_day(at, "c:ValDt", ns) or booked,
        end_to_end="" if end_to_end == "NOTPROVIDED" else end_to_end,
        partner=said(names[0]) or said(names[1]),
        iban=said(f"c:RltdPties/c:{other}Acct/c:Id/c:IBAN"),
        text=" ".join(lines).strip() or said("c:RmtInf/c:Strd/c:CdtrRefInf/c:Ref") or text_at(at, "c:AddtlNtryInf", ns),
        bank_reference=text_at(at, "c:AcctSvcrRef", ns) or text_at(at, "c:NtryRef", ns),
        reversal=text_at(at, "c:RvslInd", ns) == "true",
    )


def _day(at: Any, path: str, ns: dict[str, str]) -> int:
    found = text_at(at, f"{path}/c:Dt", ns) or text_at(at, f"{path}/c:DtTm", ns)
    return day_seconds(found) if found else 0
