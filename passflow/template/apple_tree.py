"""The template as the tree of Apple's pass.json, with a leaf wherever a member's value goes.

Keys and constants: https://developer.apple.com/documentation/walletpasses/pass
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from typing import Any, Final

from passflow.model import Values
from passflow.template.design import Template
from passflow.template.expression import Expression, compile_text
from passflow.template.field import Field
from passflow.template.neutral import Neutral, ReadyBarcode, ReadyField
from passflow.template.open_json import open_json
from passflow.template.parts import Beacon, Location, RelevantDate
from passflow.template.problems import value_error
from passflow.template.slots import Setting
from passflow.template.symbols import message_fault
from passflow.template.tree import OMIT, Leaf, Needs
from passflow.template.typed import TypedValue, compile_moment

FORMATS: Final[Mapping[str, str]] = {
    "qr": "PKBarcodeFormatQR",
    "pdf417": "PKBarcodeFormatPDF417",
    "aztec": "PKBarcodeFormatAztec",
    "code128": "PKBarcodeFormatCode128",
    "ean13": "PKBarcodeFormatEAN13",
    "code39": "PKBarcodeFormatCode39",
    "codabar": "PKBarcodeFormatCodabar",
    "itf": "PKBarcodeFormatI2of5",
}
"""Formats that Apple knows; the others are for other wallets and left out."""

_NUMBER_STYLES: Final = {
    "decimal": "Decimal",
    "percent": "Percent",
    "scientific": "Scientific",
    "spell_out": "SpellOut",
}
_DETECTORS: Final = {"phone": "PhoneNumber", "link": "Link", "address": "Address", "calendar": "CalendarEvent"}
NFC_BYTES: Final = 64


def apple_tree(template: Template, neutral: Neutral, setting: Setting, path: str) -> dict[str, Any]:
    """Lay the template out as pass.json, without the keys that the envelope brings."""
    texts = neutral.texts
    tree = {
        "organizationName": texts["organization"].node(),
        "description": texts["description"].node(),
        "logoText": _node(texts.get("logo_text")),
        "backgroundColor": _rgb(template.colors.background),
        "foregroundColor": _rgb(template.colors.foreground),
        "labelColor": _rgb(template.colors.label),
        template.style: _style(template, neutral, setting),
        "barcodes": [_barcode(code) for code in neutral.barcodes if code.format in FORMATS] or None,
        "nfc": _nfc(template, setting, path),
        "locations": [_location(place, texts.get(f"locations[{i}].text")) for i, place in enumerate(template.locations)]
        or None,
        "beacons": [_beacon(beacon, texts.get(f"beacons[{i}].text")) for i, beacon in enumerate(template.beacons)]
        or None,
        "maxDistance": template.max_distance,
        "relevantDates": [
            _relevant(moment, f"{path}.relevant_dates[{i}]", setting)
            for i, moment in enumerate(template.relevant_dates)
        ]
        or None,
        "expirationDate": _node(neutral.expires),
        "sharingProhibited": None if template.sharing else True,
        "groupingIdentifier": _machine(template.grouping, f"{path}.grouping", setting),
        "associatedStoreIdentifiers": (list(template.app.store_ids) or None) if template.app else None,
        "appLaunchURL": _machine(template.app.launch_url, f"{path}.app.launch_url", setting) if template.app else None,
        "userInfo": None if template.user_info is None else open_json(template.user_info, f"{path}.user_info", setting),
    }
    return _without_none(tree)


def _without_none(tree: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in tree.items() if value is not None}


def _node(value: Expression | TypedValue | str | int | float | None) -> Any:
    return value.node() if isinstance(value, Expression | TypedValue) else value


def _machine(text: str | None, path: str, setting: Setting) -> Any:
    return None if text is None else compile_text(text, path, setting, "machine").node()


def _rgb(colour: str | None) -> str | None:
    """``#abc`` and ``#aabbcc`` as ``rgb(170, 187, 204)``, which is what Apple's own tools write."""
    if colour is None or not re.fullmatch(r"#([0-9A-Fa-f]{3}|[0-9A-Fa-f]{6})", colour):
        return colour
    digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
    return "rgb({}, {}, {})".format(*bytes.fromhex(digits))


def _style(template: Template, neutral: Neutral, setting: Setting) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    if template.transit is not None:
        tree["transitType"] = f"PKTransitType{template.transit.title()}"
    for field in neutral.fields:
        tree.setdefault(f"{field.section}Fields", []).append(_field(field, setting))
    return tree


def _field(field: ReadyField, setting: Setting) -> dict[str, Any]:
    tree = {
        "key": field.key,
        "label": _node(field.label),
        "value": _value(field),
        "attributedValue": _node(field.attributed),
        "changeMessage": _node(field.change),
        **(_options(field.source, field, setting) if field.source else {}),
    }
    # a link whose URL is empty is no link; a field's value may do without its links
    return Needs(_without_none(tree), ("value",) if field.source else ("value", "attributedValue"))


