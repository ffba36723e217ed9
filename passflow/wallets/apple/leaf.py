"""What a Pass Type ID certificate says about itself: pass type, team, kind and dates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.x509.oid import NameOID, ObjectIdentifier

# Apple's extension that repeats the pass type identifier; some certificates hold a nickname there, and Wallet then refuses
PASS_TYPE_EXTENSION = ObjectIdentifier("1.2.840.113635.100.6.1.16")
_DER_STRINGS = {0x0C: "utf-8", 0x13: "ascii", 0x16: "ascii"}  # UTF8String, PrintableString, IA5String


@dataclass(frozen=True)
class LeafFacts:
    """The facts of one leaf certificate; a missing one is None.

    Attributes:
        pass_type_identifier: subject UID (0.9.2342.19200300.100.1.1).
        team_identifier: subject OU.
        extension: text of extension 1.2.840.113635.100.6.1.16; "" when it is there but unreadable.
        not_before: aware datetime from which it is valid.
        not_after: aware datetime until which it is valid.
    """

    pass_type_identifier: str | None
    team_identifier: str | None
    extension: str | None
    not_before: datetime
    not_after: datetime


def leaf_facts(certificate: x509.Certificate) -> LeafFacts:
    """Read the facts that Apple compares with pass.json.

    Args:
        certificate: the signer's certificate.

    Raises:
        ValueError: when the subject or the extensions cannot be decoded.
    """
    return LeafFacts(
        pass_type_identifier=_subject(certificate, NameOID.USER_ID),
        team_identifier=_subject(certificate, NameOID.ORGANIZATIONAL_UNIT_NAME),
        extension=_pass_type_extension(certificate),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
    )


def _subject(certificate: x509.Certificate, oid: ObjectIdentifier) -> str | None:
    found = certificate.subject.get_attributes_for_oid(oid)
    return str(found[0].value) if found else None


def _pass_type_extension(certificate: x509.Certificate) -> str | None:
    for extension in certificate.extensions:
        if extension.oid == PASS_TYPE_EXTENSION:
            return _der_text(extension.value.public_bytes())
    return None


def _der_text(value: bytes) -> str:
    # identifiers are short: only the one-byte DER length occurs
    if len(value) < 2 or value[0] not in _DER_STRINGS or value[1] != len(value) - 2:
        return ""
    try:
        return value[2:].decode(_DER_STRINGS[value[0]])
    except UnicodeDecodeError:
        return ""
