"""Rules for semantic tags, of the pass and of single fields.

Names and kinds: https://developer.apple.com/documentation/walletpasses/semantictags and pass-builder's PassSemantics.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from passflow.wallets.apple.findings import Finding, error
from passflow.wallets.apple.rules.keys import GROUPS, STYLES, Kinds
from passflow.wallets.apple.rules.values import check_object, join, objects

_TEXTS = """
admissionLevel admissionLevelAbbreviation additionalTicketAttributes attendeeName entranceDescription eventType eventName
venueEntrance venueEntranceDoor venueEntranceGate venueEntrancePortal venueName venuePhoneNumber venueRegionName venueRoom
awayTeamAbbreviation awayTeamLocation awayTeamName homeTeamAbbreviation homeTeamLocation homeTeamName leagueAbbreviation
leagueName sportName genre airlineCode airlineLoungePlaceID boardingGroup boardingZone boardingSequenceNumber carNumber
confirmationNumber departureAirportCode departureAirportName departureAirportTimeZone departureCityName departureGate
departureLocationDescription departurePlatform departureStationName departureTerminal destinationAirportCode
destinationAirportName destinationAirportTimeZone destinationCityName destinationGate destinationLocationDescription
destinationPlatform destinationStationName destinationTerminal flightCode internationalDocumentsVerifiedDeclarationName
membershipProgramName membershipProgramNumber priorityStatus securityScreening ticketFareClass transitProvider transitStatus
transitStatusReason vehicleName vehicleNumber vehicleType
"""
_DATES = """
eventStartDate eventEndDate venueBoxOfficeOpenDate venueCloseDate venueDoorsOpenDate venueFanZoneOpenDate venueGatesOpenDate
venueOpenDate venueParkingLotsOpenDate currentArrivalDate currentBoardingDate currentDepartureDate originalArrivalDate
originalBoardingDate originalDepartureDate
"""
_LISTS = """
albumIDs artistIDs performerNames playlistIDs passengerCapabilities departureAirportSecurityPrograms
destinationAirportSecurityPrograms passengerAirlineSSRs passengerInformationSSRs passengerServiceSSRs
passengerEligibleSecurityPrograms
"""
_OBJECTS = """
eventStartDateInfo venueLocation departureLocation destinationLocation passengerName balance totalPrice
"""
_SWITCHES = "tailgatingAllowed internationalDocumentsAreVerified silenceRequested"

TAGS: Kinds = {
    "flightNumber": "number",
    "duration": "number",
    "seats": "list",
    "wifiAccess": "list",
    **dict.fromkeys(_TEXTS.split(), "text"),
    **dict.fromkeys(_DATES.split(), "date"),
    **dict.fromkeys(_LISTS.split(), "texts"),
    **dict.fromkeys(_OBJECTS.split(), "object"),
    **dict.fromkeys(_SWITCHES.split(), "switch"),
}
EVENT_TYPES = frozenset(
    f"PKEventType{kind}"
    for kind in (
        "Generic", "LivePerformance", "Movie", "Sports", "Conference", "Convention", "Workshop", "SocialGathering",
    )
)  # fmt: skip


def check_semantics(document: Mapping[str, object]) -> Iterator[Finding]:
    """Check the tags of the pass and of each of its fields.

    Args:
        document: pass.json.
    """
    yield from _check_tags("semantics", document.get("semantics"))
    for style in STYLES:
        content = document.get(style)
        if not isinstance(content, dict):
            continue
        for group in GROUPS:
            for where, field in objects(f"{style}.{group}", content.get(group)):
                yield from _check_tags(join(where, "semantics"), field.get("semantics"))


def _check_tags(where: str, tags: object) -> Iterator[Finding]:
    if not isinstance(tags, dict):
        return
    yield from check_object(where, tags, TAGS)
    kind = tags.get("eventType")
    if isinstance(kind, str) and kind not in EVENT_TYPES:
        fix = f"Use {', '.join(sorted(EVENT_TYPES))}."
        yield error("semantics.event_type", join(where, "eventType"), "Wallet does not know this value.", fix)
