"""What each kind of code holds, against numbers from outside and an encoder of its own."""

from __future__ import annotations

import pytest
import zxingcpp
from hypothesis import given
from hypothesis import strategies as st

from passflow.template.symbols import message_fault

ENCODERS = {
    "ean13": zxingcpp.BarcodeFormat.EAN13,
    "ean8": zxingcpp.BarcodeFormat.EAN8,
    "upc_a": zxingcpp.BarcodeFormat.UPCA,
    "code39": zxingcpp.BarcodeFormat.Code39,
    "itf": zxingcpp.BarcodeFormat.ITF,
}


@pytest.mark.parametrize(
    ("kind", "message"),
    [  # GS1 General Specifications, figure 7.9.1; an ISBN; a printed chocolate bar; AIM's own examples
        ("ean13", "6291041500213"),
        ("ean13", "9780201379624"),
        ("ean13", "4006381333931"),
        ("ean8", "96385074"),
        ("upc_a", "036000291452"),
        ("code39", "ABC-123 $/+%."),
        ("codabar", "A40156B"),
        ("codabar", "40156"),
        ("itf", "12345670"),
        ("code128", "Wikipedia~\x7f"),
        ("qr", "日本 🎟"),
        ("pdf417", "\u200f"),
        ("aztec", "é"),
    ],
)
def test_sound_messages(kind: str, message: str) -> None:
    assert message_fault(kind, message) is None


@pytest.mark.parametrize(
    ("kind", "message", "hint"),
    [
        ("ean13", "6291041500214", "check digit"),
        ("ean13", "629104150021", "13 digits"),
        ("ean13", "６２９１０４１５００２１３", "13 digits"),
        ("ean8", "96385075", "check digit"),
        ("upc_a", "036000291453", "check digit"),
        ("code39", "abc", "capitals"),
        ("codabar", "E12E", "digits and"),
        ("itf", "123", "even count"),
        ("code128", "ü", "ASCII"),
    ],
)
def test_a_message_that_does_not_fit_is_explained(kind: str, message: str, hint: str) -> None:
    fault = message_fault(kind, message)
    assert fault is not None and hint in fault[0] and fault[1]


@given(st.sampled_from(["ean13", "ean8", "upc_a"]), st.text(alphabet="0123456789", min_size=7, max_size=13))
def test_check_digits_are_those_of_an_encoder(kind: str, digits: str) -> None:
    length = {"ean13": 13, "ean8": 8, "upc_a": 12}[kind]
    message = digits.rjust(length, "1")[:length]
    try:
        zxingcpp.create_barcode(message, ENCODERS[kind])
        encodes = True
    except Exception:
        encodes = False
    assert (message_fault(kind, message) is None) == encodes


@pytest.mark.parametrize(
    ("message", "encoding", "sound"),
    [
        ("é", "iso-8859-1", True),
        ("日", "iso-8859-1", False),
        ("日", "utf-8", True),
        ("日", "shift_jis", True),
        ("x", "klingon", False),
    ],
)
def test_the_character_set_is_checked(message: str, encoding: str, sound: bool) -> None:
    assert (message_fault("qr", message, encoding) is None) is sound
