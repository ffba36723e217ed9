"""Apple's keys, constants and limits, as far as a template is judged by them.

Sources: https://developer.apple.com/documentation/walletpasses/pass, the archived PassKit guide ("Pass Styles"), and the
protocol files of github.com/apple/pass-builder.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final


def words(text: str) -> tuple[str, ...]:
    """Split a list of keys that is easier to read without quotes."""
    return tuple(text.split())


def choices(prefix: str, ends: str) -> frozenset[str]:
    """Spell Apple's constants from their prefix and the differing ends."""
    return frozenset(prefix + end for end in ends.split())


STYLES: Final = words("boardingPass coupon eventTicket generic storeCard posterGeneric")
TOP_KEYS: Final = frozenset(STYLES) | frozenset(
    words(
        "organizationName description logoText backgroundColor foregroundColor labelColor barcodes barcode nfc locations "
        "beacons maxDistance relevantDates relevantDate expirationDate sharingProhibited groupingIdentifier "
        "associatedStoreIdentifiers auxiliaryStoreIdentifiers appLaunchURL userInfo preferredStyleSchemes "
        "suppressStripShine footerBackgroundColor suppressHeaderDarkening useAutomaticColors eventLogoText stripColor "
        "logoSymbolName semantics upcomingPassInformation featuredActions"
    )
)
"""Keys that Apple documents, but for the many URLs of event guides and airlines."""

ENVELOPE: Final = frozenset(
    words("formatVersion passTypeIdentifier serialNumber teamIdentifier authenticationToken webServiceURL voided")
)
"""Keys that are the pass's own, never the template's."""

COLOURS: Final = words("backgroundColor foregroundColor labelColor footerBackgroundColor stripColor")
DATE: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)")

GROUPS: Final = words(
    "headerFields primaryFields secondaryFields auxiliaryFields backFields additionalInfoFields footerFields"
)
FIELD_KEYS: Final = frozenset(
    words(
        "key value label attributedValue changeMessage dataDetectorTypes textAlignment dateStyle timeStyle ignoresTimeZone "
        "isRelative numberStyle currencyCode semantics row"
    )
)
CHOICES: Final[Mapping[str, frozenset[str]]] = {
    "textAlignment": choices("PKTextAlignment", "Left Center Right Natural"),
    "dateStyle": choices("PKDateStyle", "None Short Medium Long Full"),
    "timeStyle": choices("PKDateStyle", "None Short Medium Long Full"),
    "numberStyle": choices("PKNumberStyle", "Decimal Percent Scientific SpellOut"),
    "dataDetectorTypes": choices("PKDataDetectorType", "PhoneNumber Link Address CalendarEvent"),
    "transitType": choices("PKTransitType", "Air Boat Bus Generic Train"),
}
_FRONT: Final = {"headerFields": 3, "primaryFields": 1, "secondaryFields": 4, "auxiliaryFields": 4, "footerFields": 0}
LIMITS: Final[Mapping[str, Mapping[str, int]]] = {
    **dict.fromkeys(STYLES, _FRONT),
    "boardingPass": {**_FRONT, "primaryFields": 2, "auxiliaryFields": 5},
    "posterGeneric": {**_FRONT, "primaryFields": 4, "footerFields": 2},
}
"""How many fields of a group a style shows."""

LEGACY_CODES: Final = choices("PKBarcodeFormat", "QR PDF417 Aztec Code128")
NEW_CODES: Final = choices("PKBarcodeFormat", "EAN13 Code39 Codabar I2of5")  # iOS 27
SQUARE_CODES: Final = choices("PKBarcodeFormat", "QR Aztec")

ACTIONS: Final = frozenset(
    words(
        "viewSchedule watchTrailer listenToMusic call place addToBalance order shop membershipBenefits bookAppointment "
        "bookCar bookFlight bookStay viewOffersRewards"
    )
)
SCHEMES: Final = {
    "posterEventTicket": "eventTicket",
    "eventTicket": "eventTicket",
    "semanticBoardingPass": "boardingPass",
    "boardingPass": "boardingPass",
}
"""Preferred style scheme → the style dictionary it needs."""

BOARDING_TAGS: Final = words(
    "passengerName airlineCode flightNumber originalDepartureDate originalBoardingDate originalArrivalDate "
    "departureAirportCode departureAirportTimeZone destinationAirportCode"
)
EVENT_TAGS: Final = words("eventName venueName")
EVENT_TYPE_TAGS: Final = {
    "PKEventTypeSports": words("awayTeamAbbreviation homeTeamAbbreviation"),
    "PKEventTypeLivePerformance": words("performerNames"),
}

IMAGES: Final[Mapping[str, tuple[str, ...]]] = {
    "boardingPass": words("icon logo footer primaryLogo secondaryLogo"),
    "coupon": words("icon logo strip"),
    "storeCard": words("icon logo strip personalizationLogo"),
    "generic": words("icon logo thumbnail"),
    "eventTicket": words("icon logo strip background thumbnail artwork primaryLogo secondaryLogo venueMap"),
    "posterGeneric": words("icon artwork background primaryLogo secondaryLogo"),
}
"""Images that a style shows."""
