"""Barcodes: what the modules say, read back by a reader that knows nothing of our drawing."""

import numpy as np
import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st

from passflow.errors import ConfigError
from passflow.template.barcode import FORMATS, MAX_MESSAGE, Symbol, encode_barcode

MESSAGES = {
    "PKBarcodeFormatQR": "https://example.com/m/10042",
    "PKBarcodeFormatPDF417": "M1DESMARAIS/LUC       EABC123 YULFRAAC 0834 326J001A0025 100",
    "PKBarcodeFormatAztec": "GOLD-10042",
    "PKBarcodeFormatCode128": "GOLD-10042",
    "PKBarcodeFormatEAN13": "4006381333931",
    "PKBarcodeFormatCode39": "GOLD 10042",
    "PKBarcodeFormatCodabar": "A10042B",
    "PKBarcodeFormatI2of5": "00100420",
}
READ_AS = {
    "PKBarcodeFormatQR": "QR Code",
    "PKBarcodeFormatPDF417": "PDF417",
    "PKBarcodeFormatAztec": "Aztec",
    "PKBarcodeFormatCode128": "Code 128",
    "PKBarcodeFormatEAN13": "EAN-13",
    "PKBarcodeFormatCode39": "Code 39",
    "PKBarcodeFormatCodabar": "Codabar",
    "PKBarcodeFormatI2of5": "ITF",
}


def scan(symbol):
    modules = np.array(symbol.rows, dtype=np.uint8)
    if symbol.linear:
        modules = np.repeat(modules, 40, axis=0)
    pixels = np.repeat(np.repeat(1 - modules, 4, axis=0), 4, axis=1) * 255
    return zxingcpp.read_barcode(np.pad(pixels, 60, constant_values=255).astype(np.uint8))


def test_all_of_apples_formats_are_known():
    assert set(FORMATS) == set(MESSAGES)


@pytest.mark.parametrize("name", list(FORMATS))
def test_modules_read_back(name):
    symbol = encode_barcode(name, MESSAGES[name])
    found = scan(symbol)
    assert found.text == MESSAGES[name]
    assert str(found.format) == READ_AS[name]
    assert symbol.square is (name in ("PKBarcodeFormatQR", "PKBarcodeFormatAztec"))
    assert symbol.linear is (name not in ("PKBarcodeFormatQR", "PKBarcodeFormatAztec", "PKBarcodeFormatPDF417"))
    if symbol.square:
        assert symbol.width == symbol.height
    if symbol.linear:
        assert symbol.height == 1


@pytest.mark.parametrize("name", ["PKBarcodeFormatQR", "PKBarcodeFormatAztec", "PKBarcodeFormatPDF417"])
@pytest.mark.parametrize(
    ("message", "encoding", "expected"),
    [
        ("Grüße", "iso-8859-1", "Grüße".encode("latin-1")),
        ("Grüße", "utf-8", "Grüße".encode()),
        ("Grüße", "no-such-charset", "Grüße".encode()),
        ("日本", "iso-8859-1", "日本".encode()),
        ("Привет", "windows-1251", "Привет".encode("cp1251")),
    ],
)
def test_the_declared_encoding_reaches_the_scanner(name, message, encoding, expected):
    assert scan(encode_barcode(name, message, encoding)).bytes == expected


@settings(max_examples=40, deadline=None)
@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=80))
def test_any_ascii_survives_qr_and_code128(text):
    assert scan(encode_barcode("PKBarcodeFormatQR", text)).text == text
    assert scan(encode_barcode("PKBarcodeFormatCode128", text[:30])).text == text[:30]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("QR", "x"),
        ("", "x"),
        ("PKBarcodeFormatQR", ""),
        ("PKBarcodeFormatQR", "x" * (MAX_MESSAGE + 1)),
        ("PKBarcodeFormatQR", "ü" * 4000),
        ("PKBarcodeFormatQR", "x" * 10_000_000),
        ("PKBarcodeFormatPDF417", "x" * 4000),
        ("PKBarcodeFormatEAN13", "secret-text"),
        ("PKBarcodeFormatEAN13", "4006381333932"),
        ("PKBarcodeFormatI2of5", "12a"),
        ("PKBarcodeFormatCode39", "ü"),
    ],
)
def test_what_cannot_be_drawn_is_an_error_that_quotes_nothing(name, message):
    with pytest.raises(ConfigError) as caught:
        encode_barcode(name, message)
    assert caught.value.error_code == "barcode.invalid"
    assert caught.value.__cause__ is None
    assert len(message) < 3 or message not in str(caught.value)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(FORMATS)), st.text(max_size=60))
def test_no_message_crashes(name, message):
    try:
        symbol = encode_barcode(name, message)
    except ConfigError:
        return
    assert symbol.width > 0


def test_the_path_covers_exactly_the_dark_modules():
    rows = ((True, True, False, True), (True, True, False, True), (False, True, False, False))
    path = Symbol(rows, linear=False, square=False).path()
    assert path == "M0 0h2v2h-2zM3 0h1v2h-1zM1 2h1v1h-1z"
