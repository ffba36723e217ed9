"""Every rule of Apple's, each with the smallest template that breaks it, and the path that is named."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from passflow_tests.template.designs import compiled, problems


def spki(key: Any) -> str:
    return base64.b64encode(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


P256 = spki(ec.generate_private_key(ec.SECP256R1()))
FIELD = "{key: %s, value: x}"


def many(*names: str) -> str:
    return "[" + ", ".join(FIELD % name for name in names) + "]"


ICON = "images: {icon: i.png, "
POSTER = "style: eventTicket\n"
BROKEN: list[tuple[str, str, str]] = [
    ("style: storeCard\nheader: " + many("a", "b", "c", "d"), "template.header", "at most 3"),
    ("primary: " + many("a", "b"), "template.primary", "at most 1"),
    ("style: boardingPass\ntransit: air\nprimary: " + many("a", "b", "c"), "template.primary", "at most 2"),
    ("secondary: " + many("a", "b", "c", "d", "e"), "template.secondary", "at most 4"),
    ("auxiliary: " + many("a", "b", "c", "d", "e"), "template.auxiliary", "at most 4"),
    ("style: boardingPass\ntransit: air\nauxiliary: " + many(*"abcdef"), "template.auxiliary", "at most 5"),
    *[
        (
            f"style: {style}\nbarcodes: [{{format: {code}, message: x}}]\nsecondary: {many(*'abc')}\nauxiliary: {many(*'de')}",
            "template.auxiliary",
            "together",
        )
        for style in ("coupon", "storeCard", "generic")
        for code in ("qr", "aztec")
    ],
    ("header: " + many("a") + "\nback: " + many("a"), "template.back[0].key", "has the key `a`"),
    (
        "back: " + many("a") + "\nlinks: [{key: a, url: 'https://x.example'}]",
        "template.links[0].key",
        "has the key `a`",
    ),
    ("images: {logo: l.png}", "template.images.icon", "needs an icon"),
    ("images: {icon: '{photo_url}'}", "template.images.icon", "a member may have none"),
    ("images: {icon: 'http://x.example/i.png'}", "template.images.icon", "no place of an image"),
    (f"style: storeCard\n{ICON}thumbnail: t.png}}", "template.images.thumbnail", "storeCard shows no thumbnail"),
    (f"style: coupon\n{ICON}background: t.png}}", "template.images.background", "coupon shows no background"),
    (f"style: generic\n{ICON}strip@2x: t.png}}", "template.images.strip", "generic shows no strip"),
    (f"style: boardingPass\ntransit: air\n{ICON}strip: t.png}}", "template.images.strip", "shows no strip"),
    (f"style: eventTicket\n{ICON}strip: s.png, thumbnail: t.png}}", "template.images.strip", "a strip, or"),
    (f"style: eventTicket\n{ICON}footer: f.png}}", "template.images.footer", "shows no footer"),
    ("primary: [{key: a, value: x, align: left}]", "template.primary[0].align", "cannot be aligned"),
    ("back: [{key: a, value: x, align: right}]", "template.back[0].align", "cannot be aligned"),
    ("header: [{key: a, value: x, change_message: Changed}]", "template.header[0].change_message", "`%@`"),
    ("header: [{key: a, value: x, row: 0}]", "template.header[0].row", "auxiliary fields of an event"),
    ("auxiliary: [{key: a, value: x, row: 1}]", "template.auxiliary[0].row", "auxiliary fields of an event"),
    ("back: [{key: a, value: x, attributed: '<b>x</b>'}]", "template.back[0].attributed", "<b>"),
    ("back: [{key: a, value: x, attributed: '<a onclick=\"x\">x</a>'}]", "template.back[0].attributed", "href"),
    (
        "back: [{key: a, value: x, attributed: '<a href=\"ftp://x\">x</a>'}]",
        "template.back[0].attributed",
        "https, tel",
    ),
    (
        "back: [{key: a, value: x, attributed: '<a href=\"https://x.example\">x'}]",
        "template.back[0].attributed",
        "closed",
    ),
    ("back: [{key: a, value: x, attributed: '<!-- x -->'}]", "template.back[0].attributed", "comments"),
    ("links: [{key: a, url: 'javascript:alert(1)'}]", "template.links[0].url", "no https, tel or mailto"),
    ("links: [{key: a, url: 'http://x.example'}]", "template.links[0].url", "no https, tel or mailto"),
    ("links: [{key: a, url: 'java{tier}'}]", "template.links[0].url", "no https, tel or mailto"),
    ("colors: {background: navy}", "template.colors.background", "no colour"),
    ("colors: {foreground: '#12345'}", "template.colors.foreground", "no colour"),
    ("colors: {label: 'rgb(1, 2, 256)'}", "template.colors.label", "no colour"),
    ("organization: ''", "template.organization", "empty"),
    ("barcodes: [{format: ean13, message: '4006381333931'}]", "template.barcodes[0].format", "before iOS 27"),
    (
        "barcodes: [{format: qr, message: x}, {format: code39, message: X}]",
        "template.barcodes[1].format",
        "before iOS 27",
    ),
    ("barcodes: [{format: data_matrix, message: x}]", "template.barcodes", "Apple shows none"),
    ("barcodes: [{format: qr, message: ''}]", "template.barcodes[0].message", "empty"),
    (
        "barcodes: [{format: ean13, message: '4006381333932'}, {format: qr, message: x}]",
        "template.barcodes[0].message",
        "check digit",
    ),
    ("barcodes: [{format: code128, message: 'é'}]", "template.barcodes[0].message", "ASCII"),
    ("barcodes: [{format: qr, message: x, encoding: klingon}]", "template.barcodes[0].encoding", "character set"),
    ("barcodes: [{format: qr, message: '日本', encoding: iso-8859-1}]", "template.barcodes[0].message", "iso-8859-1"),
    ("barcodes: [{format: qr, message: '{balance:,}'}]", "template.barcodes[0].message", "read by machines"),
    ("barcodes: [{format: qr, message: '{joined:date}'}]", "template.barcodes[0].message", "read by machines"),
    (f"nfc: {{message: {'x' * 65}, public_key: {P256}}}", "template.nfc.message", "65 bytes"),
    (f"nfc: {{message: {'é' * 33}, public_key: {P256}}}", "template.nfc.message", "66 bytes"),
    ("nfc: {message: x, public_key: '!!'}", "template.nfc.public_key", "P-256"),
    (
        f"nfc: {{message: x, public_key: {spki(ec.generate_private_key(ec.SECP384R1()))}}}",
        "template.nfc.public_key",
        "P-256",
    ),
    (
        f"nfc: {{message: x, public_key: {spki(ed25519.Ed25519PrivateKey.generate())}}}",
        "template.nfc.public_key",
        "P-256",
    ),
    (
        f"nfc: {{message: x, public_key: {spki(rsa.generate_private_key(65537, 2048))}}}",
        "template.nfc.public_key",
        "P-256",
    ),
    ("locations: [" + ", ".join(["{latitude: 1, longitude: 1}"] * 11) + "]", "template.locations", "at most 10"),
    ("locations: [{latitude: 90.1, longitude: 1}]", "template.locations[0].latitude", "coordinate"),
    ("locations: [{latitude: .nan, longitude: 1}]", "template.locations[0].latitude", "coordinate"),
    ("locations: [{latitude: 1, longitude: -181}]", "template.locations[0].longitude", "coordinate"),
    ("beacons: [{uuid: x}]", "template.beacons[0].uuid", "UUID"),
    (
        "beacons: [{uuid: E2C56DB5-DFFB-48D2-B060-D0F5A71096E0, major: 65536}]",
        "template.beacons[0].major",
        "0 to 65535",
    ),
    ("beacons: [{uuid: E2C56DB5-DFFB-48D2-B060-D0F5A71096E0, minor: -1}]", "template.beacons[0].minor", "0 to 65535"),
    (
        "beacons: [" + ", ".join(["{uuid: E2C56DB5-DFFB-48D2-B060-D0F5A71096E0}"] * 11) + "]",
        "template.beacons",
        "at most 10",
    ),
    ("max_distance: 0", "template.max_distance", "distance"),
    ("relevant_dates: [{}]", "template.relevant_dates[0]", "neither"),
    ("relevant_dates: [{start: 2026-01-01}]", "template.relevant_dates[0]", "neither"),
    (
        "relevant_dates: [{date: 2026-01-01, start: 2026-01-01, end: 2026-01-02}]",
        "template.relevant_dates[0]",
        "neither",
    ),
    ("relevant_dates: [{start: 2026-01-03, end: 2026-01-02}]", "template.relevant_dates[0].end", "before it starts"),
    ("relevant_dates: [{date: '2026-02-30'}]", "template.relevant_dates[0].date", "no date"),
    ("relevant_dates: [{date: tomorrow}]", "template.relevant_dates[0].date", "no date"),
    ("relevant_dates: [{date: '{points}'}]", "template.relevant_dates[0].date", "does not fit"),
    ("expires: someday", "template.expires", "no date"),
    ("expires: 'until {joined}'", "template.expires", "one member field"),
    ("expires: '{given_name}'", "template.expires", "does not fit"),
    ("header: [{key: a, value: 'On {joined}', date_style: short}]", "template.header[0].value", "one member field"),
    ("header: [{key: a, value: '{points}', date_style: short}]", "template.header[0].value", "does not fit"),
    ("header: [{key: a, value: x, date_style: short}]", "template.header[0].value", "no date"),
    ("header: [{key: a, value: '{tier}', number_style: decimal}]", "template.header[0].value", "does not fit"),
    ("header: [{key: a, value: x, currency_code: EUR}]", "template.header[0].value", "no number"),
    ("header: [{key: a, value: {en: x, de: y}, currency_code: EUR}]", "template.header[0].value", "cannot differ"),
    ("header: [{key: a, value: '{points}', currency_code: EURO}]", "template.header[0].currency_code", "no currency"),
    (
        "header: [{key: a, value: '{points}', currency_code: EUR, number_style: decimal}]",
        "template.header[0].currency_code",
        "exclude each other",
    ),
    ("style: boardingPass", "template.transit", "means of transport"),
    ("transit: air", "template.transit", "only a boarding pass"),
    ("grouping: x", "template.grouping", "boarding passes and event tickets"),
    ("app: {launch_url: 'app://x'}", "template.app.launch_url", "store_ids"),
    ("app: {store_ids: [1], launch_url: 'javascript:x'}", "template.app.launch_url", "no URL of an app"),
    ("app: {store_ids: [1], launch_url: 'x'}", "template.app.launch_url", "no URL of an app"),
    ("locale: klingon-x", "template.locale", "pattern"),
    ("locale: xx", "template.locale", "no locale"),
    ("time_zone: Mars/Base", "template.time_zone", "time zone"),
    ("time_zone: ../../etc/passwd", "template.time_zone", "time zone"),
    ("currency: EURO", "template.currency", "no currency"),
    ("logo_text: {de: Hallo}", "template.logo_text", "language `en`"),
    ("logo_text: {en: Hello, xx: Hm}", "template.logo_text.xx", "no language"),
    ("lookups: {t: {a: {de: A}}}", "template.lookups.t.a", "language `en`"),
    ("logo_text: {en: A, de: B}\nheader: [{key: a, value: {en: A, de: C}}]", "template.header[0].value", "two ways"),
    (
        "header: [{key: a, value: x, when_empty: {text: '{tier}'}}]",
        "template.header[0].when_empty.text",
        "member field",
    ),
    ("overrides: {apple: {serialNumber: x}}", "template.overrides.apple.serialNumber", "no template may set"),
    ("overrides: {apple: {voided: true}}", "template.overrides.apple.voided", "no template may set"),
    (
        "overrides: {apple: {supressStripShine: true}}",
        "template.overrides.apple.supressStripShine",
        "`suppressStripShine`",
    ),
    (
        "overrides: {apple: {generic: {headerField: []}}}",
        "template.overrides.apple.generic.headerField",
        "`headerFields`",
    ),
    ("overrides: {apple: {generic: null}}", "template", "no style left"),
    ("overrides: {apple: {description: null}}", "template.overrides.apple.description", "empty"),
    ("overrides: {apple: {backgroundColor: red}}", "template.overrides.apple.backgroundColor", "no colour"),
    ("overrides: {apple: {expirationDate: '2026-01-01'}}", "template.overrides.apple.expirationDate", "no time"),
    (
        "overrides: {apple: {expirationDate: '2026-13-01T00:00:00Z'}}",
        "template.overrides.apple.expirationDate",
        "no time",
    ),
    (
        "overrides: {apple: {generic: {headerFields: [{key: a, value: x, lable: y}]}}}",
        "template.overrides.apple.generic.headerFields[0].lable",
        "`label`",
    ),
    (
        "overrides: {apple: {generic: {headerFields: [{value: x}]}}}",
        "template.overrides.apple.generic.headerFields[0].key",
        "needs a key",
    ),
    (
        "overrides: {apple: {generic: {headerFields: [{key: a}]}}}",
        "template.overrides.apple.generic.headerFields[0].value",
        "needs a value",
    ),
    (
        "overrides: {apple: {generic: {headerFields: [{key: a, value: x, textAlignment: left}]}}}",
        "template.overrides.apple.generic.headerFields[0].textAlignment",
        "PKTextAlignmentLeft",
    ),
    (
        "overrides: {apple: {barcodes: [{format: QR, message: x}]}}",
        "template.overrides.apple.barcodes[0].format",
        "format",
    ),
    ("overrides: {apple: {userInfo: '{pionts}'}}", "template.overrides.apple.userInfo", "`points`"),
    ("overrides: {apple: {userInfo: {a: ['{b.c}']}}}", "template.overrides.apple.userInfo.a[0]", "member field"),
    ("overrides: {apple: {userInfo: .inf}}", "template.overrides.apple.userInfo", "no JSON"),
    ("overrides: {google: {x: '{pionts}'}}", "template.overrides.google.x", "`points`"),
    (
        "overrides: {apple: {featuredActions: [{type: shop}, {type: call}, {type: order}]}}",
        "template.overrides.apple.featuredActions",
        "at most 2",
    ),
    (
        "overrides: {apple: {featuredActions: [{type: shopp}]}}",
        "template.overrides.apple.featuredActions[0].type",
        "`shop`",
    ),
    (
        "overrides: {apple: {preferredStyleSchemes: [posterEvent]}}",
        "template.overrides.apple.preferredStyleSchemes[0]",
        "`posterEventTicket`",
    ),
    (
        "overrides: {apple: {preferredStyleSchemes: [posterEventTicket]}}",
        "template.overrides.apple.preferredStyleSchemes[0]",
        "needs the style eventTicket",
    ),
    *[
        (
            f"{POSTER}overrides: {{apple: {{preferredStyleSchemes: [posterEventTicket], semantics: {{eventType: {kind}}}}}}}",
            path,
            needed,
        )
        for kind, path, needed in [
            ("x", "template.overrides.apple.semantics.eventName", "needs this tag"),
            ("x", "template.overrides.apple.semantics.venueName", "needs this tag"),
            ("x", "template.nfc", "NFC"),
            ("x", "template.images.artwork", "picture"),
            ("PKEventTypeSports", "template.overrides.apple.semantics.awayTeamAbbreviation", "needs this tag"),
            ("PKEventTypeLivePerformance", "template.overrides.apple.semantics.performerNames", "needs this tag"),
        ]
    ],
    *[
        (
            "style: boardingPass\ntransit: air\noverrides: {apple: {preferredStyleSchemes: [semanticBoardingPass]}}",
            f"template.overrides.apple.semantics.{tag}",
            "needs this tag",
        )
        for tag in (
            "passengerName airlineCode flightNumber originalDepartureDate originalBoardingDate originalArrivalDate "
            "departureAirportCode departureAirportTimeZone destinationAirportCode"
        ).split()
    ],
]


@pytest.mark.parametrize(
    ("text", "path", "hint"), BROKEN, ids=[f"{number}-{path}" for number, (_, path, _) in enumerate(BROKEN)]
)
def test_a_broken_rule_is_named_with_its_path(text: str, path: str, hint: str) -> None:
    found = problems(text)
    assert path in found, found
    assert hint in found[path]


def test_all_problems_come_at_once() -> None:
    found = problems(
        "images: {}\ncolors: {label: gold}\nheader: [{key: a, value: '{pionts}'}, {key: a, value: '{vip}'}]\nexpires: never"
    )
    assert set(found) == {
        "template.images.icon",
        "template.colors.label",
        "template.header[0].value",
        "template.header[1].key",
        "template.header[1].value",
        "template.expires",
    }


SOUND = [
    "style: boardingPass\ntransit: air\nprimary: " + many("a", "b") + "\nauxiliary: " + many(*"cdefg"),
    "style: eventTicket\nauxiliary: [" + ", ".join(f"{{key: a{n}, value: x, row: {n // 4}}}" for n in range(8)) + "]",
    "style: eventTicket\nimages: {icon: i.png, background: b.png, thumbnail: t.png}",
    "style: coupon\nsecondary: " + many(*"abcd") + "\nbarcodes: [{format: qr, message: x}]",
    "secondary: " + many(*"abcd") + "\nauxiliary: " + many(*"efgh") + "\nbarcodes: [{format: pdf417, message: x}]",
    "barcodes: [{format: ean13, message: '4006381333931'}, {format: data_matrix, message: x}, {format: qr, message: x}]",
    f"nfc: {{message: {'x' * 64}, public_key: {P256}}}",
    "colors: {background: '#fff', foreground: 'rgb(255,0,10)', label: '#C9A227'}",
    "relevant_dates: [{date: 2026-05-01T20:00:00+02:00}, {start: '{seen_at}', end: 2026-09-02}]",
    "overrides: {apple: {brandNewKeyOfNextYear: {a: 1}, contactVenueWebsite: 'https://x.example'}}",
    "links: [{key: a, url: 'tel:+49301234'}, {key: b, url: 'mailto:a@x.example'}, {key: c, url: '{photo_url}'}]",
    "overrides: {apple: {posterGeneric: {primaryFields: [{key: a, value: x}], footerFields: [{key: b, value: y}]}}}\n"
    "images: {icon: i.png, artwork: a.png}\nheader: " + many("a"),
    "locale: de-AT\nlogo_text: {de: Hallo, en: Hello}",
]


@pytest.mark.parametrize("text", SOUND)
def test_what_apple_allows_is_accepted(text: str) -> None:
    assert problems(text) == {}


def test_a_complete_poster_event_ticket_is_accepted() -> None:
    semantics = {"eventType": "PKEventTypeSports", "eventName": "Final", "venueName": "Park",
                 "awayTeamAbbreviation": "{tier}", "homeTeamAbbreviation": "HSV"}  # fmt: skip
    apple = {"preferredStyleSchemes": ["posterEventTicket", "eventTicket"], "semantics": semantics}
    made = compiled(
        f"style: eventTicket\nnfc: {{message: x, public_key: {P256}}}\nimages: {{icon: i.png, artwork: a.png}}",
        overrides={"apple": apple},
    )
    assert made.fields == {"locale": "text", "tier": "text"}


def test_the_smallest_template_itself_is_sound() -> None:
    assert problems("") == {}
