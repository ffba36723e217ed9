"""URLs somebody else wrote: read strictly, with every spelling refused that hides where they lead."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address
from typing import Final

import httpcore
import httpx

from passflow.errors import FetchError
from passflow.security.addresses import METADATA_NAMES
from passflow.security.dial import Deadline

Resolver = Callable[[str, int], Sequence[str]]
"""Name and port to every address, A and AAAA."""

_LABEL: Final = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?")
_MAX_URL: Final = 8192


def refused(code: str, what: str, fix: str) -> FetchError:
    """A FetchError with the code ``fetch.<code>``; ``what`` names a host at most, since paths may be personal."""
    return FetchError(what, fix=fix, code=f"fetch.{code}")


def parse_url(text: str) -> httpx.URL:
    """Reads an absolute URL.

    Raises:
        FetchError: it holds characters that parsers disagree on, or is no URL.
    """
    if len(text) > _MAX_URL or re.search(r"[\x00-\x20\x7f\\]", text):
        raise refused("url", "The URL is too long or holds spaces, control characters or backslashes.", "Escape them.")
    try:
        return httpx.URL(text)
    except (httpx.InvalidURL, ValueError, UnicodeError):
        raise refused("url", "The URL cannot be understood.", "Write it as https://host/path.") from None


def join_url(base: httpx.URL, location: str) -> str:
    """Where a redirect leads.

    Raises:
        FetchError: the location cannot be understood.
    """
    if len(location) > _MAX_URL or re.search(r"[\x00-\x20\x7f\\]", location):
        raise refused("url", f"{base.host} redirects to a malformed URL.", "Link the target itself.")
    try:
        return str(base.join(location))
    except (httpx.InvalidURL, ValueError, UnicodeError):
        raise refused("url", f"{base.host} redirects to a malformed URL.", "Link the target itself.") from None


def check_host(url: httpx.URL) -> str:
    """The host as it will be dialled: a lower-case name without final dot, or a plain address.

    Raises:
        FetchError: no host, an address in disguise (``127.1``, ``0x7f000001``, ``017700000001``, ``2130706433``), a
            metadata name, or no host name at all.
    """
    host = url.raw_host.decode("ascii").lower().removesuffix(".")
    if ":" in host:
        return host
    last = host.rpartition(".")[2]
    # https://url.spec.whatwg.org/#ends-in-a-number-checker: the C library reads all of these as addresses
    if last.isdigit() or re.fullmatch(r"0x[0-9a-f]*", last):
        try:
            return str(IPv4Address(host))
        except ValueError:
            raise refused("host", "The URL's host is an address in disguise.", "Write the host's name.") from None
    if host in METADATA_NAMES:
        raise refused("host", f"{host} is a service inside the machine room.", "Use a public host.")
    if len(host) > 253 or not all(len(label) < 64 and _LABEL.fullmatch(label) for label in host.split(".")):
        raise refused("host", "The URL's host is not a name.", "Write it as https://host/path.")
    return host


def resolve(name: str, port: int) -> list[str]:
    """Every address of a name, from the system's resolver, in its order of preference."""
    answers = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(answer[4][0]) for answer in answers))


def find_addresses(host: str, port: int, resolver: Resolver, deadline: Deadline, limit: float) -> tuple[str, ...]:
    """Resolves in a thread of its own, because the system's resolver knows no time limit.

    Raises:
        FetchError: the name does not resolve, or not in time.
    """
    if ":" in host or host.rpartition(".")[2].isdigit():
        return (host,)
    answers: list[str] = []

    def work() -> None:
        try:
            answers.extend(resolver(host, port))
        except (OSError, UnicodeError):
            answers.clear()  # no answer is what the caller reports

    thread = threading.Thread(target=work, daemon=True, name="passflow-resolve")
    try:
        wait = deadline.clamp(limit)
        thread.start()
        thread.join(wait)
    except httpcore.TimeoutException:
        raise refused("timeout", f"{host} took too long.", "Serve the file from a faster host.") from None
    if thread.is_alive():
        raise refused("timeout", f"The name {host} took too long to resolve.", "Check the network's name server.")
    if not answers:
        raise refused("name", f"The name {host} does not resolve.", "Check its spelling.")
    return tuple(answers)
