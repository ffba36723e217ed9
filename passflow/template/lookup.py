"""Lookup tables: the few values of a member field as texts for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from passflow.template.text import Text, best_language, languages_of

OTHERWISE = "*"


def _yaml_keys(value: Any) -> Any:
    # YAML reads `true:` and `1:` as a boolean and a number; members hold them as such too
    if not isinstance(value, Mapping):
        return value
    return {lookup_key(key) if isinstance(key, bool | int) else key: text for key, text in value.items()}


LookupTable = Annotated[
    dict[str, Text],
    BeforeValidator(_yaml_keys),
    Field(description="Values of a member field to texts; `*` stands for every value not listed.", min_length=1),
]


def lookup_key(value: str | int | bool) -> str:
    """Give the table key of a member's value: booleans are ``true`` and ``false``."""
    return str(value).lower() if isinstance(value, bool) else str(value)


class Lookup:
    """A table made ready: entries by key and language."""

    def __init__(self, table: Mapping[str, str | Mapping[str, str]], default: str) -> None:
        self.default = default
        self.entries = {key: languages_of(text, default) for key, text in table.items()}
        self._defaults = {key: self._best(texts, default) for key, texts in self.entries.items()}

    def find(self, value: str | int | bool, locale: str | None = None) -> str | None:
        """Give the text of a value in the locale's language, by default the template's; None when unlisted."""
        key = lookup_key(value)
        if key not in self.entries:
            key = OTHERWISE
        if locale is None:
            return self._defaults.get(key)
        texts = self.entries.get(key)
        return None if texts is None else self._best(texts, locale)

    def _best(self, texts: Mapping[str, str], locale: str) -> str:
        return texts[best_language(locale, tuple(texts), self.default)]
