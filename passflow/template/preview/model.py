"""What a picture needs of a pass.json, read without trust: whatever is missing or absurd is left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from passflow.errors import ConfigError
from passflow.template.barcode import FORMATS, Symbol, encode_barcode
from passflow.template.preview.colors import BLACK, INK, WHITE, Color, parse_color
from passflow.template.preview.text import clean, is_right_to_left
from passflow.template.preview.values import show_value, strip_links

STYLES: Final = ("boardingPass", "coupon", "eventTicket", "generic", "storeCard")
GROUPS: Final = ("headerFields", "primaryFields", "secondaryFields", "auxiliaryFields", "backFields")
_MOST_FIELDS: Final = 60
_ANCHORS: Final = {
    "PKTextAlignmentLeft": "start",
    "PKTextAlignmentCenter": "middle",
    "PKTextAlignmentRight": "end",
}


@dataclass(frozen=True, slots=True)
class Shown:
    """One field as it is shown.

    Attributes:
        label: may be empty.
        value: one line; on the back, lines.
        anchor: start, middle or end.
        row: 0 or 1, in auxiliary fields of event tickets.
        link: True when the value is a link.
    """

    label: str
    value: str
    anchor: str
    row: int
    link: bool


@dataclass(frozen=True, slots=True)
class Code:
    """The barcode a device would show.

    Attributes:
        symbol: its modules; None when its message cannot be drawn.
        alt_text: the line beneath.
    """

    symbol: Symbol | None
    alt_text: str


@dataclass(frozen=True, slots=True)
class Card:
    """A pass, reduced to what is seen."""

    style: str
    transit: str
    background: Color
    foreground: Color
    label: Color
    logo_text: str
    organization: str
    description: str
    fields: Mapping[str, tuple[Shown, ...]]
    code: Code | None
    voided: bool
    expired: bool
    has_background_color: bool


def read_card(
    pass_json: Mapping[str, Any],
    *,
    language: str | None,
    strings: Mapping[str, str] | None,
    now: datetime | None,
    dark: bool,
) -> Card:
    """Reads a pass.json.

    Args:
        pass_json: the decoded file, from anybody.
        language: tag for dates and numbers.
        strings: a ``pass.strings`` table applied to labels and values.
        now: when the picture is taken; decides whether the pass has expired.
        dark: True when text stands on a picture, so that white is the better default.
    """
    words = strings or {}
    style = next((name for name in STYLES if isinstance(pass_json.get(name), Mapping)), "generic")
    body = pass_json.get(style, pass_json.get("posterGeneric"))
    groups = body if isinstance(body, Mapping) else {}
    given = parse_color(pass_json.get("backgroundColor"))
    wanted = parse_color(pass_json.get("foregroundColor"))
    background = given or (INK if dark or (wanted and wanted.is_light) else WHITE)
    foreground = wanted or (BLACK if background.is_light else WHITE)
    label = parse_color(pass_json.get("labelColor")) or foreground.mix(background, 0.35)
    return Card(
        style=style,
        transit=clean(groups.get("transitType")).removeprefix("PKTransitType"),
        background=background,
        foreground=foreground,
        label=label,
        logo_text=_translated(pass_json.get("logoText"), words),
        organization=_translated(pass_json.get("organizationName"), words),
        description=_translated(pass_json.get("description"), words),
        fields={name: _read_fields(groups.get(name), name, language, words) for name in GROUPS},
        code=_read_code(pass_json, words),
        voided=pass_json.get("voided") is True,
        expired=_has_expired(pass_json.get("expirationDate"), now or datetime.now(UTC)),
        has_background_color=given is not None,
    )


def _translated(value: object, words: Mapping[str, str]) -> str:
    if not isinstance(value, str):
        return ""
    found = words.get(value, value) if len(value) <= 1000 else value
    return clean(found if isinstance(found, str) else value)


def _read_fields(group: object, name: str, language: str | None, words: Mapping[str, str]) -> tuple[Shown, ...]:
    if not isinstance(group, list | tuple):
        return ()
    fields = [entry for entry in group[:_MOST_FIELDS] if isinstance(entry, Mapping)]
    return tuple(_read_field(entry, name == "backFields", language, words) for entry in fields)


def _read_field(entry: Mapping[str, Any], back: bool, language: str | None, words: Mapping[str, str]) -> Shown:
    value = show_value(entry, language)
    if len(value) <= 1000:
        found = words.get(value, value)
        value = found if isinstance(found, str) else value
    rich = entry.get("attributedValue")
    if back and isinstance(rich, str) and rich:
        found = words.get(rich, rich) if len(rich) <= 1000 else rich
        value = strip_links(found if isinstance(found, str) else rich)
    link = back and (value.startswith(("https://", "http://")) or (isinstance(rich, str) and "<a " in rich[:2000]))
    text = value if back else clean(value)
    natural = "end" if is_right_to_left(text[:200]) else "start"
    anchor = _ANCHORS.get(entry["textAlignment"], natural) if isinstance(entry.get("textAlignment"), str) else natural
    row = entry.get("row")
    return Shown(_translated(entry.get("label"), words), text, anchor, 1 if row == 1 else 0, link)


def _read_code(pass_json: Mapping[str, Any], words: Mapping[str, str]) -> Code | None:
    """The first displayable of ``barcodes``, else the deprecated ``barcode``."""
    listed = pass_json.get("barcodes")
    entries = list(listed[:10]) if isinstance(listed, list | tuple) else [listed]
    known = [
        entry
        for entry in [*entries, pass_json.get("barcode")]
        if isinstance(entry, Mapping) and isinstance(entry.get("format"), str) and entry["format"] in FORMATS
    ]
    if not known:
        return None
    entry = known[0]
    message, encoding = entry.get("message"), entry.get("messageEncoding")
    try:
        symbol = encode_barcode(
            entry["format"],
            message if isinstance(message, str) else "",
            encoding if isinstance(encoding, str) and "\0" not in encoding else "iso-8859-1",
        )
    except ConfigError:
        symbol = None  # the picture says so; what is wrong is for `passflow verify` to explain
    return Code(symbol, _translated(entry.get("altText"), words))


def _has_expired(value: object, now: datetime) -> bool:
    if not isinstance(value, str):
        return False
    try:
        moment = datetime.fromisoformat(value[:40])
    except ValueError:
        return False
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) <= now
