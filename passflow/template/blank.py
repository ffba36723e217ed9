"""What is left of a pass after an erasure: its look, without a word of anybody, voided and expired."""

from __future__ import annotations

from typing import Any, Final

from passflow.template.apple import LONG_PAST, AppleEnvelope
from passflow.template.compile import CompiledTemplate
from passflow.template.text import languages_of

# https://developer.apple.com/documentation/walletpasses/passfields/boardingpass
_TRANSIT: Final = {
    "air": "PKTransitTypeAir",
    "boat": "PKTransitTypeBoat",
    "bus": "PKTransitTypeBus",
    "train": "PKTransitTypeTrain",
    "generic": "PKTransitTypeGeneric",
}


def render_blank(compiled: CompiledTemplate, envelope: AppleEnvelope) -> dict[str, Any]:
    """Render a pass.json that shows nothing of a member; a phone that fetches it replaces what it held."""
    template = compiled.template
    locale = template.locale

    def plain(text: str | dict[str, str]) -> str:
        texts = languages_of(text, locale)
        return texts.get(locale, next(iter(texts.values())))

    document: dict[str, Any] = {
        "formatVersion": 1,
        "passTypeIdentifier": envelope.pass_type,
        "serialNumber": envelope.serial,
        "teamIdentifier": envelope.team,
        "organizationName": plain(template.organization),
        "description": plain(template.description),
        template.style: {"transitType": _TRANSIT[template.transit]} if template.transit else {},
        "expirationDate": LONG_PAST,
        "voided": True,
    }
    if envelope.authentication_token is not None:
        document["webServiceURL"] = envelope.web_service_url
        document["authenticationToken"] = envelope.authentication_token
    return document
