"""One signed request to one address.

Signed as Standard Webhooks says (standardwebhooks.com, specification 1.0.0): HMAC-SHA-256 over `id.timestamp.body`.
The address is resolved once, each of its numbers is looked at, and the connection goes to that very number: a name that
changes its mind between the look and the call gains nothing. Redirects are answers like others: nobody follows them.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from urllib.parse import urlsplit

from msgspec import Struct

from hanse.kernel.refusal import Refused, require

URL_CHARS_MAX = 500
CONNECT_SECONDS = 5
ANSWER_SECONDS = 15
"""From the first byte to the last header of the answer; its body is not read."""
MEDIA = "application/cloudevents+json; charset=utf-8"
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class Answer(Struct, frozen=True):
    """What a receiver answered. status: of HTTP, 0 where there was none. said: in words, without anything it sent.

    retry_after_seconds: as it asked for, at most an hour.
    """

    status: int
    said: str
    retry_after_seconds: int = 0

    @property
    def good(self) -> bool:
        return 200 <= self.status < 300


def check_address(url: str, *, private: bool = False) -> str:
    """A receiver's address in its plain form. Nothing is resolved here: names change, so each call looks.

    Refuses, in order: webhook.address (not https, too long, a name or password in it, no host), webhook.port,
        webhook.private_address (a number of a private network, or a name that only such networks know).

    >>> check_address("https://hooks.example.com/hanse?x=1")
    'https://hooks.example.com/hanse?x=1'
    """
    url = url.strip()
    expected = "https://host/path"
    plain = len(url) <= URL_CHARS_MAX and url.isascii() and url.isprintable() and not set(url) & set(' "<>\\^`{|}')
    try:
        parts = urlsplit(url) if plain else urlsplit("")
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    host = parts.hostname or ""
    scheme = parts.scheme == "https" or (private and parts.scheme == "http")
    good = scheme and host and "@" not in parts.netloc and not parts.fragment and not host.endswith(".")
    require(good, "webhook.address", "this is no address that can be told", got=url[:200], expected=expected)
    if not private:
        usual = port is None or port == 443 or port >= 1024
        require(usual, "webhook.port", "this port is not for web servers", got=port, expected="443, or from 1024 on")
        named = "." in host and not host.endswith((".local", ".internal", ".localhost", ".home.arpa", ".lan"))
        require(_public(host) if _number(host) else named, "webhook.private_address",
                "only addresses that everybody can reach are told", got=host)  # fmt: skip
    return url


def _number(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host.replace(".", "").isdigit() or host.startswith("0x")
    return True


def _public(number: str) -> bool:
    """Whether a number is of the public internet, also where it is an IPv4 number within an IPv6 one.

    >>> [_public(n) for n in ("93.184.215.14", "10.0.0.1", "127.0.0.1", "169.254.169.254", "::1", "::ffff:10.0.0.1")]
    [True, False, False, False, False, False]
    >>> [_public(n) for n in ("64:ff9b::7f00:1", "2002:7f00:1::", "fe80::1%eth0", "100.64.0.1", "0.0.0.0", "017700001")]
    [False, False, False, False, False, False]
    """
    try:
        found = ipaddress.ip_address(number)
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour or (found.teredo[1] if found.teredo else None)
        if inner is None and found in _NAT64:
            inner = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
        if inner is not None:
            return _public(str(inner))
        if found.scope_id:
            return False
    return found.is_global and not found.is_multicast


def signature(secret: str, id: str, timestamp: int, body: bytes) -> str:
    """The header `webhook-signature`.

    >>> signature("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330,
    ...           b'{"test": 2432232314}')
    'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='
    """
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = hmac.digest(key, b"%b.%d.%b" % (id.encode(), timestamp, body), hashlib.sha256)
    return f"v1,{base64.b64encode(signed).decode()}"


Resolve = Callable[[str, int], list[str]]


def resolve(host: str, port: int) -> list[str]:
    """The numbers of a name, in the system's order. Raises OSError."""
    return list(dict.fromkeys(str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))


def send(
    url: str, secret: str, id: str, body: bytes, now: int, *, private: bool = False, resolve: Resolve = resolve
) -> Answer:
    """POST one event. Never raises for what the network or the receiver does.

    Args:
        id: of the message, the same at every try. body: of media type application/cloudevents+json. now: UTC seconds.
    """
    headers = {
        "content-type": MEDIA, "user-agent": "hanse-webhook/1", "connection": "close", "webhook-id": id,
        "webhook-timestamp": str(now), "webhook-signature": signature(secret, id, now, body),
    }  # fmt: skip
    try:
        check_address(url, private=private)
    except Refused as refused:
        return Answer(0, refused.message)
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    try:
        numbers = resolve(host, port)
    except (OSError, UnicodeError):
        return Answer(0, "its name is not known")
    if not private and not all(_public(number) for number in numbers):
        return Answer(0, "its name leads into a private network")
    if not numbers:
        return Answer(0, "its name is not known")
    return _post(numbers[0], host, port, parts.scheme == "https", _path(url), body, headers)


def _path(url: str) -> str:
    parts = urlsplit(url)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _post(
    number: str, host: str, port: int, encrypted: bool, path: str, body: bytes, headers: dict[str, str]
) -> Answer:
    connection = http.client.HTTPConnection(host, port, timeout=CONNECT_SECONDS)
    late = threading.Timer(ANSWER_SECONDS, _cut, (connection,))
    late.daemon = True
    try:
        line = socket.create_connection((number, port), timeout=CONNECT_SECONDS)
        connection.sock = line
        late.start()
        if encrypted:
            connection.sock = ssl.create_default_context().wrap_socket(line, server_hostname=host)
        connection.request("POST", path, body=body, headers=headers)
        answer = connection.getresponse()
        again = answer.getheader("retry-after", "") or ""
        wait = min(int(again), 3_600) if again.isascii() and again.isdigit() and len(again) < 6 else 0
        return Answer(answer.status, f"answered {answer.status}", wait)
    except ssl.SSLError:
        return Answer(0, "its certificate is not good")
    except TimeoutError:
        return Answer(0, "did not answer in time")
    except (OSError, http.client.HTTPException, ValueError):
        return Answer(0, "could not be reached, or did not answer as a web server")
    finally:
        late.cancel()
        connection.close()


def _cut(connection: http.client.HTTPConnection) -> None:
    """End a call that has taken its time: a receiver that sends a byte now and then holds nobody up."""
    line = connection.sock
    if line is not None:
        with suppress(OSError):
            line.shutdown(socket.SHUT_RDWR)
