"""Dialling judged addresses, deadlines, and reading URLs, each on its own."""

import socket
import time

import httpcore
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from passflow.errors import FetchError
from passflow.security.addresses import refusal
from passflow.security.dial import Deadline, PinnedBackend
from passflow.security.urls import check_host, find_addresses, join_url, parse_url, resolve


def later(seconds=5.0):
    return Deadline(time.monotonic() + seconds)


def test_a_deadline_shortens_every_wait_and_ends():
    assert later(5).clamp(1) == 1
    assert 4 < later(5).clamp(100) <= 5
    assert 4 < later(5).clamp(None) <= 5
    with pytest.raises(httpcore.ReadTimeout):
        later(-1).clamp(1)


def test_the_backend_dials_its_own_addresses_not_the_name():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        stream = PinnedBackend(["127.0.0.1"], later()).connect_tcp("any.name.example", port, 1)
        accepted, peer = server.accept()
        with accepted:
            assert peer[0] == "127.0.0.1"
            stream.write(b"hello")
            assert accepted.recv(10) == b"hello"
            accepted.sendall(b"back")
            assert stream.read(10) == b"back"
            assert stream.get_extra_info("server_addr")[1] == port
            stream.close()


def test_the_backend_knows_no_unix_sockets_and_no_empty_list():
    with pytest.raises(httpcore.ConnectError):
        PinnedBackend(["127.0.0.1"], later()).connect_unix_socket("/var/run/docker.sock")
    with pytest.raises(httpcore.ConnectError):
        PinnedBackend([], later()).connect_tcp("x", 1)


def test_reading_after_the_deadline_is_a_timeout():
    with socket.create_server(("127.0.0.1", 0)) as server:
        stream = PinnedBackend(["127.0.0.1"], later(0.15)).connect_tcp("x", server.getsockname()[1], 1)
        began = time.monotonic()
        with pytest.raises(httpcore.TimeoutException):
            stream.read(1, 60)
        with pytest.raises(httpcore.TimeoutException):
            stream.write(b"x", 60)
        stream.close()
    assert time.monotonic() - began < 2


def test_the_systems_resolver_gives_each_address_once():
    found = resolve("localhost", 80)
    assert "127.0.0.1" in found or "::1" in found
    assert len(found) == len(set(found))
    assert all(refusal(address) for address in found)


def test_addresses_are_not_resolved():
    def never(_name, _port):
        raise AssertionError("asked")

    assert find_addresses("1.2.3.4", 443, never, later(), 1) == ("1.2.3.4",)
    assert find_addresses("2001:db8::1", 443, never, later(), 1) == ("2001:db8::1",)
    with pytest.raises(FetchError) as caught:
        find_addresses("name.example", 443, lambda *_: [], later(), 1)
    assert caught.value.error_code == "fetch.name"
    with pytest.raises(FetchError) as caught:
        find_addresses("name.example", 443, lambda *_: ["1.1.1.1"], later(-1), 1)
    assert caught.value.error_code == "fetch.timeout"


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://Example.COM/", "example.com"),
        ("https://example.com./", "example.com"),
        ("https://bücher.example/", "xn--bcher-kva.example"),
        ("https://a_b.example/", "a_b.example"),
        ("https://1.2.3.4/", "1.2.3.4"),
        ("https://[2001:db8::1]/", "2001:db8::1"),
        ("https://4chan.example/", "4chan.example"),
        ("https://0x7f.example/", "0x7f.example"),
    ],
)
def test_honest_hosts_are_read(url, host):
    assert check_host(parse_url(url)) == host


@given(st.integers(0, 2**32 - 1), st.sampled_from(["{:d}", "{:#x}", "0{:o}", "1.{:d}", "1.2.{:d}", "{:#X}"]))
def test_no_number_passes_as_a_host(value, form):
    with pytest.raises(FetchError):
        check_host(parse_url(f"https://{form.format(value)}/"))


@given(st.integers(0, 2**32 - 1))
def test_what_the_c_library_takes_for_an_address_is_refused_or_plain(value):
    for host in (
        f"{value}",
        f"{value >> 24}.{value & 0xFFFFFF}",
        f"{value >> 24}.{value >> 16 & 255}.{value & 0xFFFF}",
    ):
        try:
            dialled = check_host(parse_url(f"https://{host}/"))
        except FetchError:
            continue
        assert socket.inet_aton(dialled) == socket.inet_aton(host)
        assert dialled.count(".") == 3


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("/b?c=1", "https://a.example/b?c=1"),
        ("b", "https://a.example/x/b"),
        ("//b.example/", "https://b.example/"),
        ("http://b.example/", "http://b.example/"),
        ("?q", "https://a.example/x/y?q"),
    ],
)
def test_redirects_are_joined_as_rfc_3986_says(location, expected):
    assert join_url(httpx.URL("https://a.example/x/y"), location) == expected


@pytest.mark.parametrize("location", ["/a b", "\\\\b", "/\r\nX: y", "/" + "a" * 9000])
def test_malformed_redirects_are_refused(location):
    with pytest.raises(FetchError) as caught:
        join_url(httpx.URL("https://a.example/"), location)
    assert caught.value.error_code == "fetch.url"
