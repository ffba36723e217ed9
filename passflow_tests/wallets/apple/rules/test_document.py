"""Rules for pass.json, case by case from Apple's documentation; no JSON makes them raise."""

from __future__ import annotations

import base64
import copy
import math
from collections.abc import Mapping
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from passflow.wallets.apple.findings import Finding
from passflow.wallets.apple.rules import check_pass
from passflow.wallets.apple.rules.keys import TOP_LEVEL
from passflow.wallets.apple.rules.semantics import TAGS

from ..helpers import store_card


def found(document: Mapping[str, Any], files: list[str] | None = None) -> list[tuple[str, str, str]]:
    findings: list[Finding] = check_pass(document, files)
    assert all(each.message and each.fix for each in findings)
    return [(each.level, each.code, each.where) for each in findings]


def card(**changes: object) -> dict[str, Any]:
    return copy.deepcopy(store_card(**changes))


def styled(style: str, content: dict[str, Any] | None = None, **changes: object) -> dict[str, Any]:
    return card(storeCard=None, **{style: content or {}}, **changes)


def with_field(group: str = "primaryFields", style: str = "storeCard", **field: object) -> dict[str, Any]:
    content: dict[str, Any] = {group: [{"key": "a", "value": "b", **field}]}
    if style == "boardingPass":
        content["transitType"] = "PKTransitTypeAir"
    return styled(style, content) if style != "storeCard" else card(storeCard=content)


