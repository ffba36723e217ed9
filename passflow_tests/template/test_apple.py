"""pass.json as a whole: its keys, its envelope, its options, its hostile members."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import orjson
import pytest

from passflow.errors import ConfigError, TemplateError
from passflow.model import Status, Value
from passflow.template import AppleEnvelope, render_apple
from passflow.wallets.apple.rules import check_pass
from passflow_tests.template.designs import ENVELOPE, MEMBER, compiled
from passflow_tests.template.test_apple_rules import P256, SOUND

IDS: dict[str, Any] = {"pass_type": "pass.com.example.gold", "team": "A1B2C3D4E5", "serial": "S-1"}
TOKEN = "0123456789abcdef"
AT = datetime(2026, 6, 1, tzinfo=UTC)

STORE_CARD = f"""
style: storeCard
logo_text: {{en: Gold Club, de: Gold-Club}}
colors: {{background: "#1b1f3b", foreground: "#fff", label: "rgb(1, 2, 3)"}}
header: [{{key: points, label: {{en: Points, de: Punkte}}, value: "{{points:,}}", change_message: "You now have %@ points"}}]
primary: [{{key: name, label: Member, value: "{{given_name}} {{family_name}}"}}]
secondary:
  - {{key: tier, label: Tier, value: "{{tier:lookup(tiers)}}", align: right}}
  - {{key: until, label: Valid until, value: "{{joined}}", date_style: medium}}
auxiliary: [{{key: balance, label: Balance, value: "{{balance}}", currency_code: "{{currency}}"}}]
back:
  - {{key: terms, label: Terms, value: "All rights reserved.", data_detectors: []}}
  - {{key: seen, value: "{{seen_at}}", date_style: short, time_style: none, relative: true}}
