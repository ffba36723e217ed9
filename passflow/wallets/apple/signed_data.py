"""Reads a CMS signature with asn1crypto, independently of the code that writes ours."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

UNREADABLE = (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, RecursionError)


@dataclass(frozen=True)
class SignedData:
    """What a signature file says, not yet checked.

    Attributes:
        attached: the content inside, None when detached as it should be.
        signers: how many signed.
        digest: name of the digest algorithm, such as ``sha256``.
        scheme: name of the signature algorithm without its digest, such as ``rsassa_pkcs1v15``.
        covered: DER of the signed attributes as SET OF, None without attributes.
        message_digest: the attribute of that name.
        signing_time: the attribute of that name, aware.
        signature: raw.
        signer: DER of the signer's certificate, None when it is not embedded.
        certificates: DER of all embedded certificates.
    """

    attached: bytes | None
    signers: int
    digest: str
    scheme: str
    covered: bytes | None
    message_digest: bytes | None
    signing_time: datetime | None
    signature: bytes
    signer: bytes | None
    certificates: tuple[bytes, ...]


def read_signed_data(der: bytes) -> SignedData:
    """Read the first signer of a CMS.

    Args:
        der: the signature file.

    Raises:
        ValueError: when it is not a CMS SignedData in DER with at least one signer.
    """
    from asn1crypto import cms

    try:
        info = cms.ContentInfo.load(der, strict=True)
        if info["content_type"].native != "signed_data":
            raise ValueError("not SignedData")
        return _read(info["content"])
    except UNREADABLE as problem:
        raise ValueError("not a CMS SignedData") from problem


def _read(data: Any) -> SignedData:
    from asn1crypto import core

    signer = data["signer_infos"][0]
    attributes = signer["signed_attrs"]
    has_attributes = bool(attributes.native)
    values = {each["type"].native: each["values"] for each in attributes} if has_attributes else {}
    algorithm = signer["signature_algorithm"]
    content = data["encap_content_info"]["content"]
    embedded = [each.chosen for each in data["certificates"] if each.name == "certificate"]
    return SignedData(
        attached=None if isinstance(content, core.Void) else bytes(content),
        signers=len(data["signer_infos"]),
        digest=str(signer["digest_algorithm"]["algorithm"].native),
        scheme=str(algorithm.signature_algo),
        # RFC 5652 section 5.4: the signature covers the SET OF tag, not the [0] that stands in the file
        covered=attributes.untag().dump() if has_attributes else None,
        message_digest=_one(values.get("message_digest"), bytes),
        signing_time=_one(values.get("signing_time"), datetime),
        signature=bytes(signer["signature"].native),
        signer=_signer(signer["sid"], embedded),
        certificates=tuple(each.dump() for each in embedded),
    )


def _one(values: Any, kind: type) -> Any:
    if values is None or len(values) != 1:
        return None
    native = values[0].native
    return native if isinstance(native, kind) else None


def _signer(sid: Any, embedded: list[Any]) -> bytes | None:
    for each in embedded:
        if sid.name == "issuer_and_serial_number":
            named = sid.chosen["serial_number"].native == each.serial_number and sid.chosen["issuer"] == each.issuer
        else:
            named = sid.chosen.native == each.key_identifier
        if named:
            return bytes(each.dump())
    return None
