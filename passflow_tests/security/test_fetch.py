"""The safe fetcher against hostile URLs, names and servers, on a real loopback server."""

import gzip
import io
import socket
import threading
import time
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from passflow.errors import FetchError
from passflow.security.fetch import FetchPolicy, SafeFetcher
from passflow.security.media import UNKNOWN, media_type
from passflow_tests.security.loopback import make_tls, respond, serve

LOOPBACK = ("127.0.0.1/32",)
IMAGES = {"image/png", "image/jpeg"}


def png(size=(8, 8)):
    buffer = io.BytesIO()
    Image.new("RGB", size, "red").save(buffer, "PNG")
    return buffer.getvalue()


PNG = png()


class Names:
    """A resolver of fixed answers that counts its questions; a list of lists answers each question differently."""

    def __init__(self, **answers):
        self.answers = {name.replace("_", "."): list(found) for name, found in answers.items()}
        self.asked = []

    def __call__(self, name, port):
        self.asked.append(name)
        answers = self.answers.get(name)
        if not answers:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        if isinstance(answers[0], list):
            return answers.pop(0) if len(answers) > 1 else answers[0]
        return answers


def fetcher(server=None, names=None, *, ssl_context=None, networks=LOOPBACK, **policy):
    ports = {server.port} if server else {80, 443}
    policy = {"allow_http": True, "allowed_ports": ports, "allowed_networks": networks, **policy}
    resolver = names or Names(img_example=["127.0.0.1"], b_example=["127.0.0.1"])
    return SafeFetcher(FetchPolicy(**policy), resolver=resolver, ssl_context=ssl_context)


def fetch(client, url, max_bytes=100_000, allowed_types=IMAGES):
    return client.fetch(url, max_bytes=max_bytes, allowed_types=allowed_types)


def refused(client, url, **limits):
    with pytest.raises(FetchError) as caught:
        fetch(client, url, **limits)
    assert caught.value.__cause__ is None
    assert caught.value.fix
    return caught.value.error_code


@pytest.fixture(scope="module")
def server():
    with serve(
        {
            "/a.png": respond(PNG, headers={"Content-Type": "text/html"}),
            "/html": respond(b"<!doctype html><p>hi", headers={"Content-Type": "image/png"}),
            "/empty": respond(b""),
            "/404": respond(b"no", "404 Not Found"),
            "/500": respond(PNG, "500 Oops"),
            "/gzip": respond(gzip.compress(PNG, mtime=0), headers={"Content-Encoding": "gzip"}),
        }
    ) as running:
        yield running


def test_a_public_style_fetch_works_and_sniffs_the_type(server):
    found = fetch(fetcher(server), f"http://img.example:{server.port}/a.png?x=1#part")
    assert found.bytes == PNG
    assert found.media_type == "image/png"
    assert found.final_url == f"http://img.example:{server.port}/a.png?x=1"
    target, headers = server.requests[-1]
    assert target == "/a.png?x=1"
    assert headers["host"] == f"img.example:{server.port}"
    assert not {"cookie", "authorization", "referer"} & set(headers)


def test_gzip_is_decoded(server):
    assert fetch(fetcher(server), f"http://img.example:{server.port}/gzip").bytes == PNG


@pytest.mark.parametrize("path", ["/404", "/500"])
def test_a_status_other_than_200_is_refused(server, path):
    assert refused(fetcher(server), f"http://img.example:{server.port}{path}") == "fetch.status"


@pytest.mark.parametrize("path", ["/html", "/empty"])
def test_the_first_bytes_decide_not_the_header(server, path):
    assert refused(fetcher(server), f"http://img.example:{server.port}{path}") == "fetch.media_type"