def _value(field: ReadyField) -> Any:
    node, empty = _node(field.value), field.empty
    if node is None or (node == "" and empty is None):
        return Leaf(lambda values, locale: OMIT, "")
    if empty is None or not isinstance(node, Leaf):
        return empty if node == "" else node

    def fill(values: Values, locale: str) -> Any:
        value = node.fill(values, locale)
        return empty if value is OMIT else value

    return Leaf(fill, node.sample)


def _options(source: Field, field: ReadyField, setting: Setting) -> dict[str, Any]:
    ignores = source.ignore_time_zone
    if ignores is None and source.dated and field.plain_date:
        ignores = True  # a day is the same day wherever the phone is
    currency = source.currency_code
    return {
        "textAlignment": f"PKTextAlignment{source.align.title()}" if source.align else None,
        "dateStyle": f"PKDateStyle{source.date_style.title()}" if source.date_style else None,
        "timeStyle": f"PKDateStyle{source.time_style.title()}" if source.time_style else None,
        "isRelative": source.relative,
        "ignoresTimeZone": ignores,
        "numberStyle": f"PKNumberStyle{_NUMBER_STYLES[source.number_style]}" if source.number_style else None,
        "currencyCode": _machine(currency, f"{field.path}.currency_code", setting),
        "dataDetectorTypes": None
        if source.data_detectors is None
        else [f"PKDataDetectorType{_DETECTORS[each]}" for each in source.data_detectors],
        "row": source.row,
        "semantics": None
        if source.semantics is None
        else open_json(source.semantics, f"{field.path}.semantics", setting),
    }


def _barcode(code: ReadyBarcode) -> dict[str, Any]:
    node, format_, fixed = code.message.node(), code.format, code.encoding
    path = code.message.path
    if isinstance(node, str):
        message: Any = node
        encoding: Any = fixed or message_encoding(node)
    else:
        fill_message = node.fill

        def fill(values: Values, locale: str) -> Any:
            text = fill_message(values, locale)
            if text is not OMIT and (fault := message_fault(format_, text, fixed)):
                raise value_error(path, f"a {format_} code cannot hold a member's value: {fault[0]}", fault[1])
            return text

        def encode(values: Values, locale: str) -> Any:
            text = fill_message(values, locale)
            return OMIT if text is OMIT else message_encoding(text)

        message = Leaf(fill, node.sample)
        encoding = fixed or Leaf(encode)
    tree = {"format": FORMATS[format_], "message": message, "messageEncoding": encoding, "altText": _node(code.alt)}
    return Needs(_without_none(tree), ("message",))


def message_encoding(message: str) -> str:
    """Choose the usual character set of scanners where the message fits into it, otherwise utf-8."""
    if message.isascii():
        return "iso-8859-1"
    try:
        codecs.encode(message, "iso-8859-1")
    except UnicodeEncodeError:
        return "utf-8"
    return "iso-8859-1"


def _nfc(template: Template, setting: Setting, path: str) -> dict[str, Any] | None:
    nfc = template.nfc
    if nfc is None:
        return None
    where = f"{path}.nfc.message"
    node = compile_text(nfc.message, where, setting, "machine").node()
    if isinstance(node, Leaf):
        node = Leaf(_short_enough(node, where), node.sample)
    tree = {
        "message": node,
        "encryptionPublicKey": nfc.public_key,
        "requiresAuthentication": nfc.requires_authentication,
    }
    return Needs(_without_none(tree), ("message",))


def _short_enough(leaf: Leaf, path: str) -> Any:
    def fill(values: Values, locale: str) -> Any:
        text = leaf.fill(values, locale)
        if text is not OMIT and len(text.encode()) > NFC_BYTES:
            raise value_error(
                path, f"a member's NFC message is longer than {NFC_BYTES} bytes", "Use a shorter identifier"
            )
        return text

    return fill


def _location(place: Location, text: Expression | None) -> dict[str, Any]:
    tree = {"latitude": place.latitude, "longitude": place.longitude, "altitude": place.altitude}
    return _without_none({**tree, "relevantText": _node(text)})


def _beacon(beacon: Beacon, text: Expression | None) -> dict[str, Any]:
    tree = {"proximityUUID": beacon.uuid, "major": beacon.major, "minor": beacon.minor, "relevantText": _node(text)}
    return _without_none(tree)


def _relevant(moment: RelevantDate, path: str, setting: Setting) -> dict[str, Any]:
    # iOS 18 read `relevantDate` where iOS 26 reads `date`
    named = {"date": "date", "relevantDate": "date", "startDate": "start", "endDate": "end"}
    tree = {
        key: _node(compile_moment(text, f"{path}.{name}", setting, end_of_day=name == "end"))
        for key, name in named.items()
        if (text := getattr(moment, name)) is not None
    }
    return Needs(_without_none(tree), tuple(tree))
