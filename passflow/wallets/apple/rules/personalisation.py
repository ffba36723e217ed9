"""Rules for personalization.json, with which a shop's NFC card asks its holder for a name.

Archived "Wallet Developer Guide: Rewards Card Personalization".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from passflow.wallets.apple.findings import Finding, error, warning
from passflow.wallets.apple.rules.keys import Kinds
from passflow.wallets.apple.rules.values import check_object

_KEYS: Kinds = {"description": "text", "requiredPersonalizationFields": "texts", "termsAndConditions": "text"}
_FIELDS = frozenset(
    f"PKPassPersonalizationField{kind}" for kind in ("Name", "PostalCode", "EmailAddress", "PhoneNumber")
)


def check_personalisation(value: object, document: Mapping[str, object], logo: bool) -> Iterator[Finding]:
    """Check personalization.json beside its pass.

    Args:
        value: the parsed file.
        document: pass.json.
        logo: whether the pass has a personalizationLogo.
    """
    yield from check_object("", value, _KEYS, ("description", "requiredPersonalizationFields"))
    fields = value.get("requiredPersonalizationFields") if isinstance(value, dict) else None
    if isinstance(fields, list) and (
        not fields or any(each not in _FIELDS for each in fields if isinstance(each, str))
    ):
        fix = f"Use one or more of {', '.join(sorted(_FIELDS))}."
        where = "requiredPersonalizationFields"
        yield error("personalisation.fields", where, "Wallet does not know this value, or there is none.", fix)
    if not document.get("nfc"):
        message = "Only passes with NFC are personalised."
        yield warning("personalisation.nfc", "", message, "Add nfc to pass.json, or remove the file.")
    if not document.get("webServiceURL"):
        message = "Without webServiceURL the answer has nowhere to go."
        yield error("personalisation.web_service", "", message, "Add webServiceURL and authenticationToken.")
    if not logo:
        message = "The form shows personalizationLogo, which is missing."
        yield warning("personalisation.logo", "", message, "Add personalizationLogo@2x.png.")