HOSTILE_URLS = [
    ("http://img.example/a.png", "fetch.scheme"),
    ("file:///etc/passwd", "fetch.scheme"),
    ("data:image/png;base64,iVBORw0KGgo=", "fetch.scheme"),
    ("ftp://img.example/a.png", "fetch.scheme"),
    ("gopher://127.0.0.1:6379/_INFO", "fetch.scheme"),
    ("javascript:alert(1)", "fetch.scheme"),
    ("//img.example/a.png", "fetch.scheme"),
    ("a.png", "fetch.scheme"),
    ("", "fetch.scheme"),
    ("https://", "fetch.host"),
    ("https:///a.png", "fetch.host"),
    ("https://user:pw@img.example/a.png", "fetch.userinfo"),
    ("https://img.example@127.0.0.1/", "fetch.userinfo"),
    ("https://img.example:8443/a.png", "fetch.port"),
    ("https://img.example:22/", "fetch.port"),
    ("https://img.example:99999/", "fetch.port"),
    ("https://127.0.0.1/", "fetch.address"),
    ("https://127.1/", "fetch.host"),
    ("https://127.0.1/", "fetch.host"),
    ("https://2130706433/", "fetch.host"),
    ("https://0x7f000001/", "fetch.host"),
    ("https://0x7f.0.0.1/", "fetch.host"),
    ("https://0177.0.0.1/", None),
    ("https://017700000001/", "fetch.host"),
    ("https://0/", "fetch.host"),
    ("https://0.0.0.0/", "fetch.address"),
    ("https://127.0.0.1./", "fetch.address"),
    ("https://[::1]/", "fetch.address"),
    ("https://[::]/", "fetch.address"),
    ("https://[::ffff:127.0.0.1]/", "fetch.address"),
    ("https://[::ffff:7f00:1]/", "fetch.address"),
    ("https://[2002:7f00:1::]/", "fetch.address"),
    ("https://[64:ff9b::7f00:1]/", "fetch.address"),
    ("https://[64:ff9b::a9fe:a9fe]/", "fetch.address"),
    ("https://[2001:0:4136:e378:8000:63bf:80ff:fffe]/", "fetch.address"),
    ("https://[fd00:ec2::254]/", "fetch.address"),
    ("https://[fe80::1%25eth0]/", None),
    ("https://100.64.0.1/", "fetch.address"),
    ("https://169.254.169.254/latest/meta-data/", "fetch.address"),
    ("https://10.0.0.5/", "fetch.address"),
    ("https://192.168.1.1/", "fetch.address"),
    ("https://224.0.0.1/", "fetch.address"),
    ("https://255.255.255.255/", "fetch.address"),
    ("https://metadata.google.internal/", "fetch.host"),
    ("https://METADATA.google.internal./", "fetch.host"),
    ("https://instance-data/", "fetch.host"),
    ("https://localhost/", "fetch.address"),
    ("https://private.example/", "fetch.address"),
    ("https://mixed.example/", "fetch.address"),
    ("https://mixed6.example/", "fetch.address"),
    ("https://nowhere.example/", "fetch.name"),
    ("https://img.example\\@127.0.0.1/", "fetch.url"),
    ("https://img.example /", "fetch.url"),
    ("https://img.example/\r\nX-Evil: 1", "fetch.url"),
    ("https://img.example\t.evil/", "fetch.url"),
    ("https://img.example/" + "a" * 9000, "fetch.url"),
    ("https://１２７.０.０.１/", None),
    ("https://127。0。0。1/", None),
    ("https://ⓛocalhost/", None),
    ("https://-bad-.example/", None),
    ("https://a..example/", None),
    ("https://" + "a" * 64 + ".example/", None),
    ("https://[::1/", "fetch.url"),
    ("https://[v1.fe80]/", None),
    ("https://%31%32%37.0.0.1/", None),
]


@pytest.mark.parametrize(("url", "code"), HOSTILE_URLS)
def test_hostile_urls_are_refused_before_any_connection(url, code):
    names = Names(
        img_example=["93.184.216.34"],
        localhost=["127.0.0.1", "::1"],
        private_example=["10.1.2.3"],
        mixed_example=["93.184.216.34", "127.0.0.1"],
        mixed6_example=["93.184.216.34", "::ffff:10.0.0.1"],
    )
    found = refused(SafeFetcher(resolver=names), url)
    assert code is None or found == code


@given(st.text(max_size=60))
def test_no_text_makes_it_crash_or_connect(text):
    client = SafeFetcher(FetchPolicy(allow_http=True), resolver=Names())
    for url in (text, f"https://{text}", f"https://h.example/{text}", f"http://{text}@h.example"):
        assert refused(client, url)


def test_no_message_names_path_query_or_password():
    client = SafeFetcher(resolver=Names(img_example=["10.0.0.1"]))
    for url in ("https://u:hunter2@img.example/anna", "https://img.example/anna?token=hunter2"):
        with pytest.raises(FetchError) as caught:
            fetch(client, url)
        assert "hunter2" not in str(caught.value)
        assert "anna" not in str(caught.value)


