"""Which addresses may be reached: IANA's special-purpose registries and every way to hide IPv4 in IPv6."""

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passflow.security.addresses import METADATA_ADDRESSES, embedded, refusal

# https://www.iana.org/assignments/iana-ipv4-special-registry and .../iana-ipv6-special-registry, one address per block
SPECIAL = """
0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.127.255.254 127.0.0.1 127.255.255.254 169.254.0.1
172.16.0.1 172.31.255.255 192.0.0.8 192.0.0.170 192.0.2.1 192.88.99.1 192.168.0.1 198.18.0.1 198.19.255.255
198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255
:: ::1 64:ff9b:1::1 100::1 2001:2::1 2001:10::1 2001:db8::1 3fff::1 5f00::1 fc00::1 fd12:3456::1 fe80::1 fec0::1
ff02::1 ff0e::1
""".split()

HIDDEN = {
    "::ffff:127.0.0.1": "mapped",
    "::ffff:7f00:1": "mapped, in hexadecimal",
    "::ffff:10.0.0.1": "mapped private",
    "::ffff:169.254.169.254": "mapped metadata",
    "::127.0.0.1": "compatible",
    "::10.1.2.3": "compatible private",
    "2002:7f00:1::": "6to4 of loopback",
    "2002:a00:1::1": "6to4 of 10/8",
    "2002:a9fe:a9fe::": "6to4 of metadata",
    "2002:6440:1::": "6to4 of 100.64/10",
    "64:ff9b::7f00:1": "NAT64 of loopback",
    "64:ff9b::a9fe:a9fe": "NAT64 of metadata",
    "64:ff9b::c0a8:1": "NAT64 of 192.168/16",
    "2001:0:7f00:1::": "Teredo whose server is loopback",
    "2001:0:4136:e378:8000:63bf:80ff:fffe": "Teredo whose client is loopback",
    "2a00:1450::5efe:a00:1": "ISATAP of 10/8",
    "2a00:1450::200:5efe:7f00:1": "ISATAP of loopback",
    "fe80::1%eth0": "with an interface",
    "2a00:1450::1%1": "global with an interface",
}

PUBLIC = ["1.1.1.1", "8.8.8.8", "93.184.216.34", "2606:4700:4700::1111", "2a00:1450:4001:80b::200e"]


@pytest.mark.parametrize("address", SPECIAL)
def test_special_purpose_addresses_are_refused(address):
    assert refusal(address)


@pytest.mark.parametrize(("address", "how"), HIDDEN.items())
def test_hidden_addresses_are_refused(address, how):
    assert refusal(address), how


@pytest.mark.parametrize("address", [*PUBLIC, "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"])
def test_public_addresses_pass(address):
    assert refusal(address) is None


@pytest.mark.parametrize("text", ["", "localhost", "1.2.3", "0x7f000001", "1.2.3.4/32", "[::1]", "١.١.١.١"])
def test_what_is_no_address_is_refused(text):
    assert refusal(text) == "is not an address"


def test_an_allow_list_opens_what_it_names_and_nothing_else():
    allowed = (ip_network("10.1.0.0/16"), ip_network("::1/128"))
    assert refusal("10.1.2.3", allowed) is None
    assert refusal("::ffff:10.1.2.3", allowed) is None
    assert refusal("::1", allowed) is None
    assert refusal("10.2.0.1", allowed)
    assert refusal("127.0.0.1", allowed)


def test_no_allow_list_opens_metadata():
    everything = (ip_network("0.0.0.0/0"), ip_network("::/0"))
    for address in METADATA_ADDRESSES:
        assert refusal(str(address), everything)
    assert refusal("::ffff:169.254.169.254", everything)
    assert refusal("64:ff9b::a9fe:a9fe", everything)
    assert refusal("127.0.0.1", everything) is None


@given(st.ip_addresses(v=4))
def test_ipv4_passes_only_if_global_and_its_spellings_agree(address):
    verdict = refusal(str(address))
    if not address.is_global or address.is_multicast:
        assert verdict
    for spelling in (f"::ffff:{address}", str(ip_address((0x64FF9B << 96) | int(address)))):
        assert bool(refusal(spelling)) == bool(verdict)
    sixtofour = ip_address((0x2002 << 112) | (int(address) << 80))
    assert embedded(sixtofour) == (address,)
    assert refusal(str(sixtofour)) if verdict else True


@given(st.ip_addresses(v=6))
def test_ipv6_passes_only_if_global(address):
    if not address.is_global and address.ipv4_mapped is None:
        assert refusal(str(address))
