"""Addresses: which of them a fetch on behalf of somebody else's URL may reach.

The rule is an allow-list: globally reachable unicast (IANA special-purpose registries, RFC 6890), judged on the address
that packets finally reach: IPv4 inside IPv6 (mapped, compatible, 6to4, NAT64, Teredo, ISATAP) is unwrapped first.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

METADATA_ADDRESSES: Final = frozenset(
    ip_address(text)
    for text in (
        "169.254.169.254",  # AWS, Google, Azure, DigitalOcean, OpenStack
        "169.254.170.2",  # AWS ECS task credentials
        "169.254.170.23",  # AWS EKS pod identity
        "fd00:ec2::254",  # AWS over IPv6
        "fd00:ec2::23",
        "fd20:ce::254",  # Google over IPv6
        "100.100.100.200",  # Alibaba
        "192.0.0.192",  # Oracle
        "168.63.129.16",  # Azure's wire server, a global address
    )
)
"""Refused even where an allow-list covers them: they hand out the machine's own credentials."""

METADATA_NAMES: Final = frozenset(
    {
        "metadata",
        "metadata.google.internal",
        "metadata.goog",
        "instance-data",
        "instance-data.ec2.internal",
        "metadata.tencentyun.com",
        "metadata.azure.internal",
        "kubernetes.default.svc",
        "kubernetes.default",
        "kubernetes",
    }
)

# Not "global" to IANA but reported as global by some supported Python releases, or global without being a public host.
_REFUSED: Final[tuple[Network, ...]] = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8",
        "100.64.0.0/10",
        "192.0.0.0/24",
        "192.88.99.0/24",
        "198.18.0.0/15",
        "240.0.0.0/4",
        "64:ff9b:1::/48",
        "100::/64",
        "2001::/23",
        "2001:db8::/32",
        "3fff::/20",
        "5f00::/16",
        "fec0::/10",
    )
)
_NAT64: Final = IPv6Network("64:ff9b::/96")
_COMPATIBLE: Final = IPv6Network("::/96")


def refusal(text: str, allowed: Sequence[Network] = ()) -> str | None:
    """Why this address must not be reached; None when it may.

    Args:
        text: one address as the resolver gave it.
        allowed: networks opened on purpose (tests, on-premise); they never open metadata services.
    """
    try:
        address = ip_address(text)
    except ValueError:
        return "is not an address"
    if isinstance(address, IPv6Address) and address.scope_id is not None:
        return "is bound to one network interface"
    inner = embedded(address)
    reached: tuple[Address, ...] = (address, *inner)
    if any(one in METADATA_ADDRESSES for one in reached):
        return "is a cloud metadata service"
    final: Address = inner[0] if inner else address
    if any(final in network for network in allowed if network.version == final.version):
        return None
    # a tunnel is judged on its own as well; mapped and NAT64 addresses are mere spellings of the IPv4 one
    spelling = isinstance(address, IPv6Address) and (address.ipv4_mapped is not None or address in _NAT64)
    judged = inner if spelling else reached
    return next((reason for one in judged if (reason := _reason(one))), None)


def embedded(address: Address) -> tuple[IPv4Address, ...]:
    """The IPv4 addresses that an IPv6 address carries, the destination first."""
    if isinstance(address, IPv4Address):
        return ()
    low = IPv4Address(int(address) & 0xFFFFFFFF)
    compatible = address in _COMPATIBLE and int(address) > 0xFFFF
    isatap = (int(address) >> 32) & 0xFCFFFFFF == 0x00005EFE  # RFC 5214 6.1: [02]00:5efe:a.b.c.d
    if address.ipv4_mapped is not None or address in _NAT64 or compatible or isatap:
        return (low,)
    if address.sixtofour is not None:
        return (address.sixtofour,)
    if address.teredo is not None:
        server, client = address.teredo
        return (client, server)
    return ()


def _reason(address: Address) -> str | None:
    if address.is_multicast:
        return "is a multicast address"
    if address.is_loopback or address.is_unspecified:
        return "is this machine itself"
    if address.is_link_local:
        return "is a link-local address"
    if not address.is_global or address.is_reserved or any(address in network for network in _REFUSED):
        return "is not a public address"
    return None