def test_a_name_that_changes_its_mind_is_asked_once(server):
    names = Names(rebind_example=[["127.0.0.1"], ["10.0.0.1"]])
    assert fetch(fetcher(server, names), f"http://rebind.example:{server.port}/a.png").bytes == PNG
    assert names.asked == ["rebind.example"]
    # the other way round: a second, harmless answer does not save the first
    before = server.connections
    names = Names(rebind_example=[["127.0.0.1"], ["93.184.216.34"]])
    assert refused(fetcher(server, names, networks=()), f"http://rebind.example:{server.port}/a.png") == "fetch.address"
    assert server.connections == before


def test_the_second_judged_address_is_tried_when_the_first_is_dead(server):
    with socket.create_server(("127.0.0.2", 0)) as dead:
        dead.close()
    names = Names(img_example=["127.0.0.2", "127.0.0.1"])
    client = fetcher(server, names, networks=("127.0.0.0/8",))
    assert fetch(client, f"http://img.example:{server.port}/a.png").bytes == PNG


def test_an_allow_list_does_not_open_other_private_addresses(server):
    names = Names(mixed_example=["127.0.0.1", "10.0.0.1"])
    assert refused(fetcher(server, names), f"http://mixed.example:{server.port}/a.png") == "fetch.address"


REDIRECTS = [
    ("http://10.0.0.1/", "fetch.address"),
    ("http://169.254.169.254/latest", "fetch.address"),
    ("http://metadata.google.internal/", "fetch.host"),
    ("http://0x7f000001/", "fetch.host"),
    ("file:///etc/passwd", "fetch.scheme"),
    ("data:image/png;base64,AAAA", "fetch.scheme"),
    ("//user@b.example/", "fetch.userinfo"),
    ("http://b.example:22/", "fetch.port"),
    ("http://b.exa mple/", "fetch.url"),
    ("http://[::1", "fetch.url"),
    ("/loop", "fetch.redirects"),
    ("", "fetch.redirects"),
]


@pytest.mark.parametrize(("location", "code"), REDIRECTS)
def test_each_redirect_is_judged_anew(location, code):
    with serve({"/loop": respond(status="302 Found", headers={"Location": location})}) as server:
        assert refused(fetcher(server), f"http://img.example:{server.port}/loop") == code


def test_https_does_not_fall_back_to_http(tmp_path):
    server_context, client_context = make_tls(tmp_path, "img.example")
    reply = respond(status="301 Moved", headers={"Location": "http://b.example/a.png"})
    with serve({"/": reply}, server_context) as server:
        client = fetcher(server, allow_http=False, ssl_context=client_context)
        assert refused(client, f"https://img.example:{server.port}/") == "fetch.scheme"


@pytest.mark.parametrize(("hops", "works"), [(1, True), (3, True), (4, False)])
def test_three_redirects_and_no_more(hops, works):
    replies = {f"/{n}": respond(status="307 T", headers={"Location": f"/{n + 1}"}) for n in range(hops)}
    with serve({**replies, f"/{hops}": respond(PNG)}) as server:
        names = Names(img_example=["127.0.0.1"])
        client = fetcher(server, names)
        if works:
            assert fetch(client, f"http://img.example:{server.port}/0").final_url.endswith(f"/{hops}")
            assert len(names.asked) == hops + 1
        else:
            assert refused(client, f"http://img.example:{server.port}/0") == "fetch.redirects"


def test_tls_is_verified_for_the_name_not_the_address(tmp_path):
    server_context, client_context = make_tls(tmp_path, "img.example")
    seen = []
    server_context.sni_callback = lambda _socket, name, _context: seen.append(name)
    with serve({"/a.png": respond(PNG)}, server_context) as server:
        client = fetcher(server, allow_http=False, ssl_context=client_context)
        assert fetch(client, f"https://img.example:{server.port}/a.png").bytes == PNG
        assert seen == ["img.example"]
        with pytest.raises(FetchError, match="certificate"):
            fetch(client, f"https://b.example:{server.port}/a.png")
        with pytest.raises(FetchError, match="certificate"):
            fetch(fetcher(server), f"https://img.example:{server.port}/a.png")
        assert [target for target, _ in server.requests] == ["/a.png"]


def test_proxies_of_the_environment_are_not_used(server, monkeypatch):
    with serve({}) as proxy:
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        assert fetch(fetcher(server), f"http://img.example:{server.port}/a.png").bytes == PNG
        assert proxy.connections == 0


