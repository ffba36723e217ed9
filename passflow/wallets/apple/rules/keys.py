"""Every key that Wallet knows in pass.json, with the kind of its value.

Kinds are explained in `passflow.wallets.apple.rules.values`.
"""

from __future__ import annotations

from collections.abc import Mapping

Kinds = Mapping[str, str]

LEGACY_STYLES = ("boardingPass", "coupon", "eventTicket", "generic", "storeCard")
POSTER_GENERIC = "posterGeneric"  # iOS 27; may stand beside one legacy style as its fallback
STYLES = (*LEGACY_STYLES, POSTER_GENERIC)
# scheme → the style dictionary that it needs
SCHEMES = {
    "posterEventTicket": "eventTicket",
    "eventTicket": "eventTicket",
    "semanticBoardingPass": "boardingPass",
    "boardingPass": "boardingPass",
}
FRONT_GROUPS = ("headerFields", "primaryFields", "secondaryFields", "auxiliaryFields", "footerFields")
GROUPS = (*FRONT_GROUPS, "backFields", "additionalInfoFields")
TRANSIT_TYPES = frozenset(f"PKTransitType{kind}" for kind in ("Air", "Boat", "Bus", "Generic", "Train"))

REQUIRED = (
    "formatVersion", "passTypeIdentifier", "serialNumber", "teamIdentifier", "organizationName", "description",
)  # fmt: skip

_URLS = (
    "accessibilityURL addOnURL bagPolicyURL contactVenueWebsite directionsInformationURL merchandiseURL orderFoodURL "
    "parkingInformationURL purchaseParkingURL sellURL transferURL transitInformationURL changeSeatURL entertainmentURL "
    "managementURL purchaseAdditionalBaggageURL purchaseLoungeAccessURL purchaseWifiURL registerServiceAnimalURL "
    "reportLostBagURL requestWheelchairURL transitProviderWebsiteURL upgradeURL trackBagsURL appLaunchURL webServiceURL"
)
_TEXTS = (
    "passTypeIdentifier serialNumber teamIdentifier organizationName description logoText eventLogoText logoSymbolName "
    "groupingIdentifier authenticationToken contactVenueEmail contactVenuePhoneNumber transitProviderEmail "
    "transitProviderPhoneNumber"
)
_COLOURS = "backgroundColor foregroundColor labelColor footerBackgroundColor stripColor"
_SWITCHES = "suppressStripShine suppressHeaderDarkening useAutomaticColors sharingProhibited voided"
_LISTS = "relevantDates locations beacons barcodes upcomingPassInformation featuredActions"
_OBJECTS = "barcode nfc semantics"

TOP_LEVEL: Kinds = {
    "formatVersion": "integer",
    "userInfo": "any",
    "associatedStoreIdentifiers": "numbers",
    "auxiliaryStoreIdentifiers": "numbers",
    "expirationDate": "date",
    "relevantDate": "date",
    "maxDistance": "number",
    "preferredStyleSchemes": "texts",
    **dict.fromkeys(_URLS.split(), "url"),
    **dict.fromkeys(_TEXTS.split(), "text"),
    **dict.fromkeys(_COLOURS.split(), "colour"),
    **dict.fromkeys(_SWITCHES.split(), "switch"),
    **dict.fromkeys(_LISTS.split(), "list"),
    **dict.fromkeys(_OBJECTS.split(), "object"),
    **dict.fromkeys(STYLES, "object"),
}

STYLE: Kinds = {"transitType": "text", **dict.fromkeys(GROUPS, "list")}

FIELD: Kinds = {
    "key": "text",
    "value": "value",
    "label": "text",
    "attributedValue": "value",
    "changeMessage": "text",
    "dataDetectorTypes": "texts",
    "textAlignment": "text",
    "dateStyle": "text",
    "timeStyle": "text",
    "ignoresTimeZone": "switch",
    "isRelative": "switch",
    "numberStyle": "text",
    "currencyCode": "text",
    "semantics": "object",
    "row": "integer",
}
_DATE_STYLES = frozenset(f"PKDateStyle{kind}" for kind in ("None", "Short", "Medium", "Long", "Full"))
FIELD_CHOICES: Mapping[str, frozenset[str]] = {
    "textAlignment": frozenset(f"PKTextAlignment{kind}" for kind in ("Left", "Center", "Right", "Natural")),
    "dateStyle": _DATE_STYLES,
    "timeStyle": _DATE_STYLES,
    "numberStyle": frozenset(f"PKNumberStyle{kind}" for kind in ("Decimal", "Percent", "Scientific", "SpellOut")),
}
DATA_DETECTORS = frozenset(f"PKDataDetectorType{kind}" for kind in ("PhoneNumber", "Link", "Address", "CalendarEvent"))

BARCODE: Kinds = {"message": "text", "format": "text", "messageEncoding": "text", "altText": "text"}
LEGACY_FORMATS = frozenset(f"PKBarcodeFormat{kind}" for kind in ("QR", "PDF417", "Aztec", "Code128"))
NEW_FORMATS = frozenset(f"PKBarcodeFormat{kind}" for kind in ("EAN13", "Code39", "Codabar", "I2of5"))  # iOS 27
SQUARE_FORMATS = frozenset({"PKBarcodeFormatQR", "PKBarcodeFormatAztec"})
NFC: Kinds = {"message": "text", "encryptionPublicKey": "text", "requiresAuthentication": "switch"}

RELEVANT_DATE: Kinds = dict.fromkeys(("date", "relevantDate", "startDate", "endDate"), "date")
LOCATION: Kinds = {"latitude": "number", "longitude": "number", "altitude": "number", "relevantText": "text"}
BEACON: Kinds = {"proximityUUID": "text", "major": "integer", "minor": "integer", "relevantText": "text"}

ACTION: Kinds = {"identifier": "text", "type": "text", "url": "url"}
ACTION_TYPES = frozenset(
    [
        "viewSchedule",
        "watchTrailer",
        "listenToMusic",
        "call",
        "place",
        "addToBalance",
        "order",
        "shop",
        "membershipBenefits",
        "bookAppointment",
        "bookCar",
        "bookFlight",
        "bookStay",
        "viewOffersRewards",
    ]
)
UPCOMING: Kinds = {
    "identifier": "text",
    "name": "text",
    "type": "text",
    "URLs": "object",
    "dateInformation": "object",
    "images": "object",
    "isActive": "switch",
    "backFields": "list",
    "additionalInfoFields": "list",
    "semantics": "object",
    "auxiliaryStoreIdentifiers": "numbers",
}
