"""Apple's rules for barcodes and NFC.

Sources: https://developer.apple.com/documentation/walletpasses/pass/barcodes and …/pass/nfc.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from typing import Any

from passflow.template.apple_field_rules import Fault
from passflow.template.apple_keys import LEGACY_CODES, NEW_CODES
from passflow.template.problems import closest
from passflow.template.tree import Leaf


def check_codes(tree: Mapping[str, Any]) -> Iterator[Fault]:
    """Check the barcodes: their formats, and that older devices get one too."""
    codes = tree.get("barcodes")
    if codes is None:
        return
    if not isinstance(codes, list):
        yield Fault("barcodes", "it is no list", "Give a list of codes")
        return
    formats = []
    for index, code in enumerate(codes):
        format_ = code.get("format") if isinstance(code, Mapping) else None
        formats.append(format_)
        if format_ not in LEGACY_CODES | NEW_CODES:
            fix = closest(str(format_), LEGACY_CODES | NEW_CODES)
            yield Fault(f"barcodes[{index}].format", "Wallet knows no such format", fix)
        for key in ("message", "messageEncoding"):
            if isinstance(code, Mapping) and not code.get(key):
                yield Fault(f"barcodes[{index}].{key}", "it is missing or empty", f"Add `{key}`")
    if formats and formats[-1] in NEW_CODES:
        what = "before iOS 27 this format does not show, and no older one follows"
        yield Fault(f"barcodes[{len(formats) - 1}].format", what, "Add a qr, pdf417, aztec or code128 code last")


def check_nfc(nfc: Any) -> Iterator[Fault]:
    """Check what is handed to a reader."""
    if nfc is None:
        return
    if not isinstance(nfc, Mapping):
        yield Fault("nfc", "it is no object", "Give `message` and `public_key`")
        return
    message = nfc.get("message")
    if not message:
        yield Fault("nfc.message", "it is missing or empty", "Add `message`")
    elif isinstance(message, str) and len(message.encode()) > 64:
        yield Fault("nfc.message", f"it has {len(message.encode())} bytes, more than 64", "Use a shorter one")
    key = nfc.get("encryptionPublicKey")
    if not isinstance(key, Leaf) and not (isinstance(key, str) and _is_p256(key)):
        what = "it is no base64 of an X.509 SubjectPublicKeyInfo on the curve P-256"
        yield Fault("nfc.encryptionPublicKey", what, "Export it with `openssl ec -pubout -outform DER | base64`")


def _is_p256(text: str) -> bool:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    try:
        key = load_der_public_key(base64.b64decode(text, validate=True))
    except (ValueError, binascii.Error, UnsupportedAlgorithm):
        return False
    return isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1)