links: [{{key: web, label: Web, url: "https://x.example/{{external_id}}?a=1&b=2", text: My account}}]
barcodes: [{{format: code39, message: "{{external_id}}"}}, {{format: qr, message: "{{given_name}}", alt: "{{external_id}}"}}]
nfc: {{message: "{{external_id}}", public_key: {P256}, requires_authentication: true}}
locations: [{{latitude: 52.5, longitude: 13.4, altitude: 34, text: Near you}}]
beacons: [{{uuid: E2C56DB5-DFFB-48D2-B060-D0F5A71096E0, major: 1, minor: 2, text: Here}}]
relevant_dates: [{{date: 2026-05-01T20:00:00+02:00}}, {{start: 2026-05-01, end: 2026-05-02}}]
max_distance: 200
expires: "{{joined}}"
sharing: false
app: {{store_ids: [123], launch_url: "gold://card/{{external_id}}"}}
user_info: {{id: "{{external_id}}", points: "{{points}}", vip: "{{vip}}", list: [1, "{{balance}}"], none: "{{missing}}"}}
lookups: {{tiers: {{gold: {{en: Gold, de: Golden}}, silver: Silver}}}}
time_zone: Europe/Berlin
overrides: {{apple: {{suppressStripShine: false, labelColor: null, semantics: {{balance: {{amount: "{{balance}}"}}}}}}}}
""".replace(', none: "{missing}"', "")


def render(
    text: str, values: dict[str, Value] | None = None, envelope: AppleEnvelope = ENVELOPE, **changes: Any
) -> dict[str, Any]:
    return render_apple(compiled(text, **changes), MEMBER if values is None else values, envelope)


def test_a_whole_store_card() -> None:
    document = render(
        STORE_CARD, envelope=AppleEnvelope(**IDS, authentication_token=TOKEN, web_service_url="https://p.example")
    )
    assert document == {
        "formatVersion": 1,
        "passTypeIdentifier": "pass.com.example.gold",
        "serialNumber": "S-1",
        "teamIdentifier": "A1B2C3D4E5",
        "webServiceURL": "https://p.example",
        "authenticationToken": TOKEN,
        "organizationName": "Café Aurora",
        "description": "Gold Club card",
        "logoText": "Gold Club",
        "backgroundColor": "rgb(27, 31, 59)",
        "foregroundColor": "rgb(255, 255, 255)",
        "storeCard": {
            "headerFields": [
                {"key": "points", "label": "Points", "value": "12.345", "changeMessage": "You now have %@ points"}
            ],
            "primaryFields": [{"key": "name", "label": "Member", "value": "Zoë Ünal"}],
            "secondaryFields": [
                {"key": "tier", "label": "Tier", "value": "Gold", "textAlignment": "PKTextAlignmentRight"},
                {
                    "key": "until",
                    "label": "Valid until",
                    "value": "2026-01-31T00:00:00+01:00",
                    "dateStyle": "PKDateStyleMedium",
                    "ignoresTimeZone": True,
                },
            ],
            "auxiliaryFields": [{"key": "balance", "label": "Balance", "value": 1234.5, "currencyCode": "EUR"}],
            "backFields": [
                {"key": "terms", "label": "Terms", "value": "All rights reserved.", "dataDetectorTypes": []},
                {
                    "key": "seen",
                    "value": "2026-07-02T00:30:00+02:00",
                    "dateStyle": "PKDateStyleShort",
                    "timeStyle": "PKDateStyleNone",
                    "isRelative": True,
                },
                {
                    "key": "web",
                    "label": "Web",
                    "value": "My account",
                    "attributedValue": '<a href="https://x.example/M-1001?a=1&amp;b=2">My account</a>',
                },
            ],
        },
        "barcodes": [
            {"format": "PKBarcodeFormatCode39", "message": "M-1001", "messageEncoding": "iso-8859-1"},
            {"format": "PKBarcodeFormatQR", "message": "Zoë", "messageEncoding": "iso-8859-1", "altText": "M-1001"},
        ],
        "nfc": {"message": "M-1001", "encryptionPublicKey": P256, "requiresAuthentication": True},
        "locations": [{"latitude": 52.5, "longitude": 13.4, "altitude": 34.0, "relevantText": "Near you"}],
        "beacons": [
            {
                "proximityUUID": "E2C56DB5-DFFB-48D2-B060-D0F5A71096E0",
                "major": 1,
                "minor": 2,
                "relevantText": "Here",
            }
        ],
        "maxDistance": 200.0,
        "relevantDates": [
            {"date": "2026-05-01T20:00:00+02:00", "relevantDate": "2026-05-01T20:00:00+02:00"},
            {"startDate": "2026-05-01T00:00:00+02:00", "endDate": "2026-05-02T23:59:59+02:00"},
        ],
        "expirationDate": "2026-01-31T23:59:59+01:00",
        "sharingProhibited": True,
        "associatedStoreIdentifiers": [123],
        "appLaunchURL": "gold://card/M-1001",
        "userInfo": {"id": "M-1001", "points": 12345, "vip": True, "list": [1, 1234.5]},
        "suppressStripShine": False,
        "semantics": {"balance": {"amount": 1234.5}},
    }


def test_the_pass_passes_the_check_that_packages_undergo() -> None:
    found = [finding for finding in check_pass(render(STORE_CARD)) if finding.level == "error"]
    assert found == []


@pytest.mark.parametrize("text", SOUND)
def test_what_compiles_passes_the_check_that_packages_undergo(text: str) -> None:
    assert [finding for finding in check_pass(render(text)) if finding.level == "error"] == []


def test_the_order_of_keys_and_the_bytes_are_always_the_same() -> None:
    made = compiled(STORE_CARD)
    first = orjson.dumps(render_apple(made, MEMBER, ENVELOPE))
    assert orjson.dumps(render_apple(compiled(STORE_CARD), dict(reversed(MEMBER.items())), ENVELOPE)) == first
    assert json.loads(first)["passTypeIdentifier"] == "pass.com.example.gold"


def test_a_member_without_values_still_makes_a_pass() -> None:
    document = render(STORE_CARD, {})
    assert document["storeCard"] == {
        "backFields": [{"key": "terms", "label": "Terms", "value": "All rights reserved.", "dataDetectorTypes": []}]
    }
    for absent in ("barcodes", "nfc", "expirationDate", "appLaunchURL"):
        assert absent not in document
    orjson.dumps(document)


@pytest.mark.parametrize(
    ("when_empty", "expected"),
    [
        ("omit", None),
        ("keep", ""),
        ({"text": "none yet"}, "none yet"),
        ({"text": {"en": "none", "de": "keine"}}, "none"),
    ],
)
@pytest.mark.parametrize("value", ["{points:,}", "{tier:lookup(t)}", "Since {joined:date}", ""])
def test_a_field_without_value_is_left_out_kept_or_explained(value: str, when_empty: Any, expected: str | None) -> None:
    document = render(
        "lookups: {t: {a: A}}",
        {},
        back=[{"key": "a", "value": value, "when_empty": when_empty}, {"key": "b", "value": "x"}],
    )
    fields = {field["key"]: field["value"] for field in document["generic"]["backFields"]}
    assert fields.get("a") == expected


@pytest.mark.parametrize("style", ["value: '{points}', number_style: percent", "value: '{joined}', date_style: short",
                                   "value: '{balance}', currency_code: '{currency}'"])  # fmt: skip
def test_what_stands_for_a_missing_typed_value_has_no_style(style: str) -> None:
    text = f"back: [{{key: a, {style}, when_empty: {{text: none}}}}]"
    assert render(text, {})["generic"]["backFields"] == [{"key": "a", "value": "none"}]
    [field] = render(text)["generic"]["backFields"]
    assert len(field) >= 3 and field["value"] != "none"


@pytest.mark.parametrize("currency", [None, "DOUBLOON", "", "eur"])
def test_an_amount_needs_its_currency(currency: str | None) -> None:
    text = "back: [{key: a, value: '{balance}', currency_code: '{currency}'}]"
    assert render(text, {})["generic"] == {}
    with pytest.raises(TemplateError, match="no currency"):
        render(text, {"balance": Decimal(1), "currency": currency})


def test_an_organization_out_of_a_member_field_is_never_empty() -> None:
    assert render("", {"tier": "Gold"}, organization="{tier}")["organizationName"] == "Gold"
    with pytest.raises(TemplateError) as caught:
        render("", {}, organization="{tier}")
    assert (caught.value.problems[0][0], caught.value.error_code) == ("template.organization", "template.value")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"balance": Decimal("12.50")}, 12.5),
        ({"balance": Decimal("12.00")}, 12),
        ({"balance": 7}, 7),
        ({"balance": Decimal("99999999999999999999")}, 1e20),
    ],
)
def test_numbers_for_the_phone_stay_numbers(values: dict[str, Value], expected: float) -> None:
    document = render("back: [{key: a, value: '{balance}', number_style: spell_out}]", values)
    [field] = document["generic"]["backFields"]
    assert field["numberStyle"] == "PKNumberStyleSpellOut"
    assert field["value"] == expected and type(field["value"]) is type(expected)
    orjson.dumps(document)


def test_constants_for_the_phone_are_typed_too() -> None:
    text = "back: [{key: a, value: 12.5, currency_code: EUR}, {key: b, value: 2026-05-01, date_style: full}]"
    fields = render(text.replace("12.5", "'12.5'").replace("2026-05-01", "'2026-05-01'"))["generic"]["backFields"]
    assert fields[0]["value"] == 12.5
    assert fields[1] == {
        "key": "b", "value": "2026-05-01T00:00:00+00:00", "dateStyle": "PKDateStyleFull", "ignoresTimeZone": True
    }  # fmt: skip


def test_a_time_before_zones_were_agreed_on_has_whole_minutes() -> None:
    text = "back: [{key: a, value: '{seen_at}', date_style: full}]\ntime_zone: Europe/Berlin"
    document = render(text, {"seen_at": datetime(1850, 1, 1, 12, 0, tzinfo=UTC)})
    assert document["generic"]["backFields"][0]["value"] == "1850-01-01T12:00:00+00:00"


@pytest.mark.parametrize(
    ("message", "encoding"),
    [("M-1", "iso-8859-1"), ("Zoë", "iso-8859-1"), ("日本", "utf-8"), ("€", "utf-8"), ("🎟", "utf-8")],
)
def test_the_character_set_fits_the_message(message: str, encoding: str) -> None:
    for text, values in (("{tier}", {"tier": message}), (message, {})):
        document = render("", values, barcodes=[{"format": "qr", "message": text}])
        assert document["barcodes"] == [
            {"format": "PKBarcodeFormatQR", "message": message, "messageEncoding": encoding}
        ]


def test_codes_read_by_machines_do_not_depend_on_the_language() -> None:
    codes = "barcodes: [{format: qr, message: '{points:08}|{balance}|{joined}|{seen_at}|{tier:lookup(t)}'}]"
    text = f"{codes}\nlookups: {{t: {{gold: {{en: G, de: H}}}}}}\ntime_zone: Asia/Tokyo"
    assert render(text)["barcodes"][0]["message"] == "00012345|1234.5|2026-01-31|2026-07-02T07:30:00+09:00|G"


@pytest.mark.parametrize(
    ("text", "values"),
    [
        (f"nfc: {{message: 'x{{tier}}', public_key: {P256}}}", {"tier": "é" * 32}),
        ("barcodes: [{format: ean13, message: '{tier}'}, {format: qr, message: x}]", {"tier": "4006381333932"}),
        ("barcodes: [{format: code128, message: '{tier}'}]", {"tier": "ü"}),
        ("barcodes: [{format: qr, message: '{tier}', encoding: iso-8859-1}]", {"tier": "日本"}),
        ("relevant_dates: [{start: '{seen_at}', end: '{joined}'}]", {"seen_at": AT, "joined": date(2026, 5, 30)}),
        ("relevant_dates: [{start: 2026-06-01, end: '{joined}'}]", {"joined": date(2026, 5, 30)}),
        ("links: [{key: a, url: '{photo_url}'}]", {"photo_url": "javascript:alert(1)"}),
        ("links: [{key: a, url: '{photo_url}'}]", {"photo_url": 'https://x.example/"><b>'}),
        ("links: [{key: a, url: '{photo_url}'}]", {"photo_url": "http://x.example"}),
        ("links: [{key: a, url: '{photo_url}'}]", {"photo_url": "https://"}),
        ("barcodes: [{format: qr, message: '{tier}'}]", {"tier": "a\ud800"}),
        ("links: [{key: a, url: 'https://x.example/{tier}'}]", {"tier": "\udfff"}),
        ("back: [{key: a, value: x, attributed: '<a href=\"{photo_url}\">x</a>'}]", {"photo_url": "data:text/html,x"}),
    ],
)
def test_a_member_that_would_break_the_pass_is_refused(text: str, values: dict[str, Value]) -> None:
    with pytest.raises(TemplateError) as caught:
        render(text, values)
    assert caught.value.error_code == "template.value"
    assert not any(str(value) in str(caught.value) for value in values.values())


@pytest.mark.parametrize(
    "name", ["<script>x</script>", "</a><a href='https://evil.example'>", 'a"b&c', "%s %d {points}"]
)
def test_values_cannot_leave_the_place_they_are_put_in(name: str) -> None:
    import html
    from urllib.parse import unquote

    attributed = '<a href="https://x.example/{tier}?q={tier}">{tier}</a>'
    document = render("", {"tier": name}, back=[{"key": "a", "value": "{tier}", "attributed": attributed}])
    [field] = document["generic"]["backFields"]
    assert field["value"] == name
    before, _, rest = field["attributedValue"].partition('">')
    assert html.unescape(rest) == f"{name}</a>" and "<" not in rest.removesuffix("</a>")
    path, _, query = before.removeprefix('<a href="https://x.example/').partition("?q=")
    assert unquote(path) == unquote(query) == name
    assert not set("<>\"'&/ ?#") & set(path)


def test_token_and_url_are_given_together() -> None:
    for half in ({"authentication_token": TOKEN}, {"web_service_url": "https://p.example"}):
        with pytest.raises(ConfigError, match="missing"):
            AppleEnvelope(**IDS, **half)
    with pytest.raises(ConfigError, match="16"):
        AppleEnvelope(**IDS, authentication_token="short", web_service_url="https://p.example")
    with pytest.raises(ConfigError, match="URL"):
        AppleEnvelope(**IDS, authentication_token=TOKEN, web_service_url="p.example")
    with pytest.raises(ConfigError, match="status"):
        AppleEnvelope(**IDS, status="gone")
    assert "webServiceURL" not in render("") and "authenticationToken" not in render("")


def test_the_token_is_not_in_the_repr() -> None:
    assert TOKEN not in repr(AppleEnvelope(**IDS, authentication_token=TOKEN, web_service_url="https://p.example"))


@pytest.mark.parametrize("status", [each.value for each in Status])
def test_the_status_shows_as_voided_and_expired(status: str) -> None:
    voided = status in ("voided", "redeemed", "invalidated", "deleted")
    ended = status in ("expired", "deleted")
    past, future = date(2026, 1, 31), date(2027, 1, 31)
    for joined, kept in ((past, "2026-01-31T23:59:59+00:00"), (future, "2027-01-31T23:59:59+00:00"), (None, None)):
        envelope = AppleEnvelope(**IDS, status=status, at=AT)
        document = render("expires: '{joined}'", {"joined": joined}, envelope)
        assert document.get("voided", False) is voided
        if not ended or joined == past:
            assert document.get("expirationDate") == kept
        else:
            assert datetime.fromisoformat(document["expirationDate"]) < AT


def test_the_envelope_decides_when_a_pass_expires() -> None:
    envelope = AppleEnvelope(**IDS, expires_at=datetime(2026, 3, 1, 12, tzinfo=UTC))
    document = render("expires: '{joined}'\ntime_zone: Europe/Berlin", envelope=envelope)
    assert document["expirationDate"] == "2026-03-01T13:00:00+01:00"
    deleted = AppleEnvelope(**IDS, status="deleted", expires_at=datetime(2099, 3, 1, tzinfo=UTC), at=AT)
    assert datetime.fromisoformat(render("", envelope=deleted)["expirationDate"]) < AT


def test_overrides_are_filled_in_for_every_member() -> None:
    apple = {
        "generic": {"auxiliaryFields": [{"key": "x", "value": "{tier}"}, {"key": "y", "value": "{given_name}"}], "headerFields": None},
        "userInfo": {"points": "{points}", "gone": "{currency}", "text": "#{points}", "moment": "{seen_at}"},
    }  # fmt: skip
    text = "header: [{key: a, value: x}]"
    document = render(text, {**MEMBER, "tier": None, "currency": None}, overrides={"apple": apple})
    assert document["generic"] == {"auxiliaryFields": [{"key": "y", "value": "Zoë"}]}
    assert document["userInfo"] == {"points": 12345, "text": "#12345", "moment": "2026-07-01T22:30:00+00:00"}


@pytest.mark.parametrize(
    ("locale", "expected"),
    [
        ("de-DE", "Hallo Zoë"),
        ("de_AT", "Hallo Zoë"),
        ("fr", "Hello Zoë"),
        (None, "Hello Zoë"),
        ("!!", "Hello Zoë"),
        ("", "Hello Zoë"),
    ],
)
def test_a_text_with_values_is_in_the_members_language(locale: str | None, expected: str) -> None:
    text = "back: [{key: a, label: {en: A, de: B}, value: {en: 'Hello {given_name}', de: 'Hallo {given_name}'}}]"
    [field] = render(text, {"given_name": "Zoë", "locale": locale})["generic"]["backFields"]
    assert field == {"key": "a", "label": "A", "value": expected}


def test_an_interval_needs_both_ends() -> None:
    text = "relevant_dates: [{start: '{seen_at}', end: '{joined}'}, {date: '{joined}'}]"
    assert "relevantDates" not in render(text, {})
    assert "relevantDates" not in render(text, {"seen_at": AT})
    document = render(text, {"seen_at": AT, "joined": date(2026, 6, 1)})
    assert document["relevantDates"] == [
        {"startDate": "2026-06-01T00:00:00+00:00", "endDate": "2026-06-01T23:59:59+00:00"},
        {"date": "2026-06-01T00:00:00+00:00", "relevantDate": "2026-06-01T00:00:00+00:00"},
    ]


def test_transit_and_grouping() -> None:
    document = render("style: boardingPass\ntransit: train\ngrouping: '{tier}-trip'")
    assert document["boardingPass"]["transitType"] == "PKTransitTypeTrain"
    assert document["groupingIdentifier"] == "gold-trip"
