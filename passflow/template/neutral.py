"""The template made ready, before any wallet: each text as an expression, each field with its section."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass

from passflow.template.design import SECTIONS, Section, Template
from passflow.template.expression import Expression, compile_text
from passflow.template.field import EmptyText, Field, Link
from passflow.template.parts import Barcode, BarcodeFormat
from passflow.template.slots import Setting
from passflow.template.typed import TypedValue, compile_figure, compile_moment
from passflow.template.urls import Context

Shown = Expression | TypedValue


@dataclass(frozen=True, slots=True, eq=False)
class ReadyField:
    """A field, or a link among the back fields.

    Attributes:
        key: name of the field.
        section: where it stands; links stand on the back.
        path: in the program file.
        source: the field as written, None for a link.
        label: the label.
        value: an expression, a typed value, or a constant that the phone formats; None when it does not hold.
        change: the change message.
        attributed: the value with links.
        empty: what an empty value shows: None leaves the field out.
        plain_date: whether the value is a day without a time.
    """

    key: str
    section: Section
    path: str
    source: Field | None
    label: Expression | None
    value: Shown | str | int | float | None
    change: Expression | None
    attributed: Expression | None
    empty: str | None
    plain_date: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class ReadyBarcode:
    """A code with its message and the text below it."""

    format: BarcodeFormat
    message: Expression
    alt: Expression | None
    encoding: str | None


@dataclass(frozen=True, slots=True, eq=False)
class Neutral:
    """All texts of a template, made ready.

    Attributes:
        texts: by path below the template: ``organization``, ``description``, ``logo_text``, ``locations[0].text`` …
        fields: all fields in the order of the sections, then the links.
        barcodes: the codes.
        images: where the images are, by name; those with member fields are personal.
        expires: a time as Apple writes it, or the member field that holds it.
        translated: every expression that the phone translates.
    """

    texts: Mapping[str, Expression]
    fields: tuple[ReadyField, ...]
    barcodes: tuple[ReadyBarcode, ...]
    images: Mapping[str, Expression]
    expires: str | TypedValue | None
    translated: tuple[Expression, ...]


class Builder:
    """Makes a template's texts ready, and keeps those that the phone translates."""

    def __init__(self, setting: Setting, path: str) -> None:
        self.setting = setting
        self.path = path
        self.translated: list[Expression] = []

    def build(self, template: Template) -> Neutral:
        """Make the whole template ready; what does not hold is noted in the setting's problems."""
        texts = {name: self.text(text, name) for name, text in _texts(template).items()}
        fields = [
            self._field(field, section, f"{section}[{index}]")
            for section in SECTIONS
            for index, field in enumerate(getattr(template, section))
        ]
        links = [self._link(link, f"links[{index}]") for index, link in enumerate(template.links)]
        barcodes = [self._barcode(code, f"barcodes[{index}]") for index, code in enumerate(template.barcodes)]
        images = {name: self.text(where, f"images.{name}", "image") for name, where in template.images.items()}
        expires = None
        if template.expires is not None:
            expires = compile_moment(template.expires, f"{self.path}.expires", self.setting, end_of_day=True)
        return Neutral(texts, (*fields, *links), tuple(barcodes), images, expires, tuple(self.translated))

    def text(self, text: str | Mapping[str, str], name: str, context: Context = "shown") -> Expression:
        """Make one text ready."""
        made = compile_text(text, f"{self.path}.{name}", self.setting, context)
        if context in ("shown", "html"):
            self.translated.append(made)
        return made

    def _field(self, field: Field, section: Section, name: str) -> ReadyField:
        return ReadyField(
            field.key,
            section,
            f"{self.path}.{name}",
            field,
            self._optional(field.label, f"{name}.label"),
            self._value(field, f"{name}.value"),
            self._optional(field.change_message, f"{name}.change_message"),
            None if field.attributed is None else self.text(field.attributed, f"{name}.attributed", "html"),
            self._empty(field, f"{name}.when_empty"),
            field.dated and self._plain_date(field.value),
        )

    def _value(self, field: Field, name: str) -> Shown | str | int | float | None:
        if not (field.dated or field.numeric):
            return self.text(field.value, name)
        path = f"{self.path}.{name}"
        if not isinstance(field.value, str):
            what = "the phone formats this value, so it cannot differ by language"
            self.setting.problems.add(path, what, 'Write one member field, such as `"{points}"`')
            return None
        if field.dated:
            return compile_moment(field.value, path, self.setting)
        return compile_figure(field.value, path, self.setting)

    def _plain_date(self, value: str | Mapping[str, str]) -> bool:
        if not isinstance(value, str):
            return False
        return self.setting.fields.get(value.strip("{}")) == "date" or len(value) == len("2026-12-31")

    def _empty(self, field: Field, name: str) -> str | None:
        if isinstance(field.when_empty, EmptyText):
            made = self.text(field.when_empty.text, f"{name}.text")
            if made.constant is None:
                self.setting.problems.add(made.path, "it holds a member field", "Write a text without braces")
            return made.constant
        return "" if field.when_empty == "keep" else None

    def _link(self, link: Link, name: str) -> ReadyField:
        path = f"{self.path}.{name}"
        url = self.text(link.url, f"{name}.url", "url")
        value = url if link.text is None else self.text(link.text, f"{name}.text")
        label = self._optional(link.label, f"{name}.label")
        return ReadyField(link.key, "back", path, None, label, value, None, self._anchor(link, f"{name}.url"), None)

    def _anchor(self, link: Link, name: str) -> Expression:
        href = html.escape(link.url)
        if isinstance(link.text, Mapping):
            texts = {tag: f'<a href="{href}">{html.escape(text)}</a>' for tag, text in link.text.items()}
            return self.text(texts, name, "html")
        return self.text(f'<a href="{href}">{html.escape(link.text or link.url)}</a>', name, "html")

    def _optional(self, text: str | Mapping[str, str] | None, name: str) -> Expression | None:
        return None if text is None else self.text(text, name)

    def _barcode(self, code: Barcode, name: str) -> ReadyBarcode:
        message = self.text(code.message, f"{name}.message", "machine")
        return ReadyBarcode(code.format, message, self._optional(code.alt, f"{name}.alt"), code.encoding)


def _texts(template: Template) -> dict[str, str | dict[str, str]]:
    found: dict[str, str | dict[str, str] | None] = {
        "organization": template.organization,
        "description": template.description,
        "logo_text": template.logo_text,
        **{f"locations[{index}].text": place.text for index, place in enumerate(template.locations)},
        **{f"beacons[{index}].text": beacon.text for index, beacon in enumerate(template.beacons)},
    }
    return {name: text for name, text in found.items() if text is not None}