def p256() -> str:
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    return base64.b64encode(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


def test_a_plain_store_card_has_no_finding() -> None:
    assert found(card()) == []


@pytest.mark.parametrize(
    "document",
    [
        styled("boardingPass", {"transitType": "PKTransitTypeTrain", "primaryFields": [{"key": "a", "value": "b"}]}),
        styled("coupon"),
        styled("eventTicket"),
        styled("generic"),
        styled("posterGeneric"),
        styled("posterGeneric", None, generic={}),
        card(nfc={"message": "x" * 64, "encryptionPublicKey": p256(), "requiresAuthentication": True}),
        card(expirationDate="2026-03-01T18:00Z", userInfo=[1, {"any": "thing"}], maxDistance=50.5, voided=True),
        card(webServiceURL=None, authenticationToken=None),
        card(webServiceURL="https://example.com:8443/passes"),
        card(authenticationToken="0123456789abcdef"),
        card(beacons=[{"proximityUUID": "E2C56DB5-DFFB-48D2-B060-D0F5A71096E0", "major": 65535, "minor": 0}]),
        card(locations=[{"latitude": -90, "longitude": 180.0, "altitude": 3, "relevantText": "x"}] * 10),
        styled("eventTicket", None, relevantDates=[{"startDate": "2026-03-01T18:00Z", "endDate": "2026-03-01T20:00Z"}]),
        styled("eventTicket", None, relevantDates=[{"date": "2026-03-01T18:00Z", "relevantDate": "2026-03-01T18:00Z"}]),
        card(barcodes=[{"format": "PKBarcodeFormatEAN13", "message": "4006381333931", "messageEncoding": "iso-8859-1"},
                       {"format": "PKBarcodeFormatCode128", "message": "4", "messageEncoding": "utf-8", "altText": "4"}]),
        card(featuredActions=[{"identifier": "a", "type": "shop", "url": "https://example.com"}] * 2),
        with_field(attributedValue="See <a href='https://example.com'>here</a>", value="See"),
        with_field(value=3.5, currencyCode="EUR"),
        with_field(value="2026-03-01T18:00:00.000+01:00", dateStyle="PKDateStyleShort", timeStyle="PKDateStyleNone"),
        with_field(group="backFields", dataDetectorTypes=[]),
        with_field(group="auxiliaryFields", style="eventTicket", row=1),
    ],
)  # fmt: skip
def test_what_apple_allows_has_no_finding(document: dict[str, Any]) -> None:
    assert found(document) == []


@pytest.mark.parametrize("key", ["formatVersion", "passTypeIdentifier", "serialNumber", "teamIdentifier", "organizationName", "description"])  # fmt: skip
def test_required_keys(key: str) -> None:
    without = card()
    del without[key]
    assert found(without) == [("error", "pass.key_missing", key)]
    if key != "formatVersion":
        assert ("error", "pass.key_missing", key) in found(card(**{key: ""}))


FIELDS = [{"key": str(number), "value": number} for number in range(6)]
ERRORS: list[tuple[dict[str, Any], str, str]] = [
    (card(storeCard=None), "pass.style_missing", ""),
    (card(coupon={}), "pass.style_several", "storeCard"),
    (styled("boardingPass"), "pass.key_missing", "boardingPass.transitType"),
    (styled("boardingPass", {"transitType": "PKTransitTypeRocket"}), "pass.transit_type", "boardingPass.transitType"),
    (card(formatVersion=2), "pass.format_version", "formatVersion"),
    (card(formatVersion=True), "pass.type", "formatVersion"),
    (card(formatVersion="1"), "pass.type", "formatVersion"),
    (card(voided="yes"), "pass.type", "voided"),
    (card(storeCard=[]), "pass.type", "storeCard"),
    (card(storeCard={"headerFields": {}}), "pass.type", "storeCard.headerFields"),
    (card(storeCard={"headerFields": ["x"]}), "pass.type", "storeCard.headerFields[0]"),
    (card(associatedStoreIdentifiers=["1"]), "pass.type", "associatedStoreIdentifiers"),
    (card(maxDistance=math.inf), "pass.type", "maxDistance"),
    (card(maxDistance=-1), "relevance.range", "maxDistance"),
    (card(appLaunchURL="club"), "pass.type", "appLaunchURL"),
    (card(webServiceURL=None), "pass.web_service", "webServiceURL"),
    (card(authenticationToken=None), "pass.web_service", "authenticationToken"),
    (card(authenticationToken="x" * 15), "pass.token", "authenticationToken"),
    (card(webServiceURL="http://example.com"), "pass.web_service", "webServiceURL"),
    (card(webServiceURL="ftp://localhost"), "pass.web_service", "webServiceURL"),
    (card(webServiceURL="https://example.com/v1/"), "pass.web_service", "webServiceURL"),
    (card(storeCard={"backFields": [FIELDS[0], FIELDS[0]]}), "field.key_twice", "storeCard.backFields[1].key"),
    (card(storeCard={"backFields": [{"value": 1}]}), "pass.key_missing", "storeCard.backFields[0].key"),
    (card(storeCard={"backFields": [{"key": "a"}]}), "pass.key_missing", "storeCard.backFields[0].value"),
    (with_field(value=True), "pass.type", "storeCard.primaryFields[0].value"),
    (with_field(dateStyle="PKDateStyleShort"), "field.date", "storeCard.primaryFields[0].value"),
    (with_field(numberStyle="PKNumberStylePercent"), "field.number", "storeCard.primaryFields[0].value"),
    (with_field(value="5", currencyCode="EUR"), "field.number", "storeCard.primaryFields[0].value"),
    (with_field(value=5, currencyCode="€"), "field.currency", "storeCard.primaryFields[0].currencyCode"),
    (with_field(group="headerFields", textAlignment="middle"), "field.choice", "storeCard.headerFields[0].textAlignment"),
    (with_field(dataDetectorTypes=["phone"]), "field.choice", "storeCard.primaryFields[0].dataDetectorTypes"),
    (with_field("auxiliaryFields", "eventTicket", row=2), "field.row", "eventTicket.auxiliaryFields[0].row"),
    (card(barcodes=[{}]), "pass.key_missing", "barcodes[0].message"),
    (card(barcodes=["x"]), "pass.type", "barcodes[0]"),
    (card(barcodes={"format": "PKBarcodeFormatQR"}), "pass.type", "barcodes"),
    (card(barcodes=[{"format": "QR", "message": "1", "messageEncoding": "utf-8"}]), "barcode.format", "barcodes[0].format"),
    (card(barcodes=[{"format": "PKBarcodeFormatQR", "message": "€", "messageEncoding": "iso-8859-1"}]), "barcode.encoding", "barcodes[0].message"),
    (card(nfc={"message": "x", "encryptionPublicKey": "no"}), "nfc.key", "nfc.encryptionPublicKey"),
    (card(nfc={"encryptionPublicKey": p256()}), "pass.key_missing", "nfc.message"),
    (styled("generic", None, locations=[{"latitude": 91, "longitude": 0}]), "relevance.range", "locations[0].latitude"),
    (styled("generic", None, locations=[{"latitude": 1, "longitude": -180.1}]), "relevance.range", "locations[0].longitude"),
    (styled("generic", None, locations=[{"latitude": 1}]), "pass.key_missing", "locations[0].longitude"),
    (card(locations=[{"latitude": 1, "longitude": 1}] * 11), "relevance.too_many", "locations"),
    (card(beacons=[{"proximityUUID": "x"}]), "relevance.uuid", "beacons[0].proximityUUID"),
    (card(beacons=[{"proximityUUID": "E2C56DB5-DFFB-48D2-B060-D0F5A71096E0", "major": 65536}]), "relevance.range", "beacons[0].major"),
    (styled("eventTicket", None, relevantDates=[{}]), "relevance.empty", "relevantDates[0]"),
    (styled("eventTicket", None, relevantDates=[{"startDate": "2026-03-01T18:00Z"}]), "relevance.interval", "relevantDates[0]"),
    (styled("eventTicket", None, relevantDates=[{"startDate": "2026-03-01T18:00Z", "endDate": "2026-03-01T18:30+01:00"}]),
     "relevance.interval", "relevantDates[0].endDate"),
    (card(preferredStyleSchemes=["poster"]), "scheme.unknown", "preferredStyleSchemes[0]"),
    (card(preferredStyleSchemes=["semanticBoardingPass", "boardingPass"]), "scheme.style", "preferredStyleSchemes[0]"),
    (card(featuredActions=[{"identifier": "a", "type": "dance", "url": "https://x.example"}]), "pass.actions", "featuredActions[0].type"),
    (card(featuredActions=[{"identifier": "a", "type": "shop", "url": "https://x.example"}] * 3), "pass.actions", "featuredActions"),
    (card(upcomingPassInformation=[]), "pass.upcoming", "upcomingPassInformation"),
    (card(upcomingPassInformation=[{"identifier": "a", "name": "b", "type": "film"}]), "pass.upcoming", "upcomingPassInformation[0].type"),
]  # fmt: skip


@pytest.mark.parametrize(("document", "code", "where"), ERRORS, ids=[f"{code} {where}" for _, code, where in ERRORS])
def test_errors(document: dict[str, Any], code: str, where: str) -> None:
    assert ("error", code, where) in found(document)


WARNINGS: list[tuple[dict[str, Any], str, str]] = [
    (card(colour="red"), "pass.key_unknown", "colour"),
    (card(storeCard={"fields": []}), "pass.key_unknown", "storeCard.fields"),
    (with_field(Label="x"), "pass.key_unknown", "storeCard.primaryFields[0].Label"),
    (card(passTypeIdentifier="club"), "pass.type_identifier", "passTypeIdentifier"),
    (card(teamIdentifier="abc"), "pass.team_identifier", "teamIdentifier"),
    (card(webServiceURL="http://localhost:8000"), "pass.web_service", "webServiceURL"),
    (card(webServiceURL="http://[::1]:8000"), "pass.web_service", "webServiceURL"),
    (card(storeCard={"transitType": "PKTransitTypeAir"}), "pass.transit_type", "storeCard.transitType"),
    (card(storeCard={"headerFields": FIELDS[:4]}), "field.too_many", "storeCard.headerFields"),
    (card(storeCard={"primaryFields": FIELDS[:2]}), "field.too_many", "storeCard.primaryFields"),
    (card(storeCard={"secondaryFields": FIELDS[:3], "auxiliaryFields": FIELDS[3:5]}), "field.too_many", "storeCard.auxiliaryFields"),
    (card(storeCard={"footerFields": FIELDS[:1]}), "field.too_many", "storeCard.footerFields"),
    (styled("posterGeneric", {"footerFields": FIELDS[:3]}), "field.too_many", "posterGeneric.footerFields"),
    (styled("posterGeneric", {"primaryFields": FIELDS[:5]}), "field.too_many", "posterGeneric.primaryFields"),
    (styled("boardingPass", {"transitType": "PKTransitTypeAir", "auxiliaryFields": FIELDS}), "field.too_many", "boardingPass.auxiliaryFields"),
    (with_field(textAlignment="PKTextAlignmentLeft"), "field.alignment", "storeCard.primaryFields[0].textAlignment"),
    (with_field("backFields", textAlignment="PKTextAlignmentLeft"), "field.alignment", "storeCard.backFields[0].textAlignment"),
    (with_field(changeMessage="changed"), "field.change_message", "storeCard.primaryFields[0].changeMessage"),
    (with_field(attributedValue="<b>x</b>"), "field.markup", "storeCard.primaryFields[0].attributedValue"),
    (with_field(attributedValue="<a href='x' onclick='y'>x</a>"), "field.markup", "storeCard.primaryFields[0].attributedValue"),
    (with_field(value=5, currencyCode="EUR", numberStyle="PKNumberStyleDecimal"), "field.two_formats", "storeCard.primaryFields[0].currencyCode"),
    (with_field(row=1), "field.row", "storeCard.primaryFields[0].row"),
    (card(barcodes=[]), "barcode.none", "barcodes"),
    (card(barcodes=[{"format": "PKBarcodeFormatEAN13", "message": "1", "messageEncoding": "utf-8"}]), "barcode.fallback", "barcodes"),
    (card(barcodes=[{"format": "PKBarcodeFormatQR", "message": "1", "messageEncoding": "rot13"}]), "barcode.encoding", "barcodes[0].messageEncoding"),
    (card(nfc={"message": "ü" * 33, "encryptionPublicKey": p256()}), "nfc.message", "nfc.message"),
    (card(relevantDates=[{"date": "2026-03-01T18:00Z"}]), "relevance.style", "relevantDates"),
    (styled("generic", None, relevantDate="2026-03-01T18:00Z"), "relevance.style", "locations"),
    (card(appLaunchURL="club://card"), "pass.companion", "appLaunchURL"),
    (card(groupingIdentifier="x"), "pass.companion", "groupingIdentifier"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("document", "code", "where"), WARNINGS, ids=[f"{code} {where}" for _, code, where in WARNINGS]
)
def test_warnings(document: dict[str, Any], code: str, where: str) -> None:
    result = found(document)
    assert ("warning", code, where) in result
    assert not [each for each in result if each[0] == "error"]


def test_deprecated_keys_are_mentioned() -> None:
    code = {"format": "PKBarcodeFormatQR", "message": "1", "messageEncoding": "utf-8"}
    assert found(card(barcodes=None, barcode=code)) == [("info", "barcode.deprecated", "barcode")]
    assert ("info", "relevance.deprecated", "relevantDate") in found(
        styled("eventTicket", None, relevantDate="2026-03-01T18:00Z")
    )
    assert ("info", "relevance.both_names", "relevantDates[0]") in found(
        styled("eventTicket", None, relevantDates=[{"date": "2026-03-01T18:00Z"}])
    )


@pytest.mark.parametrize("text", ["2026-03-01T18:00Z", "2026-03-01T18:00:59Z", "2026-02-28T18:00:00.123-07:00", "2028-02-29T00:00+14:00"])  # fmt: skip
def test_dates_that_wallet_reads(text: str) -> None:
    assert found(card(expirationDate=text)) == []


@pytest.mark.parametrize(
    "text",
    ["2026-03-01", "2026-03-01T18:00", "2026-03-01 18:00Z", "2026-03-01T18:00-7:00", "2026-03-01T18:00Z ", "2026-02-30T18:00Z",
     "2026-03-01T25:00Z", "2026-03-01T18:00+0100", "20260301T1800Z", "2026-03-01T18:00z", "٢٠٢٦-03-01T18:00Z", "", "now"],
)  # fmt: skip
def test_dates_that_wallet_does_not_read(text: str) -> None:
    """The zone -7:00 stands in Apple's own poster page, and is wrong there."""
    assert ("error", "pass.type", "expirationDate") in found(card(expirationDate=text))


@pytest.mark.parametrize("colour", ["rgb(0,0,0)", "rgb( 255 , 255, 255 )", "#fff", "#A1b2C3"])
def test_colours(colour: str) -> None:
    assert found(card(labelColor=colour)) == []


@pytest.mark.parametrize(
    "colour", ["rgb(256,0,0)", "rgb(1,2)", "rgba(1,2,3,1)", "#ffff", "red", "#GGG", "", "rgb(٣,2,1)", 7]
)
def test_no_colours(colour: object) -> None:
    assert ("error", "pass.type", "labelColor") in found(card(labelColor=colour))


def test_four_small_fields_fit_beside_a_long_code() -> None:
    fields = {"secondaryFields": FIELDS[:3], "auxiliaryFields": FIELDS[3:5]}
    wide = [{"format": "PKBarcodeFormatPDF417", "message": "1", "messageEncoding": "utf-8"}]
    assert found(card(storeCard=fields, barcodes=wide)) == []


def test_nfc_keys_must_be_p256() -> None:
    for key in (ec.generate_private_key(ec.SECP384R1()), rsa.generate_private_key(65537, 1024)):
        der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        text = base64.b64encode(der).decode()
        assert ("error", "nfc.key", "nfc.encryptionPublicKey") in found(
            card(nfc={"message": "x", "encryptionPublicKey": text})
        )


POSTER_TAGS = {
    "eventName": "Gig",
    "venueName": "Hall",
    "eventStartDate": "2026-03-01T18:00Z",
    "seats": [{"seatNumber": "1"}],
}


def poster(tags: dict[str, Any] | None = None, **changes: object) -> dict[str, Any]:
    nfc = {"message": "x", "encryptionPublicKey": p256(), "requiresAuthentication": True}
    schemes = ["posterEventTicket", "eventTicket"]
    document = {"preferredStyleSchemes": schemes, "nfc": nfc, "semantics": POSTER_TAGS if tags is None else tags}
    return styled("eventTicket", None, **{**document, **changes})


def test_poster_event_tickets() -> None:
    """Errors and warnings of pass-builder's EventTicketValidator and SeatValidator."""
    assert found(poster(), ["artwork@2x.png"]) == []
    assert found(poster(), ["de.lproj/background.png"]) == []
    assert found(poster(), ["strip.png"]) == [("error", "scheme.requirement", "artwork.png")]
    assert set(found(poster({}))) == {
        ("error", "scheme.requirement", "semantics.eventName"),
        ("error", "scheme.requirement", "semantics.venueName"),
        ("warning", "scheme.recommended", "semantics.eventStartDate"),
        ("warning", "scheme.recommended", "semantics.seats"),
    }
    assert ("error", "scheme.requirement", "nfc") in found(poster(nfc=None))
    no_authentication = {"message": "x", "encryptionPublicKey": p256()}
    assert ("error", "scheme.requirement", "nfc.requiresAuthentication") in found(poster(nfc=no_authentication))
    sports = found(poster({**POSTER_TAGS, "eventType": "PKEventTypeSports"}))
    assert ("error", "scheme.requirement", "semantics.awayTeamAbbreviation") in sports
    assert ("error", "scheme.requirement", "semantics.homeTeamAbbreviation") in sports
    live = found(poster({**POSTER_TAGS, "eventType": "PKEventTypeLivePerformance"}))
    assert ("error", "scheme.requirement", "semantics.performerNames") in live
    assert ("warning", "scheme.recommended", "semantics.artistIDs") in live
    backwards = found(poster({**POSTER_TAGS, "eventEndDate": "2026-03-01T17:00Z"}))
    assert backwards == [("warning", "scheme.dates", "semantics.eventEndDate")]
    upcoming = [{"identifier": "a", "name": "b", "type": "event"}]
    assert found(poster(upcomingPassInformation=upcoming)) == []


def test_semantic_boarding_passes() -> None:
    """Errors and warnings of pass-builder's BoardingPassValidator and SeatValidator."""
    schemes = ["semanticBoardingPass", "boardingPass"]
    document = styled("boardingPass", {"transitType": "PKTransitTypeAir"}, preferredStyleSchemes=schemes, semantics={})
    errors = {where.removeprefix("semantics.") for level, _, where in found(document) if level == "error"}
    assert errors == {
        "passengerName", "airlineCode", "flightNumber", "originalDepartureDate", "originalBoardingDate", "originalArrivalDate",
        "departureAirportCode", "departureAirportTimeZone", "destinationAirportCode",
    }  # fmt: skip
    warnings = {where.removeprefix("semantics.") for level, _, where in found(document) if level == "warning"}
    assert warnings == {"destinationAirportTimeZone", "departureCityName", "destinationCityName", "seats"}


def test_every_key_of_apples_lists_is_known() -> None:
    """Spot checks over each group of developer.apple.com/documentation/walletpasses/pass."""
    for key in (
        "suppressStripShine", "footerBackgroundColor", "useAutomaticColors", "eventLogoText", "auxiliaryStoreIdentifiers",
        "sharingProhibited", "groupingIdentifier", "transferURL", "purchaseWifiURL", "trackBagsURL", "posterGeneric",
        "transitProviderWebsiteURL", "contactVenueEmail", "featuredActions", "upcomingPassInformation", "userInfo",
    ):  # fmt: skip
        assert key in TOP_LEVEL


def test_semantic_tags() -> None:
    tags = {"eventType": "PKEventTypeMovie", "eventStartDate": "2026-03-01T18:00Z", "seats": [{}], "flightNumber": 815}
    assert found(card(semantics=tags)) == []
    assert found(card(semantics={"eventname": "x"})) == [("warning", "pass.key_unknown", "semantics.eventname")]
    assert found(card(semantics={"eventStartDate": "soon"})) == [("error", "pass.type", "semantics.eventStartDate")]
    assert found(card(semantics={"eventType": "PKEventTypeBall"})) == [
        ("error", "semantics.event_type", "semantics.eventType")
    ]
    in_field = with_field(semantics={"seats": 1})
    assert found(in_field) == [("error", "pass.type", "storeCard.primaryFields[0].semantics.seats")]


def test_there_are_as_many_tags_as_in_apples_source() -> None:
    """103 properties of PassSemantics in pass-builder, counted there."""
    assert len(TAGS) == 103


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    | st.sampled_from(["2026-03-01T18:00Z", "PKBarcodeFormatQR", "utf-8", "posterEventTicket", "https://["]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["key", "value", "format", "message", "date", "startDate", "latitude", "type"]), inner, max_size=3),
    max_leaves=10,
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(TOP_LEVEL)), ANYTHING, max_size=8))
def test_no_document_makes_the_rules_raise(changes: dict[str, Any]) -> None:
    for finding in check_pass({**store_card(), **changes}, ["icon.png"]):
        assert str(finding)
    check_pass(
        {
            style: {"primaryFields": [value]}
            for style, value in zip(["generic", "coupon"], changes.values(), strict=False)
        }
    )
