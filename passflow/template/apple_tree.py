"""The template as the tree of Apple's pass.json, with a leaf wherever a member's value goes.

Keys and constants: https://developer.apple.com/documentation/walletpasses/pass
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from passflow.model import Values
from passflow.template.apple_code_tree import FORMATS, barcode_tree, nfc_tree
from passflow.template.apple_field_tree import style_tree
from passflow.template.design import Template
from passflow.template.expression import Expression
from passflow.template.neutral import Neutral
from passflow.template.nodes import machine_node, node_of, without_none
from passflow.template.open_json import open_json
from passflow.template.parts import Beacon, Location, RelevantDate
from passflow.template.problems import value_error
from passflow.template.slots import Setting
from passflow.template.tree import OMIT, Leaf, Needs, compile_tree
from passflow.template.typed import compile_moment


def apple_tree(template: Template, neutral: Neutral, setting: Setting, path: str) -> dict[str, Any]:
    """Lay the template out as pass.json, without the keys that the envelope brings."""
    texts = neutral.texts
    tree = {
        "organizationName": _required(texts["organization"]),
        "description": _required(texts["description"]),
        "logoText": node_of(texts.get("logo_text")),
        "backgroundColor": _rgb(template.colors.background),
        "foregroundColor": _rgb(template.colors.foreground),
        "labelColor": _rgb(template.colors.label),
        template.style: style_tree(template, neutral, setting),
        "barcodes": [barcode_tree(code) for code in neutral.barcodes if code.format in FORMATS] or None,
        "nfc": nfc_tree(template, setting, path),
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
        "expirationDate": node_of(neutral.expires),
        "sharingProhibited": None if template.sharing else True,
        "groupingIdentifier": machine_node(template.grouping, f"{path}.grouping", setting),
        "associatedStoreIdentifiers": (list(template.app.store_ids) or None) if template.app else None,
        "appLaunchURL": machine_node(template.app.launch_url, f"{path}.app.launch_url", setting)
        if template.app
        else None,
        "userInfo": None if template.user_info is None else open_json(template.user_info, f"{path}.user_info", setting),
    }
    return without_none(tree)


def _required(text: Expression) -> Any:
    node = text.node()
    if not isinstance(node, Leaf):
        return node

    def fill(values: Values, locale: str) -> Any:
        shown = node.fill(values, locale)
        if shown is OMIT:
            raise value_error(text.path, "it is empty for a member, but every pass needs it", "Add words of its own")
        return shown

    return Leaf(fill, node.sample)


def _rgb(colour: str | None) -> str | None:
    """``#abc`` and ``#aabbcc`` as ``rgb(170, 187, 204)``, which is what Apple's own tools write."""
    if colour is None or not re.fullmatch(r"#([0-9A-Fa-f]{3}|[0-9A-Fa-f]{6})", colour):
        return colour
    digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
    return "rgb({}, {}, {})".format(*bytes.fromhex(digits))


def _location(place: Location, text: Expression | None) -> dict[str, Any]:
    tree = {"latitude": place.latitude, "longitude": place.longitude, "altitude": place.altitude}
    return without_none({**tree, "relevantText": node_of(text)})


def _beacon(beacon: Beacon, text: Expression | None) -> dict[str, Any]:
    tree = {"proximityUUID": beacon.uuid, "major": beacon.major, "minor": beacon.minor, "relevantText": node_of(text)}
    return without_none(tree)


def _relevant(moment: RelevantDate, path: str, setting: Setting) -> dict[str, Any]:
    # iOS 18 read `relevantDate` where iOS 26 reads `date`
    named = {"date": "date", "relevantDate": "date", "startDate": "start", "endDate": "end"}
    tree = {
        key: node_of(compile_moment(text, f"{path}.{name}", setting, end_of_day=name == "end"))
        for key, name in named.items()
        if (text := getattr(moment, name)) is not None
    }
    start, end = tree.get("startDate"), tree.get("endDate")
    if isinstance(start, Leaf) or isinstance(end, Leaf):
        tree["endDate"] = _after(start, end, f"{path}.end")
    return Needs(without_none(tree), tuple(tree))


def _after(start: Any, end: Any, path: str) -> Any:
    begins, ends = compile_tree(start), compile_tree(end)

    def fill(values: Values, locale: str) -> Any:
        first, last = begins(values, locale), ends(values, locale)
        if isinstance(first, str) and isinstance(last, str):
            if datetime.fromisoformat(last) < datetime.fromisoformat(first):
                raise value_error(path, "a member's interval ends before it starts", "Correct the two dates")
            return last
        return OMIT

    return Leaf(fill)
