"""The codes of Apple's pass.json: barcodes and NFC.

Keys: https://developer.apple.com/documentation/walletpasses/pass/barcodes and …/pass/nfc
"""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from typing import Any, Final

from passflow.model import Values
from passflow.template.design import Template
from passflow.template.expression import compile_text
from passflow.template.neutral import ReadyBarcode
from passflow.template.nodes import node_of, without_none
from passflow.template.problems import value_error
from passflow.template.slots import Setting
from passflow.template.symbols import message_fault
from passflow.template.tree import OMIT, Leaf, Needs

FORMATS: Final[Mapping[str, str]] = {
    "qr": "PKBarcodeFormatQR",
    "pdf417": "PKBarcodeFormatPDF417",
    "aztec": "PKBarcodeFormatAztec",
    "code128": "PKBarcodeFormatCode128",
    "ean13": "PKBarcodeFormatEAN13",
    "code39": "PKBarcodeFormatCode39",
    "codabar": "PKBarcodeFormatCodabar",
    "itf": "PKBarcodeFormatI2of5",
}
"""Formats that Apple knows; the others are for other wallets and left out."""


NFC_BYTES: Final = 64


def barcode_tree(code: ReadyBarcode) -> dict[str, Any]:
    """Lay out one code in a format of `FORMATS`; without a message it is left out."""
    node, format_, fixed = code.message.node(), code.format, code.encoding
    path = code.message.path
    if isinstance(node, str):
        message: Any = node
        encoding: Any = fixed or message_encoding(node)
    else:
        fill_message = node.fill

        def fill(values: Values, locale: str) -> Any:
            text = fill_message(values, locale)
            if text is not OMIT and (fault := message_fault(format_, text, fixed)):
                raise value_error(path, f"a {format_} code cannot hold a member's value: {fault[0]}", fault[1])
            return text

        def encode(values: Values, locale: str) -> Any:
            text = fill_message(values, locale)
            return OMIT if text is OMIT else message_encoding(text)

        message = Leaf(fill, node.sample)
        encoding = fixed or Leaf(encode)
    tree = {"format": FORMATS[format_], "message": message, "messageEncoding": encoding, "altText": node_of(code.alt)}
    return Needs(without_none(tree), ("message",))


def message_encoding(message: str) -> str:
    """Choose the usual character set of scanners where the message fits into it, otherwise utf-8."""
    if message.isascii():
        return "iso-8859-1"
    try:
        codecs.encode(message, "iso-8859-1")
    except UnicodeEncodeError:
        return "utf-8"
    return "iso-8859-1"


def nfc_tree(template: Template, setting: Setting, path: str) -> dict[str, Any] | None:
    """Lay out what is handed to a reader; without a message it is left out."""
    nfc = template.nfc
    if nfc is None:
        return None
    where = f"{path}.nfc.message"
    node = compile_text(nfc.message, where, setting, "machine").node()
    if isinstance(node, Leaf):
        node = Leaf(_short_enough(node, where), node.sample)
    tree = {
        "message": node,
        "encryptionPublicKey": nfc.public_key,
        "requiresAuthentication": nfc.requires_authentication,
    }
    return Needs(without_none(tree), ("message",))


def _short_enough(leaf: Leaf, path: str) -> Any:
    def fill(values: Values, locale: str) -> Any:
        text = leaf.fill(values, locale)
        if text is not OMIT and len(text.encode()) > NFC_BYTES:
            raise value_error(
                path, f"a member's NFC message is longer than {NFC_BYTES} bytes", "Use a shorter identifier"
            )
        return text

    return fill
