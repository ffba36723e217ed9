"""A template, checked against its members' fields and Apple's rules, and made ready to render."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo

from passflow.model import FieldType, Values
from passflow.template import marks
from passflow.template.apple_code_tree import FORMATS
from passflow.template.apple_paths import program_path
from passflow.template.apple_rules import apple_faults
from passflow.template.apple_tree import apple_tree
from passflow.template.design import Template
from passflow.template.localise import collect_phrases
from passflow.template.lookup import Lookup
from passflow.template.neutral import Builder, Neutral
from passflow.template.open_json import open_json
from passflow.template.problems import Problems
from passflow.template.slots import Setting
from passflow.template.symbols import message_fault
from passflow.template.text import best_language, language_tag, languages_of
from passflow.template.tree import Fill, compile_tree, merge_patch

RENDERING: Final = 1
"""Raised when the same template and member would render differently, so that every revision changes."""

LOCALE_FIELD: Final = "locale"
"""The member field that, where the members have it as text, decides in which language a text about them is written."""


@dataclass(frozen=True, slots=True, eq=False)
class CompiledTemplate:
    """A template made ready to render.

    Attributes:
        template: as written.
        fields: the member fields it uses, with their declared types.
        revision: hex SHA-256 of everything that determines the rendering.
        language: tag of the template's own language, such as ``de``.
        locale: its CLDR name, such as ``de_DE``.
        neutral: its texts, for every wallet.
        phrases: what phones translate: default text to its texts by language tag.
        apple: fills in pass.json, but for the keys of the envelope.
    """

    template: Template
    fields: Mapping[str, FieldType]
    revision: str
    language: str
    locale: str
    neutral: Neutral
    phrases: Mapping[str, Mapping[str, str]]
    apple: Fill

    def locale_of(self, values: Values) -> str:
        """Give the CLDR name of a member's locale; the template's where there is none that CLDR knows."""
        if LOCALE_FIELD not in self.fields:
            return self.locale
        raw = values.get(LOCALE_FIELD)
        return (marks.find_locale(raw) or self.locale) if isinstance(raw, str) and raw else self.locale


def compile_template(
    template: Template, fields: Mapping[str, FieldType], *, asset: str = "", path: str = "template"
) -> CompiledTemplate:
    """Check a template and make it ready.

    Args:
        template: the template.
        fields: the member fields there are, with their declared types.
        asset: hash of the template's image files, which its revision then covers too.
        path: of the template in the program file, for errors.

    Raises:
        TemplateError: all problems that were found.
    """
    problems = Problems()
    setting = _setting(template, fields, path, problems)
    if problems.found:  # without a language and a time zone nothing else can be judged
        problems.finish()
    _check_lookups(template, setting, path)
    neutral = Builder(setting, path).build(template)
    _check_codes(template, neutral, path, problems)
    _check_images(neutral, problems)
    tree = apple_tree(template, neutral, setting, path)
    tree = merge_patch(tree, open_json(template.overrides.apple, f"{path}.overrides.apple", setting))
    codes = tuple(index for index, code in enumerate(template.barcodes) if code.format in FORMATS)
    for fault in apple_faults(tree, {name.partition("@")[0] for name in template.images}):
        problems.add(program_path(fault.pointer, template, codes, path), fault.what, fault.fix)
    open_json(template.overrides.google, f"{path}.overrides.google", setting)
    phrases = collect_phrases(neutral.translated, problems)
    problems.finish()
    if fields.get(LOCALE_FIELD) == "text":
        setting.used.add(LOCALE_FIELD)
    used: dict[str, FieldType] = {name: fields[name] for name in sorted(setting.used)}
    return CompiledTemplate(
        template=template,
        fields=used,
        revision=_revision(template, used, asset),
        language=setting.language,
        locale=marks.find_locale(setting.language) or setting.language,
        neutral=neutral,
        phrases=phrases,
        apple=compile_tree(tree),
    )


def required_fields(compiled: CompiledTemplate) -> frozenset[str]:
    """Name the member fields that a template uses."""
    return frozenset(compiled.fields)


def _setting(template: Template, fields: Mapping[str, FieldType], path: str, problems: Problems) -> Setting:
    language = language_tag(template.locale)
    if marks.find_locale(language) is None:
        problems.add(f"{path}.locale", f"`{template.locale}` is no locale of CLDR", "Use one such as en, de or pt-BR")
    try:
        ZoneInfo(template.time_zone)
    except (ValueError, OSError):  # ZoneInfoNotFoundError is a KeyError
        problems.add(f"{path}.time_zone", "it is no time zone", "Use an IANA name such as Europe/Berlin")
    except KeyError:
        problems.add(f"{path}.time_zone", "there is no such time zone", "Use an IANA name such as Europe/Berlin")
    if template.currency is not None and not marks.is_currency(template.currency):
        problems.add(f"{path}.currency", "it is no currency", "Use a code of ISO 4217, such as EUR")
    lookups = {name: Lookup(table, language) for name, table in template.lookups.items()}
    return Setting(fields, lookups, template.currency, template.time_zone, language, problems)


def _check_lookups(template: Template, setting: Setting, path: str) -> None:
    for name, table in template.lookups.items():
        for key, text in table.items():
            tags = languages_of(text, setting.language)
            near = best_language(setting.language, tuple(tags), setting.language)
            where = f"{path}.lookups.{name}.{key}"
            if near.split("-")[0] != setting.language.split("-")[0]:
                what = f"there is no text in the template's language `{setting.language}`"
                setting.problems.add(where, what, f"Add `{setting.language}:`, or change `locale`")
            for tag in tags:
                if marks.find_locale(tag) is None:
                    setting.problems.add(f"{where}.{tag}", f"`{tag}` is no language", "Use a tag such as en or pt-BR")


def _check_codes(template: Template, neutral: Neutral, path: str, problems: Problems) -> None:
    """Check the codes whose message is the same for every member, and that Apple gets one at all."""
    for index, code in enumerate(neutral.barcodes):
        message = code.message.constant
        if message and (fault := message_fault(code.format, message, code.encoding)):
            problems.add(f"{path}.barcodes[{index}].message", fault[0], fault[1])
        if code.encoding is not None and message_fault("qr", "", code.encoding):
            problems.add(f"{path}.barcodes[{index}].encoding", "there is no such character set", "Use utf-8")
    if template.barcodes and not any(code.format in FORMATS for code in template.barcodes):
        fix = "Add a qr, pdf417, aztec or code128 code last"
        problems.add(f"{path}.barcodes", "Apple shows none of these formats", fix)


def _check_images(neutral: Neutral, problems: Problems) -> None:
    for name, where in neutral.images.items():
        if not where.sample or ("://" in where.sample and not where.sample.startswith("https://")):
            problems.add(where.path, "it is no place of an image", "Give a path, `library:NAME` or an https URL")
        if name == "icon" and where.constant is None:
            problems.add(where.path, "a pass without an icon is refused, and a member may have none", "Use one for all")


def _revision(template: Template, fields: Mapping[str, FieldType], asset: str) -> str:
    # defaults are left out, so that a new option does not change every revision there is
    content: dict[str, Any] = {
        "rendering": RENDERING,
        "template": template.model_dump(mode="json", exclude_defaults=True),
        "fields": dict(fields),
        "asset": asset,
    }
    text = json.dumps(content, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
