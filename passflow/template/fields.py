"""What each field of a pass shows, and where its images are: the view that no wallet shapes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from passflow.model import Value
from passflow.template.compile import CompiledTemplate
from passflow.template.expression import Expression
from passflow.template.localise import strings_files
from passflow.template.neutral import ReadyField
from passflow.template.text import language_tag
from passflow.template.typed import TypedValue


def render_fields(
    compiled: CompiledTemplate, values: Mapping[str, Value], language: str | None = None
) -> dict[str, str]:
    """Give what each field shows, by field key in the order of the pass; fields that are left out are not in it.

    Fields that stand only in a wallet's overrides are that wallet's, and not in it either.

    Args:
        compiled: the template.
        values: the member's.
        language: tag of the phone's language, by default the template's. It decides over texts that the phone
            translates; texts with member fields are in the member's own locale.

    Raises:
        TemplateError: a value cannot be shown (code ``template.value``).
    """
    return _render(compiled, compiled.neutral.fields, values, language)


def _render(
    compiled: CompiledTemplate, fields: Iterable[ReadyField], values: Mapping[str, Value], language: str | None = None
) -> dict[str, str]:
    locale = compiled.locale_of(values)
    tag = compiled.language if language is None else language_tag(language)
    shown: dict[str, str] = {}
    for field in fields:
        value = field.value
        text = value.seen(values, locale, tag) if isinstance(value, Expression | TypedValue) else str(value)
        if not text:
            if field.empty is None:
                continue
            text = field.empty
        shown[field.key] = text
    return shown


def rings(compiled: CompiledTemplate, old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    """Name the fields whose change makes a phone show a notification.

    Args:
        compiled: the template of the new state.
        old: as `render_fields` gave it before; empty for a pass that is new, which never rings.
        new: as it gives it now.
    """
    if not old:
        return []
    return [
        field.key
        for field in compiled.neutral.fields
        if field.change is not None and field.key in new and old.get(field.key) != new[field.key]
    ]


def ringing_fields(compiled: CompiledTemplate, before: Mapping[str, Value], after: Mapping[str, Value]) -> list[str]:
    """Name the fields that ring when a pass's values become others; only those that can are rendered.

    Args:
        compiled: the template of the new state.
        before: the member's values until now.
        after: the member's values from now on.

    Raises:
        TemplateError: a value cannot be shown (code ``template.value``).
    """
    able = [field for field in compiled.neutral.fields if field.change is not None]
    old, new = (_render(compiled, able, values) for values in (before, after))
    return [key for key, text in new.items() if old.get(key) != text]


def shared_images(compiled: CompiledTemplate) -> dict[str, str]:
    """Give the images that all passes share: image name to path, ``library:NAME`` or https URL."""
    constants = {name: where.constant for name, where in compiled.neutral.images.items()}
    return {name: where for name, where in constants.items() if where}


def personal_images(compiled: CompiledTemplate, values: Mapping[str, Value]) -> dict[str, str]:
    """Give the images of one member: image name to reference; those without a value are left out.

    Raises:
        TemplateError: a value is no https URL, or cannot be part of a file name (code ``template.value``).
    """
    found = {
        name: where.render(values, "") for name, where in compiled.neutral.images.items() if where.constant is None
    }
    return {name: where for name, where in found.items() if where}


def localisation(compiled: CompiledTemplate) -> dict[str, bytes]:
    """Give the strings files of a pass by their path in the package, such as ``de.lproj/pass.strings``."""
    return strings_files(compiled.phrases)