def test_a_body_over_the_limit_is_refused_by_its_header_or_its_bytes():
    def endless(connection, _target, _headers):
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(10_000):
            connection.sendall(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")

    replies = {"/said": respond(PNG, length=10**12), "/endless": endless, "/exact": respond(PNG)}
    with serve(replies) as server:
        client = fetcher(server)
        url = f"http://img.example:{server.port}"
        assert refused(client, f"{url}/said") == "fetch.too_large"
        assert refused(client, f"{url}/endless") == "fetch.too_large"
        assert refused(client, f"{url}/exact", max_bytes=len(PNG) - 1) == "fetch.too_large"
        assert fetch(client, f"{url}/exact", max_bytes=len(PNG)).bytes == PNG


def test_a_gzip_bomb_stays_small_in_memory():
    squeezer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(squeezer.compress(bytes(1 << 20)) for _ in range(300)) + squeezer.flush()
    assert len(bomb) < 400_000
    with serve({"/": respond(bomb, headers={"Content-Encoding": "gzip"})}) as server:
        tracemalloc.start()
        try:
            code = refused(fetcher(server), f"http://img.example:{server.port}/", max_bytes=1_000_000)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert code == "fetch.too_large"
    assert peak < 8_000_000


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("br", PNG),
        ("deflate", zlib.compress(PNG)),
        ("gzip, gzip", gzip.compress(gzip.compress(PNG, mtime=0), mtime=0)),
        ("gzip", PNG),
        ("gzip", gzip.compress(PNG, mtime=0)[:-12]),
        ("gzip", b""),
    ],
)
def test_other_and_broken_encodings_are_refused(encoding, body):
    with serve({"/": respond(body, headers={"Content-Encoding": encoding})}) as server:
        assert refused(fetcher(server), f"http://img.example:{server.port}/") == "fetch.encoding"


def test_bytes_after_the_gzip_stream_are_ignored():
    with serve(
        {"/": respond(gzip.compress(PNG, mtime=0) + b"x" * 50_000, headers={"Content-Encoding": "gzip"})}
    ) as server:
        assert fetch(fetcher(server), f"http://img.example:{server.port}/").bytes == PNG


def drip(start, piece, stop):
    def reply(connection, _target, _headers):
        connection.sendall(start)
        while not stop.wait(0.05):
            connection.sendall(piece)

    return reply


@pytest.mark.parametrize(
    ("start", "piece"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", b"x"),
        (b"HTTP/1.1 200 OK\r\n", b"x"),
        (b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n"),
    ],
)
def test_a_dripping_server_ends_at_the_total_time(start, piece):
    stop = threading.Event()
    with serve({"/": drip(start, piece, stop)}) as server:
        began = time.monotonic()
        code = refused(fetcher(server, total_timeout=0.6, read_timeout=0.3), f"http://img.example:{server.port}/")
        stop.set()
    assert code == "fetch.timeout"
    assert time.monotonic() - began < 3


def test_a_silent_server_ends_at_the_read_time():
    stop = threading.Event()
    with serve({"/": lambda *_: stop.wait(5)}) as server:
        began = time.monotonic()
        assert refused(fetcher(server, read_timeout=0.2), f"http://img.example:{server.port}/") == "fetch.timeout"
        stop.set()
    assert time.monotonic() - began < 3


def test_a_silent_resolver_ends_at_the_connect_time():
    stop = threading.Event()

    def slow(_name, _port):
        stop.wait(5)
        return ["127.0.0.1"]

    began = time.monotonic()
    assert refused(fetcher(names=slow, connect_timeout=0.2), "http://img.example/") == "fetch.timeout"
    stop.set()
    assert time.monotonic() - began < 3


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\x00" * 100,
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 300_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZZ\r\n",
    ],
)
def test_a_broken_answer_is_an_error_of_ours(answer):
    with serve({"/": lambda connection, *_: connection.sendall(answer)}) as server:
        assert refused(fetcher(server), f"http://img.example:{server.port}/") in {"fetch.failed", "fetch.status"}


def test_a_closed_port_is_an_error_of_ours():
    with serve({}) as server:
        pass
    assert refused(fetcher(server), f"http://img.example:{server.port}/") == "fetch.failed"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"RIFX\x00\x00\x00\x00WEBPVP8 ", UNKNOWN),
        (b"%PDF-1.7", "application/pdf"),
        (b'\xef\xbb\xbf <?xml version="1.0"?>\n<svg xmlns=""/>', "image/svg+xml"),
        (b"  <!DOCTYPE html>", "text/html"),
        (b"\x89PNG\r\n", UNKNOWN),
        (b"", UNKNOWN),
        (b"{}", UNKNOWN),
    ],
)
def test_media_types_by_magic(data, expected):
    assert media_type(data) == expected
