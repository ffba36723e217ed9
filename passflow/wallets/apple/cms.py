"""The bytes of a detached CMS signature (RFC 5652), written without an ASN.1 library.

Everything but the signing time, the digest and the signature is constant for a certificate, so it is encoded once;
encoding the structure per pass costs three times the RSA operation itself.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric import rsa

from passflow.wallets.apple.certificates import SignerCertificates

_DATA = bytes.fromhex("06092a864886f70d010701")  # 1.2.840.113549.1.7.1
_SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")  # 1.2.840.113549.1.7.2
_CONTENT_TYPE = bytes.fromhex("06092a864886f70d010903")  # RFC 5652 section 11.1
_MESSAGE_DIGEST = bytes.fromhex("06092a864886f70d010904")  # section 11.2
_SIGNING_TIME = bytes.fromhex("06092a864886f70d010905")  # section 11.3
# with NULL parameters, as `openssl smime -sign` writes it: most passes in the field carry this form
_SHA256 = bytes.fromhex("300d06096086480165030402010500")
_RSA = bytes.fromhex("300d06092a864886f70d0101010500")  # rsaEncryption with NULL, RFC 3370 section 3.2
_ECDSA_SHA256 = bytes.fromhex("300a06082a8648ce3d040302")  # RFC 5754 section 3.3: parameters absent
_SEQUENCE, _SET, _OCTETS, _INTEGER, _UTC_TIME, _GENERAL_TIME, _CONTEXT_0 = 0x30, 0x31, 0x04, 0x02, 0x17, 0x18, 0xA0


def signed_attributes(content: bytes, signing_time: datetime) -> bytes:
    """Encode the DER SET of attributes that the signature covers.

    Args:
        content: the signed file, manifest.json for a pass.
        signing_time: aware datetime; fractions of a second are dropped.
    """
    # DER sorts a SET OF by encoding; the lengths alone decide here: content type, time, digest
    return _before_digest(signing_time) + hashlib.sha256(content).digest()


@lru_cache(maxsize=1024)
def _before_digest(signing_time: datetime) -> bytes:
    """Encode the attributes up to the digest, which comes last; passes of one second share them."""
    moment = signing_time.astimezone(UTC)
    # RFC 5652 section 11.3: UTCTime through 2049, GeneralizedTime from 2050
    tag, form = (_UTC_TIME, "%y%m%d%H%M%SZ") if moment.year < 2050 else (_GENERAL_TIME, "%Y%m%d%H%M%SZ")
    time = _tlv(_SEQUENCE, _SIGNING_TIME, _tlv(_SET, _tlv(tag, moment.strftime(form).encode())))
    digest = _tlv(_SEQUENCE, _MESSAGE_DIGEST, _tlv(_SET, _tlv(_OCTETS, bytes(32))))
    return _tlv(_SET, _CONTENT_TYPE_ATTRIBUTE, time, digest)[:-32]


def encode_signed_data(certificates: SignerCertificates, attributes: bytes, signature: bytes) -> bytes:
    """Encode a whole detached CMS from its parts.

    Args:
        certificates: leaf and intermediates, all embedded.
        attributes: as `signed_attributes` gives them.
        signature: raw signature over `attributes`.
    """
    head, algorithm = _skeleton(certificates, len(attributes), len(signature))
    # inside the structure the attributes' tag is [0] IMPLICIT; the signature covers them as SET (section 5.4)
    return b"".join((head, b"\xa0", attributes[1:], algorithm, signature))


def signature_of(certificates: SignerCertificates, attributes: bytes, cms: bytes) -> bytes | None:
    """Take the raw signature out of a CMS that `encode_signed_data` wrote; None when any other byte differs."""
    for length in _signature_lengths(certificates):
        head, algorithm = _skeleton(certificates, len(attributes), length)
        start = len(head) + len(attributes) + len(algorithm)
        if len(cms) == start + length and encode_signed_data(certificates, attributes, cms[start:]) == cms:
            return cms[start:]
    return None


def _signature_lengths(certificates: SignerCertificates) -> range:
    key = certificates.public_key
    if isinstance(key, rsa.RSAPublicKey):
        size = (key.key_size + 7) // 8
        return range(size, size + 1)
    # ECDSA: SEQUENCE of two INTEGERs of at most the curve's size and one sign byte each; small numbers are shorter
    return range(8, 2 * ((key.curve.key_size + 7) // 8 + 3) + 4)


@lru_cache(maxsize=256)
def _skeleton(certificates: SignerCertificates, attributes_length: int, signature_length: int) -> tuple[bytes, bytes]:
    """Encode what stands before the attributes, and between them and the signature."""
    leaf = certificates.certificate
    issuer = leaf.issuer.public_bytes()
    serial = leaf.serial_number.to_bytes(leaf.serial_number.bit_length() // 8 + 1, "big")
    algorithm = _RSA if isinstance(certificates.public_key, rsa.RSAPublicKey) else _ECDSA_SHA256
    between = algorithm + _header(_OCTETS, signature_length)
    signer = b"".join((b"\x02\x01\x01", _tlv(_SEQUENCE, issuer, _tlv(_INTEGER, serial)), _SHA256))
    after = attributes_length + len(between) + signature_length
    signer_header = _header(_SEQUENCE, len(signer) + after)
    signers_header = _header(_SET, len(signer_header) + len(signer) + after)
    embedded = _tlv(_CONTEXT_0, *sorted((certificates.leaf, *certificates.intermediates)))
    body = b"".join((b"\x02\x01\x01", _tlv(_SET, _SHA256), _tlv(_SEQUENCE, _DATA), embedded))
    body += signers_header + signer_header + signer
    body_header = _header(_SEQUENCE, len(body) + after)
    explicit_header = _header(_CONTEXT_0, len(body_header) + len(body) + after)
    inner = _SIGNED_DATA + explicit_header + body_header + body
    return _header(_SEQUENCE, len(inner) + after) + inner, between


def _header(tag: int, length: int) -> bytes:
    if length < 0x80:
        return bytes((tag, length))
    size = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(size))) + size


def _tlv(tag: int, *parts: bytes) -> bytes:
    value = b"".join(parts)
    return _header(tag, len(value)) + value


_CONTENT_TYPE_ATTRIBUTE = _tlv(_SEQUENCE, _CONTENT_TYPE, _tlv(_SET, _DATA))
