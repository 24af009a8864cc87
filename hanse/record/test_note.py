"""Notes, keys and checkpoints against published vectors; strictness of their forms."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from .note import (
    LOG_KEY,
    WITNESS_KEY,
    Checkpoint,
    Note,
    NoteError,
    SignatureLine,
    Signer,
    VerifierKey,
    open_checkpoint,
)

# golang.org/x/mod/sumdb/note, documentation and tests (BSD-3-Clause)
PETER_SECRET = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
ENOCH = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop"
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
PETER_LINE = (
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
ENOCH_LINE = (
    "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n"
)
# C2SP signed-note, "Verifier keys"
SPEC_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
SPEC_NOTE = (
    "This is an example message.\n\n"
    "— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)
# C2SP tlog-checkpoint and tlog-cosignature, the examples of the specifications
SPEC_CHECKPOINT = """example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==
"""  # noqa: E501
# transparency-dev/formats, note/note_cosigv1_test.go (BSD-3-Clause)
REMORA = "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2"
TIMED = "ZGhGuQAAAABm/qTPeyKXD+R2rzyQsxPiP8mXum7qq/iF0u4vanlqJyocWODBt97w9uL+8qT7S5gxEHWWOworDcFiEBYJXORmnFBOBA=="

LOG = Signer("example.com/log", b"\x01" * 32)
WITNESS = Signer("example.com/witness", b"\x02" * 32, WITNESS_KEY)
CHECKPOINT = Checkpoint("example.com/log", 7, b"\x07" * 32)


def test_the_private_key_of_the_documentation_signs_as_the_documentation_says():
    signer = Signer.parse(PETER_SECRET)
    assert str(signer.key) == PETER
    assert signer.secret_text() == PETER_SECRET
    assert str(signer.sign(TEXT)) == PETER_LINE


def test_a_note_with_two_signatures_opens_with_either_key_or_both():
    note = Note.parse(f"{TEXT}\n{PETER_LINE}{ENOCH_LINE}".encode())
    peter, enoch = VerifierKey.parse(PETER), VerifierKey.parse(ENOCH)
    assert note.text == TEXT
    assert note.verified([peter]) == [peter]
    assert note.verified([enoch]) == [enoch]
    assert note.verified([enoch, peter]) == [peter, enoch]
    with pytest.raises(NoteError, match="no signature by a known key"):
        note.verified([])


def test_the_example_of_the_specification_verifies():
    key = VerifierKey.parse(SPEC_KEY)
    assert str(key) == SPEC_KEY
    assert Note.parse(SPEC_NOTE.encode()).verified([key]) == [key]


def test_the_checkpoint_of_the_specification_parses_and_prints_as_it_was():
    note = Note.parse(SPEC_CHECKPOINT.encode())
    checkpoint = Checkpoint.parse(note.text)
    assert (checkpoint.origin, checkpoint.size) == ("example.com/behind-the-sofa", 20852163)
    assert checkpoint.text == note.text
    assert bytes(note) == SPEC_CHECKPOINT.encode()
    assert note.signatures[1].time_s == 1679315147


def test_a_witness_key_and_time_of_the_reference_are_read():
    key = VerifierKey.parse(REMORA)
    assert (key.name, key.kind, str(key)) == ("remora.n621.de", WITNESS_KEY, REMORA)
    data = base64.b64decode(TIMED)
    assert SignatureLine("any", data[:4], data[4:]).time_s == 1727964367


def test_every_piece_of_a_key_is_refused():
    for start in range(len(PETER) + 1):
        for stop in range(start, len(PETER) + 1):
            if (start, stop) != (0, len(PETER)):
                with pytest.raises(NoteError):
                    VerifierKey.parse(PETER[start:stop])


def test_every_changed_character_of_a_key_is_refused():
    for text, parse in ((PETER, VerifierKey.parse), (PETER_SECRET, Signer.parse)):
        for at, char in enumerate(text):
            with pytest.raises(NoteError):
                parse(text[:at] + chr(ord(char) + 1) + text[at + 1 :])


@pytest.mark.parametrize(
    "text",
    [
        "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==",
        "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    ],
)
def test_keys_of_another_length_or_type_are_refused_though_their_id_is_right(text):
    with pytest.raises(NoteError):
        VerifierKey.parse(text)


def test_a_private_key_does_not_show_in_its_representation():
    assert LOG.secret_text() not in repr(LOG)
    assert repr(LOG.seed) not in repr(LOG)


def test_a_cosignature_holds_for_its_text_and_time_only():
    line = WITNESS.sign(CHECKPOINT.text, 1_700_000_000)
    assert line.time_s == 1_700_000_000
    assert line.verify(CHECKPOINT.text, WITNESS.key)
    assert not line.verify(CHECKPOINT.text + "more\n", WITNESS.key)
    later = SignatureLine(line.name, line.key_id, (1_700_000_001).to_bytes(8, "big") + line.signature[8:])
    assert not later.verify(CHECKPOINT.text, WITNESS.key)
    short = SignatureLine(line.name, line.key_id, line.signature[:-1])
    assert not short.verify(CHECKPOINT.text, WITNESS.key)


def test_one_seed_as_log_and_as_witness_has_two_ids_and_neither_signs_for_the_other():
    log = Signer("example.com/same", b"\x05" * 32, LOG_KEY)
    witness = Signer("example.com/same", b"\x05" * 32, WITNESS_KEY)
    assert log.key.key_id != witness.key.key_id
    assert not log.sign(CHECKPOINT.text).verify(CHECKPOINT.text, witness.key)
    assert not witness.sign(CHECKPOINT.text, 1).verify(CHECKPOINT.text, log.key)


def test_a_witness_needs_a_time_and_a_log_takes_none():
    with pytest.raises(ValueError, match="a witness key signs a time"):
        WITNESS.sign("text\n")
    with pytest.raises(ValueError, match="a log key signs no time"):
        LOG.sign("text\n", 1)


def test_a_signature_of_a_known_key_that_does_not_hold_spoils_the_note():
    good, bad = LOG.sign(CHECKPOINT.text), LOG.sign("other\n")
    other = Signer("example.com/other", b"\x03" * 32)
    note = Note(CHECKPOINT.text, (other.sign(CHECKPOINT.text), bad, good))
    with pytest.raises(NoteError, match="does not hold"):
        note.verified([other.key, LOG.key])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"text\n",
        b"text\n\n",
        TEXT.encode() + PETER_LINE.encode(),
        f"{TEXT}\n{PETER_LINE}".encode()[:-1],
        f"{TEXT}\n{PETER_LINE}more\n".encode(),
        f"{TEXT}\x07\n\n{PETER_LINE}".encode(),
        f"{TEXT}\n{PETER_LINE}".encode().replace(b"think", b"\xff"),
        f"{TEXT}\n— two words x08go/ZJkuBS9UG\n".encode(),
        f"{TEXT}\n— a+b x08go/ZJkuBS9UG/\n".encode(),
        f"{TEXT}\n— short x08gow==\n".encode(),
        f"{TEXT}\n{PETER_LINE * 101}".encode(),
        b"x" * 1_000_001,
    ],
)
def test_what_is_not_of_the_form_of_a_note_is_refused(data):
    with pytest.raises(NoteError):
        Note.parse(data)


def test_a_text_may_hold_blank_lines():
    text = "one\n\nthree\n"
    note = Note.parse(bytes(Note(text, (LOG.sign(text),))))
    assert note.text == text
    assert note.verified([LOG.key]) == [LOG.key]


@pytest.mark.parametrize(
    "text",
    [
        "o\n07\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n",
        "o\n+7\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n",
        "o\n9223372036854775808\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n",
        "o\n7\nBwcH\n",
        "o\n7\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwd=\n",
        "o\n7\n",
        "\n7\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n",
        "o\n7\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n\n",
        "o\n7\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=",
    ],
)
def test_what_is_not_of_the_form_of_a_checkpoint_is_refused(text):
    with pytest.raises(NoteError):
        Checkpoint.parse(text)


def test_extension_lines_are_kept_and_signed():
    checkpoint = Checkpoint("example.com/log", 7, b"\x07" * 32, ("app 1", "app 2"))
    opened, keys = open_checkpoint(checkpoint.signed([LOG]), [LOG.key], "example.com/log")
    assert opened == checkpoint
    assert keys == [LOG.key]
    with pytest.raises(NoteError, match="does not hold"):
        open_checkpoint(checkpoint.signed([LOG]).replace(b"app 2", b"app 3"), [LOG.key], "example.com/log")


def test_a_checkpoint_of_another_origin_is_refused():
    with pytest.raises(NoteError, match="not of"):
        open_checkpoint(CHECKPOINT.signed([LOG]), [LOG.key], "example.com/another")


def test_no_flipped_bit_of_a_signed_checkpoint_is_taken_for_it():
    data = CHECKPOINT.signed([LOG])
    for at in range(8 * len(data)):
        flipped = bytearray(data)
        flipped[at // 8] ^= 1 << at % 8
        with pytest.raises(NoteError):
            open_checkpoint(bytes(flipped), [LOG.key], "example.com/log")


@given(st.binary(max_size=300))
def test_parsing_any_bytes_refuses_or_gives_back_the_same_bytes(data):
    for candidate in (data, TEXT.encode() + b"\n" + data):
        try:
            note = Note.parse(candidate)
        except NoteError:
            continue
        assert bytes(note) == candidate


@given(
    st.text(st.characters(blacklist_categories=("Cc", "Cs")), min_size=1),
    st.integers(0, 2**63 - 1),
    st.binary(min_size=32, max_size=32),
)
def test_checkpoints_print_and_parse_back(origin, size, root):
    checkpoint = Checkpoint(origin, size, root)
    assert Checkpoint.parse(checkpoint.text) == checkpoint
