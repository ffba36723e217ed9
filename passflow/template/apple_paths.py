"""From a place in pass.json to the place in the program file that it came from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from passflow.template.design import Template

_TOP: Final = {
    "organizationName": "organization",
    "logoText": "logo_text",
    "backgroundColor": "colors.background",
    "foregroundColor": "colors.foreground",
    "labelColor": "colors.label",
    "maxDistance": "max_distance",
    "relevantDates": "relevant_dates",
    "expirationDate": "expires",
    "sharingProhibited": "sharing",
    "groupingIdentifier": "grouping",
    "associatedStoreIdentifiers": "app.store_ids",
    "appLaunchURL": "app.launch_url",
    "userInfo": "user_info",
}
_LAST: Final = {
    "attributedValue": "attributed",
    "changeMessage": "change_message",
    "textAlignment": "align",
    "dateStyle": "date_style",
    "timeStyle": "time_style",
    "isRelative": "relative",
    "ignoresTimeZone": "ignore_time_zone",
    "numberStyle": "number_style",
    "currencyCode": "currency_code",
    "dataDetectorTypes": "data_detectors",
    "encryptionPublicKey": "public_key",
    "requiresAuthentication": "requires_authentication",
    "messageEncoding": "encoding",
    "altText": "alt",
    "proximityUUID": "uuid",
    "relevantText": "text",
    "startDate": "start",
    "endDate": "end",
    "relevantDate": "date",
}
_PART = re.compile(r"([^.\[\]]+)((?:\[\d+\])*)")


def program_path(pointer: str, template: Template, codes: tuple[int, ...], path: str) -> str:
    """Give the path in the program file for a place in pass.json.

    Args:
        pointer: such as ``storeCard.secondaryFields[1].value``, or ``images.icon``.
        template: the template that pass.json was rendered from.
        codes: the index in ``template.barcodes`` of each code that Apple gets.
        path: of the template in the program file.
    """
    if _overridden(pointer, template.overrides.apple):
        return f"{path}.overrides.apple" + (f".{pointer}" if pointer else "")
    parts = _PART.findall(pointer)
    if not parts:
        return path
    if parts[0][0] == template.style:
        return f"{path}.{_style_path(parts[1:], template)}"
    name, index = parts[0]
    if name == "barcodes" and index:
        index = f"[{codes[int(index[1:-1])]}]"
    if name not in _TOP and name not in Template.model_fields:
        return f"{path}.overrides.apple.{pointer}"
    return ".".join([path, _TOP.get(name, name) + index, *(_LAST.get(key, key) + at for key, at in parts[1:])])


def _style_path(parts: list[tuple[str, str]], template: Template) -> str:
    if not parts:
        return "style"
    group, index = parts[0]
    if group == "transitType":
        return "transit"
    section, rest = group.removesuffix("Fields"), [_LAST.get(key, key) + at for key, at in parts[1:]]
    number = int(index[1:-1]) if index else 0
    if section == "back" and index and number >= len(template.back):
        rest = ["url" if key == "attributed" else key for key in rest]
        return ".".join([f"links[{number - len(template.back)}]", *rest])
    return ".".join([section + index, *rest])


def _overridden(pointer: str, patch: Mapping[str, Any]) -> bool:
    """Whether the overrides gave the value: they name an object that holds it, or replaced an array on the way."""
    node: Any = patch
    for key, index in _PART.findall(pointer):
        if not isinstance(node, Mapping) or key not in node:
            return False
        node = node[key]
        if index:
            return True
    return bool(pointer)
