"""Rules for what a reader reads: barcodes and NFC."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping

from passflow.wallets.apple.findings import Finding, error, info, warning
from passflow.wallets.apple.rules.keys import BARCODE, LEGACY_FORMATS, NEW_FORMATS, NFC
from passflow.wallets.apple.rules.values import check_object, join, objects

# IANA names whose Python codec is the same table; others are not tried, Python has codecs that are no character sets
_ENCODING = re.compile(
    r"(?:iso-8859-\d{1,2}|utf-8|utf-16|us-ascii|windows-125\d|shift_jis|iso-2022-jp|gb2312|big5)", re.I
)


def check_codes(document: Mapping[str, object]) -> Iterator[Finding]:
    """Check ``barcodes``, the deprecated ``barcode`` and ``nfc``."""
    barcodes = document.get("barcodes")
    for number, each in enumerate(barcodes if isinstance(barcodes, list) else ()):
        yield from _check_barcode(f"barcodes[{number}]", each)
    if isinstance(barcodes, list) and not barcodes:
        yield warning("barcode.none", "barcodes", "The list is empty.", "Add a barcode or remove the key.")
    formats = [str(each.get("format")) for _, each in objects("barcodes", barcodes)]
    if any(each in NEW_FORMATS for each in formats) and not any(each in LEGACY_FORMATS for each in formats):
        yield warning(
            "barcode.fallback",
            "barcodes",
            "Before iOS 27 no code is shown: the list has only formats that are new there.",
            "Add QR, PDF417, Aztec or Code 128 at the end of the list.",
        )
    if "barcode" in document:
        yield from _check_barcode("barcode", document["barcode"])
        yield info("barcode.deprecated", "barcode", "The key barcode is deprecated.", "Use the list barcodes.")
    if "nfc" in document:
        yield from _check_nfc(document["nfc"])


def first_format(document: Mapping[str, object]) -> str | None:
    """Return the format of the first barcode; None without one."""
    for _, each in objects("barcodes", document.get("barcodes")):
        return str(each.get("format"))
    barcode = document.get("barcode")
    return str(barcode.get("format")) if isinstance(barcode, dict) else None


def _check_barcode(where: str, value: object) -> Iterator[Finding]:
    yield from check_object(where, value, BARCODE, ("message", "format", "messageEncoding"))
    if not isinstance(value, dict):
        return
    kind, message, encoding = value.get("format"), value.get("message"), value.get("messageEncoding")
    if isinstance(kind, str) and kind not in LEGACY_FORMATS | NEW_FORMATS:
        fix = f"Use {', '.join(sorted(LEGACY_FORMATS))}."
        yield error("barcode.format", join(where, "format"), "Wallet does not know this barcode format.", fix)
    if not isinstance(message, str) or not isinstance(encoding, str) or not encoding:
        return
    if not _ENCODING.fullmatch(encoding):
        message = "This is not a usual character set."
        yield warning("barcode.encoding", join(where, "messageEncoding"), message, "Use iso-8859-1 or utf-8.")
        return
    try:
        message.encode(encoding)
    except (UnicodeError, LookupError):
        yield error(
            "barcode.encoding",
            join(where, "message"),
            "The message has letters that messageEncoding cannot express: no code is shown.",
            "Use utf-8, or other letters.",
        )


def _check_nfc(value: object) -> Iterator[Finding]:
    yield from check_object("nfc", value, NFC, ("message", "encryptionPublicKey"))
    if not isinstance(value, dict):
        return
    message, key = value.get("message"), value.get("encryptionPublicKey")
    if isinstance(message, str) and len(message.encode("utf-8", "surrogatepass")) > 64:
        yield warning("nfc.message", "nfc.message", "Wallet cuts messages after 64 bytes.", "Shorten it to 64 bytes.")
    if isinstance(key, str) and key and not _is_p256_key(key):
        yield error(
            "nfc.key",
            "nfc.encryptionPublicKey",
            "This is not the Base64 of a P-256 public key (X.509 SubjectPublicKeyInfo).",
            "Use the body of the PEM that `openssl ec -pubout` writes, without its BEGIN and END lines.",
        )


def _is_p256_key(text: str) -> bool:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    try:
        key = load_der_public_key(base64.b64decode(text, validate=True))
    except (ValueError, UnsupportedAlgorithm):
        return False
    return isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1)
