"""The fake APNs, asked by another client (httpx): it refuses what APNs refuses, and misbehaves when told to."""

from __future__ import annotations

import contextlib
import socket
import ssl

import h2.config
import h2.connection
import httpx
import pytest

from passflow.errors import CertificateError
from passflow.testing.apns import FakeApns, Goaway, Reply

from .push_helpers import TOPIC, fake_apns, material


def client(apns: FakeApns, *, http2: bool = True, with_certificate: bool = True) -> httpx.Client:
    from passflow.wallets.apple.push_auth import client_context

    made = material()
    identity = (made.client, made.client_key) if with_certificate else (None, None)
    context = client_context(*identity, trust=made.root)
    return httpx.Client(base_url=f"https://127.0.0.1:{apns.port}", verify=context, http1=not http2, http2=http2)


# https://developer.apple.com/documentation/usernotifications/handling-notification-responses-from-apns
@pytest.mark.parametrize(
    ("method", "path", "headers", "body", "status", "reason"),
    [
        ("POST", "/3/device/ab12", {"apns-topic": TOPIC}, b"{}", 200, None),
        ("POST", "/3/device/ab12", {"apns-topic": TOPIC}, b"", 400, "PayloadEmpty"),
        ("POST", "/3/device/ab12", {"apns-topic": TOPIC}, b" " * 4097, 413, "PayloadTooLarge"),
        ("POST", "/3/device/ab12", {}, b"{}", 400, "MissingTopic"),
        ("POST", "/3/device/ab12", {"apns-topic": ""}, b"{}", 400, "MissingTopic"),
        ("POST", "/3/device/", {"apns-topic": TOPIC}, b"{}", 400, "MissingDeviceToken"),
        ("POST", "/3/devices/ab12", {"apns-topic": TOPIC}, b"{}", 404, "BadPath"),
        ("POST", "/3/device/ab12/cd", {"apns-topic": TOPIC}, b"{}", 404, "BadPath"),
        ("GET", "/3/device/ab12", {"apns-topic": TOPIC}, b"{}", 405, "MethodNotAllowed"),
        ("PUT", "/3/device/ab12", {"apns-topic": TOPIC}, b"{}", 405, "MethodNotAllowed"),
    ],
)
def test_requests_are_judged_as_apns_does(method, path, headers, body, status, reason):
    with fake_apns() as apns, client(apns) as http:
        answer = http.request(method, path, headers=headers, content=body)
    assert answer.http_version == "HTTP/2"
    assert answer.status_code == status
    assert len(answer.headers["apns-id"]) == 36
    if reason:
        assert answer.json() == {"reason": reason}
        assert reason in apns.violations
        assert apns.pushes == []
    else:
        assert answer.content == b""
        assert apns.tokens == ["ab12"]


def test_headers_that_may_be_indexed_and_other_bodies_are_noted():
    with fake_apns() as apns, client(apns) as http:
        http.post("/3/device/ab12", headers={"apns-topic": TOPIC, "authorization": "bearer x"}, content=b'{"aps":{}}')
    assert set(apns.violations) >= {":path may be indexed", "the body is not {}"}


def test_a_repeated_header_is_refused():
    with fake_apns() as apns, client(apns) as http:
        twice = [("apns-topic", TOPIC), ("apns-topic", TOPIC)]
        answer = http.post("/3/device/ab12", headers=twice, content=b"{}")
    assert (answer.status_code, answer.json()) == (400, {"reason": "DuplicateHeaders"})


def test_a_header_of_one_connection_ends_it():
    from passflow.wallets.apple.push_auth import client_context

    made = material()
    context = client_context(made.client, made.client_key, trust=made.root)
    careless = h2.connection.H2Connection(
        h2.config.H2Configuration(validate_outbound_headers=False, normalize_outbound_headers=False)
    )
    with fake_apns() as apns, socket.create_connection(("127.0.0.1", apns.port), timeout=5) as plain:
        with context.wrap_socket(plain, server_hostname="127.0.0.1") as secure:
            careless.initiate_connection()
            head = [(":method", "POST"), (":scheme", "https"), (":authority", "a"), (":path", "/3/device/ab12")]
            careless.send_headers(1, [*head, ("apns-topic", TOPIC), ("connection", "keep-alive")])
            careless.send_data(1, b"{}", end_stream=True)
            secure.sendall(careless.data_to_send())
            with contextlib.suppress(OSError):
                while secure.recv(4096):
                    pass
    assert apns.violations == ["ProtocolError"]
    assert apns.pushes == []


def test_http_1_is_not_spoken():
    with fake_apns() as apns, client(apns, http2=False) as http:
        with pytest.raises(httpx.HTTPError):
            http.post("/3/device/ab12", headers={"apns-topic": TOPIC}, content=b"{}")


def test_a_client_certificate_is_demanded():
    with fake_apns() as apns, client(apns, with_certificate=False) as http:
        with pytest.raises(httpx.HTTPError):
            http.post("/3/device/ab12", headers={"apns-topic": TOPIC}, content=b"{}")
    assert apns.pushes == []


def test_scripted_replies_come_in_turn_and_the_last_stays():
    with fake_apns() as apns, client(apns) as http:
        apns.script("ab12", Reply(503, "Shutdown"), Reply(410, "Unregistered", timestamp=7))
        answers = [http.post("/3/device/ab12", headers={"apns-topic": TOPIC}, content=b"{}") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [503, 410, 410]
    assert answers[1].json() == {"reason": "Unregistered", "timestamp": 7}


def test_another_client_understands_its_goaway():
    with fake_apns(goaway=Goaway(after=1, keep=0)) as apns, client(apns) as http:
        with pytest.raises(httpx.RemoteProtocolError, match=b'{"reason": "Shutdown"'.hex()[:24]):
            http.post("/3/device/ab12", headers={"apns-topic": TOPIC}, content=b"{}")
    assert (apns.goaways, apns.pushes) == (1, [])


def test_it_wants_a_certificate_that_fits_its_key():
    made = material()
    with pytest.raises(CertificateError):
        FakeApns(made.server, made.client_key)


def test_the_port_is_free_again_afterwards():
    with fake_apns() as apns:
        port = apns.port
    with pytest.raises(OSError):
        ssl.get_server_certificate(("127.0.0.1", port), timeout=1)
