"""Texts of a template: plain, or one per language."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

# BCP 47 language[-script][-region]; the underscore is what many databases hold
LANGUAGE = r"^[A-Za-z]{2,3}([-_][A-Za-z]{4})?([-_]([A-Za-z]{2}|[0-9]{3}))?$"

# what no wallet shows and no strings file can hold: C0 controls but tab and newline, and lone surrogates
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")


def language_tag(raw: str) -> str:
    """Give a language tag in its usual case, such as ``pt-BR`` or ``zh-Hant`` (RFC 5646 section 2.1.1)."""
    first, *rest = raw.replace("_", "-").split("-")
    return "-".join([first.lower(), *(part.title() if len(part) == 4 else part.upper() for part in rest)])


def _from_yaml(value: Any) -> Any:
    # YAML 1.1 reads a bare `no:` (Norwegian) as false and `label: 2026` as a number
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, Mapping):
        return {"no" if key is False else key: text for key, text in value.items()}
    return value


def _printable(value: str | dict[str, str]) -> str | dict[str, str]:
    texts = [value] if isinstance(value, str) else list(value.values())
    if any(_UNPRINTABLE.search(text) for text in texts):
        raise ValueError("a text holds a control character that no wallet can show")
    if isinstance(value, str):
        return value
    if not value:
        raise ValueError("a mapping of languages needs at least one entry")
    tags = {language_tag(key): text for key, text in value.items()}
    if len(tags) != len(value):
        raise ValueError("a language is given twice")
    return tags


Language = Annotated[str, Field(pattern=LANGUAGE)]
Text = Annotated[
    str | dict[Language, str],
    BeforeValidator(_from_yaml),
    AfterValidator(_printable),
    Field(description="A text, or a mapping of language tags to texts such as {en: Points, de: Punkte}."),
]


def languages_of(text: str | Mapping[str, str], default: str) -> dict[str, str]:
    """Give a text as a mapping of languages; a plain one stands under the default language."""
    return {default: text} if isinstance(text, str) else dict(text)


@lru_cache(maxsize=4096)
def best_language(wanted: str, languages: tuple[str, ...], default: str) -> str:
    """Choose the language nearest to a locale, by RFC 4647 lookup: drop region, then script.

    Where that finds nothing, a tag of the same language in another region is taken, and then the default.

    Args:
        wanted: a locale such as ``de_AT`` or ``zh-Hant-TW``.
        languages: the tags to choose from, at least one.
        default: the tag to take when none is near.
    """
    known = {tag.lower(): tag for tag in languages}
    for locale in (wanted, default):
        for candidate in _candidates(locale):
            if candidate in known:
                return known[candidate]
        base = locale.replace("_", "-").lower().split("-")[0]
        if related := sorted(tag for tag in known if tag.split("-")[0] == base):
            return known[related[0]]
    return min(languages)


def _candidates(locale: str) -> list[str]:
    first, *rest = locale.replace("_", "-").lower().split("-")
    script = next((part for part in rest if len(part) == 4), "")
    region = next((part for part in rest if len(part) in (2, 3)), "")
    chains = ([first, script, region], [first, script], [first, region], [first])
    return ["-".join(part for part in chain if part) for chain in chains]
