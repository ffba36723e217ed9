"""The bytes on the wire, read by hpack and by hyperframe."""

from __future__ import annotations

import hpack
import pytest
from h2.exceptions import FrameTooLargeError
from hyperframe.frame import DataFrame, Frame, GoAwayFrame, HeadersFrame, PingFrame, SettingsFrame
from hypothesis import given
from hypothesis import strategies as st

from passflow.wallets.apple.h2_wire import GoawayFilter, PathEncoder, encode_block

NAMES = st.text("abcdefghijklmnopqrstuvwxyz-", min_size=1, max_size=40)
VALUES = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=300)


def encode(path: str, authority: str, headers, bearer=None, resize=()) -> bytes:
    encoder = PathEncoder()
    for size in resize:
        encoder.header_table_size = size
    encoder.block = encode_block(authority, headers, bearer)
    return encoder.encode([(b":path", path.encode())])


@given(VALUES, VALUES, st.lists(st.tuples(NAMES, VALUES), max_size=4), st.one_of(st.none(), VALUES.filter(bool)))
def test_hpack_reads_every_header_back(path, authority, headers, bearer):
    decoded = hpack.Decoder().decode(encode(path, authority, tuple(headers), bearer))
    expected = [(":path", path), (":method", "POST"), (":scheme", "https"), (":authority", authority), *headers]
    assert [tuple(pair) for pair in decoded] == expected + ([("authorization", bearer)] if bearer else [])


def test_nothing_secret_may_be_indexed():
    block = encode("/3/device/ab12", "api.push.apple.com", (("apns-topic", "pass.a"),), "bearer x.y.z")
    decoder = hpack.Decoder()
    never = {pair[0] for pair in decoder.decode(block) if isinstance(pair, hpack.NeverIndexedHeaderTuple)}
    assert {":path", "authorization"} <= never
    assert len(decoder.header_table.dynamic_entries) == 0


def test_a_table_size_that_the_server_changes_is_acknowledged():
    decoder = hpack.Decoder()
    decoder.max_allowed_table_size = 100  # hpack refuses a block that does not begin with the smaller size
    decoded = decoder.decode(encode("/3/device/ab12", "a", (), resize=(100,)))
    assert decoded[0] == (":path", "/3/device/ab12")


def test_a_token_longer_than_one_length_byte():
    for length in (100, 116, 117, 118, 127, 128, 1000):
        path = "/3/device/" + "a" * length
        assert hpack.Decoder().decode(encode(path, "a", ()))[0][1] == path


FRAMES = st.lists(
    st.one_of(
        st.binary(max_size=60).map(lambda data: DataFrame(1, data)),
        st.binary(max_size=60).map(lambda data: HeadersFrame(3, data, flags=["END_HEADERS"])),
        st.binary(min_size=8, max_size=8).map(lambda data: PingFrame(0, data)),
        st.just(SettingsFrame(0)),
        st.tuples(st.integers(0, 2**31 - 1), st.binary(max_size=60)).map(
            lambda pair: GoAwayFrame(0, last_stream_id=pair[0], additional_data=pair[1])
        ),
    ),
    max_size=12,
)


@given(FRAMES, st.lists(st.integers(1, 50), max_size=60))
def test_goaway_alone_is_kept_back_however_the_bytes_are_cut(frames: list[Frame], cuts):
    stream = b"".join(frame.serialize() for frame in frames)
    log: list[bytes] = []
    sieve = GoawayFilter(lambda payload: log.append(b"GOAWAY" + payload), 16_384)
    position = 0
    for size in [*cuts, len(stream)]:
        log.extend(sieve.feed(stream[position : position + size]))
        position += size
    expected = b"".join(
        b"GOAWAY" + frame.serialize()[9:] if isinstance(frame, GoAwayFrame) else frame.serialize() for frame in frames
    )
    assert b"".join(log) == expected  # in their order, too


@given(st.binary(max_size=400))
def test_any_bytes_pass_or_are_refused(data):
    seen = []
    sieve = GoawayFilter(lambda _: seen.append(9), 16_384)
    try:
        passed = b"".join(sieve.feed(data))
    except FrameTooLargeError:
        return
    assert len(passed) <= len(data)


def test_a_web_server_of_the_past_is_told_apart_at_once():
    with pytest.raises(FrameTooLargeError):
        list(GoawayFilter(lambda _: None, 16_384).feed(b"HTTP/1.1 400 Bad Request\r\n"))
