"""Edge-case Ed25519 signatures and what libsodium says of each; the table behind `ed25519.self_check`.

Sources, each case with its published number: RFC 8032, 7.1; "Taming the many EdDSAs" (Chalkias, Garillot, Nikolaenko
2020), table 5, whose row for LibSodium these answers match; C2SP CCTV, ed25519vectors.json (CC0); and signatures made
from these.
"""

from __future__ import annotations

Case = tuple[str, bool, str, bytes, str]
"""(name, accepted, public key hex, message, signature hex)"""

_SMALL = "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa"  # order 8
_MIXED_1 = "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43"
_MIXED_2 = "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d"
_ORDINARY = "442aad9f089ad9e14647b1ef9099a1ff4798d78589e66f28eca69c11f582a623"
_MIXED_3 = "10eb7c3acfb2bed3e0d6ab89bf5a3d6afddd1176ce4812e38d9fd485058fdb1f"
_NOT_CANONICAL = "ec" + "ff" * 31
_ZERO_Y = "00" * 32  # order 4
_ZERO_Y_AGAIN = "ed" + "ff" * 30 + "7f"  # the same point with y = p
_TORSION_R = "36684ea91032ba5b1dbab2d02f4debc74c3327f2b3802e2e4d371aa42b12b56b"
_TORSION_R_2 = "b797b156efcd45a4e2454d2fd0b21438b3ccd80d4c7fd1d1b2c8e55bd4ed4a94"
_S_SMALL_A = "a5bb704786be79fc476f91d3f3f89b03984d8068dcf1bb7dfc6637b45450ac04"
_S_SMALL_A_2 = "05ba9a796274d80437afa36f1236563f2f3b0aa84cecddc3d20914615ba4fe02"
_RFC_KEY = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
_RFC_R = "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
_RFC_S = "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
_ORDER = 2**252 + 27742317777372353535851937790883648493


def _plus_order(scalar: str) -> str:
    """The same scalar modulo the group's order, written with the order added once."""
    return (int.from_bytes(bytes.fromhex(scalar), "little") + _ORDER).to_bytes(32, "little").hex()


def _many_eddsas(number: int, accepted: bool, key: str, message: str, signature: str) -> Case:
    return f"many EdDSAs {number}", accepted, key, bytes.fromhex(message), signature


def _cctv(number: int, accepted: bool, key: str, message: str, signature: str) -> Case:
    return f"CCTV {number}", accepted, key, message.encode(), signature


