"""Field values as a device shows them: dates, numbers and money in the reader's language.

Keys and styles: https://developer.apple.com/documentation/walletpasses/passfieldcontent
"""

from __future__ import annotations

import html
import math
import re
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from passflow.template.preview.text import MAX_LENGTH

if TYPE_CHECKING:
    from babel import Locale

_WIDTHS: Final = {
    "PKDateStyleShort": "short",
    "PKDateStyleMedium": "medium",
    "PKDateStyleLong": "long",
    "PKDateStyleFull": "full",
}
_TAG: Final = re.compile(r"<[^<>]{0,2000}>")
_LARGEST: Final = 10**15


def show_value(field: Mapping[str, Any], language: str | None) -> str:
    """The text of a field's value.

    Dates are shown in the time zone they are written in, because a picture has no device whose zone could apply.
    """
    value = field.get("value")
    if isinstance(value, bool) or value is None:
        return ""
    if isinstance(value, int | float):
        return _show_number(value, field, language)
    if not isinstance(value, str):
        return ""
    if "dateStyle" in field or "timeStyle" in field:
        return _show_date(value, field, language)
    return value[:MAX_LENGTH]


def strip_links(text: str) -> str:
    """The words of an ``attributedValue``, which may hold ``<a href>`` and entities."""
    return html.unescape(_TAG.sub("", text[:MAX_LENGTH]))


def find_locale(language: str | None) -> Locale:
    """The locale of a language tag; English where it is unknown."""
    from babel import Locale, UnknownLocaleError

    for tag in (language or "en", (language or "en").split("-")[0]):
        try:
            return Locale.parse(tag[:35].replace("_", "-"), sep="-")
        except (UnknownLocaleError, ValueError, TypeError):
            continue
    return Locale("en", "US")


def _show_number(value: float, field: Mapping[str, Any], language: str | None) -> str:
    from babel import numbers

    if abs(value) > _LARGEST or not math.isfinite(value):  # in this order: a huge int has no float
        return f"{value:.6g}" if isinstance(value, float) else "…"
    locale, style, currency = find_locale(language), field.get("numberStyle"), field.get("currencyCode")
    if isinstance(currency, str) and re.fullmatch(r"[A-Za-z]{3}", currency):
        return numbers.format_currency(value, currency.upper(), locale=locale)
    if style == "PKNumberStylePercent":
        return numbers.format_percent(value, locale=locale)
    if style == "PKNumberStyleScientific":
        return numbers.format_scientific(value, locale=locale)
    if style in ("PKNumberStyleDecimal", "PKNumberStyleSpellOut"):
        return numbers.format_decimal(value, locale=locale)
    return str(value)


def _show_date(value: str, field: Mapping[str, Any], language: str | None) -> str:
    from babel import dates

    try:
        moment = datetime.fromisoformat(value[:40])
    except ValueError:
        return value[:MAX_LENGTH]
    day, time = _WIDTHS.get(str(field.get("dateStyle"))[:40]), _WIDTHS.get(str(field.get("timeStyle"))[:40])
    locale = find_locale(language)
    # the long time styles name a zone, which a bare offset does not have
    clock = dates.format_time(moment, "short" if time == "short" else "medium", locale=locale) if time else ""
    if not day:
        return clock
    text = dates.format_date(moment, _width(day), locale=locale)
    return f"{text}, {clock}" if clock else text


def _width(name: str) -> Any:
    return name  # Babel takes a literal of four words, the values of _WIDTHS
