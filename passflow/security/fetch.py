"""Fetching a URL that somebody else wrote, without becoming their way into the network.

A name is resolved once, every answer is judged (``passflow.security.addresses``), and the connection goes to the
judged address while TLS and the Host header keep the name; so a resolver that changes its mind gains nothing. Redirects
are followed by hand and each is judged anew. All time and size limits hold for the decoded body.
"""

from __future__ import annotations

import ssl
import time
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network
from typing import Final

import httpcore
import httpx
from pydantic import BaseModel, ConfigDict, Field

from passflow.errors import FetchError
from passflow.security.addresses import refusal
from passflow.security.dial import Deadline, PinnedBackend
from passflow.security.media import media_type
from passflow.security.urls import Resolver, check_host, find_addresses, join_url, parse_url, refused, resolve

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_CHUNK: Final = 64 << 10
_LOOK: Final = "Open the URL in a browser to check."


class FetchPolicy(BaseModel):
    """What a fetcher may reach and how long it may take."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    allow_http: bool = Field(False, description="Also fetch over unencrypted http; for tests and on-premise servers.")
    allowed_ports: frozenset[int] = Field(frozenset(), description="Ports beside 443 (and 80 where http is allowed).")
    allowed_networks: tuple[IPv4Network | IPv6Network, ...] = Field(
        (), description="Private networks opened on purpose, as CIDRs. Metadata services stay closed."
    )
    connect_timeout: float = Field(5.0, gt=0, description="Seconds to resolve a name, and to connect.")
    read_timeout: float = Field(10.0, gt=0, description="Seconds without a byte.")
    total_timeout: float = Field(30.0, gt=0, description="Seconds for everything, redirects included.")
    max_redirects: int = Field(3, ge=0, le=10, description="Redirects followed before giving up.")


@dataclass(frozen=True, slots=True)
class Fetched:
    """A body that was fetched.

    Attributes:
        bytes: the decoded body.
        media_type: what its first bytes say it is.
        final_url: where it came from after redirects.
    """

    bytes: bytes
    media_type: str
    final_url: str


@dataclass(frozen=True, slots=True)
class _Target:
    url: httpx.URL
    host: str
    addresses: tuple[str, ...]


class SafeFetcher:
    """Fetches public https URLs under limits; the only way passflow fetches a URL it did not write itself.

    Args:
        policy: what is allowed; the defaults reach the public internet over https only.
        resolver: name and port to addresses; the system's by default.
        ssl_context: trust store; public authorities by default.
    """

    def __init__(
        self,
        policy: FetchPolicy | None = None,
        *,
        resolver: Resolver = resolve,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._policy = policy or FetchPolicy()
        self._resolver = resolver
        self._given_context = ssl_context

    @cached_property
    def _ssl_context(self) -> ssl.SSLContext:
        return self._given_context or httpx.create_ssl_context()

    def fetch(self, url: str, *, max_bytes: int, allowed_types: Collection[str]) -> Fetched:
        """Fetches one body.

        Args:
            url: an absolute https URL.
            max_bytes: the most the body may hold once decoded.
            allowed_types: media types that are accepted, judged by the body's first bytes.

        Raises:
            FetchError: refused before connecting, or failed; ``error_code`` says which. Names the host alone, because
                paths and queries may hold personal data.
        """
        deadline = Deadline(time.monotonic() + self._policy.total_timeout)
        target = self._judge(url, deadline)
        for _ in range(self._policy.max_redirects + 1):
            body, location = self._get(target, max_bytes, deadline)
            if location is None:
                return _accept(target, body, allowed_types)
            target = self._judge(join_url(target.url, location), deadline)
        limit = self._policy.max_redirects
        raise refused("redirects", f"{target.host} is behind more than {limit} redirects.", "Link the target itself.")

    def _judge(self, text: str, deadline: Deadline) -> _Target:
        """Everything that is decided before a byte is sent."""
        url, policy = parse_url(text), self._policy
        if url.scheme not in ({"https", "http"} if policy.allow_http else {"https"}):
            raise refused("scheme", f"The URL's scheme is {url.scheme[:12]!r}.", "Use an https address.")
        if url.userinfo:
            raise refused("userinfo", "The URL carries a user name or password.", "Leave out what stands before the @.")
        host = check_host(url)
        port = url.port or (443 if url.scheme == "https" else 80)
        if port not in policy.allowed_ports | ({443, 80} if policy.allow_http else {443}):
            raise refused("port", f"{host}: port {port} is not open.", "Use the standard port, or allow this one.")
        addresses = find_addresses(host, port, self._resolver, deadline, policy.connect_timeout)
        for address in addresses:
            reason = refusal(address, policy.allowed_networks)
            if reason:
                # one bad answer condemns the name: which one gets dialled must not depend on luck
                raise refused("address", f"{host} leads to an address that {reason}.", "Use a public host.")
        return _Target(url.copy_with(fragment=None, host=host), host, addresses)

    def _get(self, target: _Target, max_bytes: int, deadline: Deadline) -> tuple[bytes, str | None]:
        """The decoded body, or where a redirect leads."""
        policy, url = self._policy, target.url
        timeouts = {"connect": policy.connect_timeout, "read": policy.read_timeout, "write": policy.read_timeout}
        headers: list[tuple[bytes | str, bytes | str]] = [
            ("Host", url.netloc),
            ("User-Agent", "passflow"),
            ("Accept", "*/*"),
            ("Accept-Encoding", "gzip"),
        ]
        to = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
        backend = PinnedBackend(target.addresses, deadline)
        try:
            with (
                httpcore.ConnectionPool(ssl_context=self._ssl_context, network_backend=backend) as pool,
                pool.stream("GET", to, headers=headers, extensions={"timeout": timeouts}) as response,
            ):
                return _read(target.host, response, max_bytes)
        except httpcore.TimeoutException:
            raise refused("timeout", f"{target.host} took too long.", "Serve the file from a faster host.") from None
        except (httpcore.NetworkError, httpcore.ProtocolError, ssl.SSLError) as error:
            raise refused("failed", f"{target.host} could not be read ({_kind(error)}).", _LOOK) from None


def _read(host: str, response: httpcore.Response, max_bytes: int) -> tuple[bytes, str | None]:
    headers = {name.lower(): value.decode("latin-1").strip() for name, value in response.headers}
    if response.status in _REDIRECTS and b"location" in headers:
        return b"", headers[b"location"]
    if response.status != 200:
        raise refused("status", f"{host} answered {response.status}.", _LOOK)
    length = headers.get(b"content-length", "")
    if length.isdecimal() and int(length[:20]) > max_bytes:
        raise _too_large(host, max_bytes)
    chunks: list[bytes] = []
    size = 0
    for chunk in _decoded(host, headers.get(b"content-encoding", "identity").lower(), response.iter_stream()):
        size += len(chunk)
        if size > max_bytes:
            raise _too_large(host, max_bytes)
        chunks.append(chunk)
    return b"".join(chunks), None


def _decoded(host: str, encoding: str, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Decodes in pieces of bounded size, so that a small body cannot unfold into all of the memory."""
    if encoding == "identity":
        yield from chunks
        return
    if encoding not in {"gzip", "x-gzip"}:
        raise refused("encoding", f"{host} sent an encoding that was not asked for.", "Serve the file uncompressed.")
    decoder = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        for chunk in chunks:
            rest = chunk
            while rest:
                yield decoder.decompress(rest, _CHUNK)
                rest = decoder.unconsumed_tail
            if decoder.eof:
                return  # what follows the stream is nobody's
    except zlib.error:
        raise refused("encoding", f"{host} sent a broken compressed body.", "Serve the file uncompressed.") from None
    raise refused("encoding", f"{host} sent a compressed body that breaks off.", "Serve the file uncompressed.")


def _accept(target: _Target, body: bytes, allowed_types: Collection[str]) -> Fetched:
    found = media_type(body)
    if found not in allowed_types:
        wanted = " or ".join(sorted(allowed_types))
        raise refused(
            "media_type", f"{target.host} sent {found}, not {wanted}.", "Link the file, not a page around it."
        )
    return Fetched(body, found, str(target.url))


def _kind(error: Exception) -> str:
    text = str(error)
    return "its certificate does not fit" if "CERTIFICATE_VERIFY_FAILED" in text else type(error).__name__


def _too_large(host: str, max_bytes: int) -> FetchError:
    return refused("too_large", f"{host} sent more than {max_bytes:,} bytes.", "Use a smaller file.")