CASES: tuple[Case, ...] = (
    ("RFC 8032 test 1", True, _RFC_KEY, b"", _RFC_R + _RFC_S),
    ("RFC 8032 test 1, other message", False, _RFC_KEY, b"\x00", _RFC_R + _RFC_S),
    ("RFC 8032 test 1, S plus the order", False, _RFC_KEY, b"", _RFC_R + _plus_order(_RFC_S)),
    (
        "RFC 8032 test 2",
        True,
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        b"\x72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    # S = 0, small R, small A
    _many_eddsas(
        0,
        False,
        _SMALL,
        "8c93255d71dcab10e8f379c26200f3c7bd5f09d9bc3068d3ef4edeb4853022b6",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a" + "00" * 32,
    ),
    # small A, mixed R
    _many_eddsas(
        1, False, _SMALL, "9bd9f44f4dcc75bd531b56b2cd280b0bb38fc1cd6d1230e14861d861de092e79", _MIXED_1 + _S_SMALL_A
    ),
    # mixed A, small R
    _many_eddsas(
        2,
        False,
        _MIXED_1,
        "aebf3f2601a0c8c5d39cc7d8911642f740b78168218da8471772b35f9d35b9ab",
        _SMALL + "8c4bd45aecaca5b24fb97bc10ac27ac8751a7dfe1baff8b953ec9f5833ca260e",
    ),
    # mixed A and R whose small parts cancel: holds without a cofactor too
    _many_eddsas(
        3,
        True,
        _MIXED_2,
        "9bd9f44f4dcc75bd531b56b2cd280b0bb38fc1cd6d1230e14861d861de092e79",
        "9046a64750444938de19f227bb80485e92b83fdb4b6506c160484c016cc1852f"
        "87909e14428a7a1d62e9f22f3d3ad7802db02eb2e688b6c52fcd6648a98bd009",
    ),
    # mixed A and R, holds only with a cofactor
    _many_eddsas(
        4,
        False,
        _MIXED_2,
        "e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c",
        "160a1cb0dc9c0258cd0a7d23e94d8fa878bcb1925f2c64246b2dee1796bed512"
        "5ec6bc982a269b723e0668e540911a9a6a58921d6925e434ab10aa7940551a09",
    ),
    _many_eddsas(
        5,
        False,
        _MIXED_2,
        "e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c",
        "21122a84e0b5fca4052f5b1235c80a537878b38f3142356b2c2384ebad4668b7"
        "e40bc836dac0f71076f9abe3a53f9c03c1ceeeddb658d0030494ace586687405",
    ),
    # S not below the order
    _many_eddsas(
        6,
        False,
        _ORDINARY,
        "85e241a07d148b41e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec40",
        "e96f66be976d82e60150baecff9906684aebb1ef181f67a7189ac78ea23b6c0e"
        "547f7690a0e2ddcd04d87dbc3490dc19b3b3052f7ff0538cb68afb369ba3a514",
    ),
    _many_eddsas(
        7,
        False,
        _ORDINARY,
        "85e241a07d148b41e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec40",
        "8ce5b96c8f26d0ab6c47958c9e68b937104cd36e13c33566acd2fe8d38aa1942"
        "7e71f98a473474f2f13f06f97c20d58cc3f54b8bd0d272f42b695dd7e89a8c22",
    ),
    # R of small order, not canonical
    _many_eddsas(
        8,
        False,
        _MIXED_1,
        "9bedc267423725d473888631ebf45988bad3db83851ee85c85e241a07d148b41",
        _NOT_CANONICAL + "03be9678ac102edcd92b0210bb34d7428d12ffc5df5f37e359941266a4e35f0f",
    ),
    _many_eddsas(
        9,
        False,
        _MIXED_1,
        "9bedc267423725d473888631ebf45988bad3db83851ee85c85e241a07d148b41",
        _NOT_CANONICAL + "ca8c5b64cd208982aa38d4936621a4775aa233aa0505711d8fdcfdaa943d4908",
    ),
    # A of small order, not canonical
    _many_eddsas(
        10,
        False,
        _NOT_CANONICAL,
        "e96b7021eb39c1a163b6da4e3093dcd3f21387da4cc4572be588fafae23c155b",
        "a9d55260f765261eb9b84e106f665e00b867287a761990d7135963ee0a7d59dc" + _S_SMALL_A,
    ),
    _many_eddsas(
        11,
        False,
        _NOT_CANONICAL,
        "39a591f5321bbe07fd5a23dc2f39d025d74526615746727ceefd6e82ae65c06f",
        "a9d55260f765261eb9b84e106f665e00b867287a761990d7135963ee0a7d59dc" + _S_SMALL_A,
    ),
    _cctv(1, False, _ZERO_Y, "ed25519vectors 11", "00" * 64),
    _cctv(3, False, _ZERO_Y, "ed25519vectors 3", _TORSION_R + _S_SMALL_A_2),
    _cctv(
        5,
        False,
        _MIXED_3,
        "ed25519vectors 3",
        "00" * 32 + "9472a69cd9a701a50d130ed52189e2455b23767db52cacb8716fb896ffeeac09",
    ),
    _cctv(
        6,
        False,
        _MIXED_3,
        "ed25519vectors 10",
        _TORSION_R + "c02e2b9e63e385c058bf62b14b3a2b29ccefe8e38ddb536bc3f9865320a3d801",
    ),
    _cctv(
        7,
        True,
        _MIXED_3,
        "ed25519vectors",
        _TORSION_R + "bbfd00bd9c259d8d222d15e67a3d8228585050dbb9b9585be20d8fadc721da03",
    ),
    _cctv(11, False, _ZERO_Y_AGAIN, "ed25519vectors", _TORSION_R + _S_SMALL_A_2),
    _cctv(
        17,
        False,
        _MIXED_3,
        "ed25519vectors 3",
        _ZERO_Y_AGAIN + "ad7a355469b5c87e550469f6b2de409ee723acd584bf35f86b80c384e8ceb702",
    ),
    _cctv(
        28,
        False,
        _MIXED_3,
        "ed25519vectors 9",
        _TORSION_R_2 + "639734cf989e314e9e049fc01a3864d191fed8f231b12fee6fa50aaadba44b0e",
    ),
    _cctv(
        29,
        True,
        _MIXED_3,
        "ed25519vectors 2",
        _TORSION_R_2 + "732d9e0279fe001d90327efa319816e3e4506b78432b8b4e1f2fdc4b960d700f",
    ),
)
