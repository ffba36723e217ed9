"""A text of the template made ready: in each of its languages, for every member."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from passflow.errors import TemplateError
from passflow.model import Values
from passflow.template import marks
from passflow.template.format import Slot, parse
from passflow.template.lookup import Lookup
from passflow.template.show import shower
from passflow.template.slots import Setting, Show, check_slot
from passflow.template.text import best_language, languages_of
from passflow.template.tree import OMIT, Leaf
from passflow.template.urls import Context, Wrap, wrapper

# a barcode or an URL must not change with the reader's language
_FOR_MACHINES = ("plain", "number", "upper", "lower", "title", "last", "groups", "lookup")


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """A text in one language: how it is shown, its constant where it has no slot, and a sample."""

    show: Show
    constant: str | None
    sample: str


@dataclass(frozen=True, slots=True, eq=False)
class Expression:
    """A text of the template in all its languages.

    Texts without member fields, and whole values out of one lookup table, are translated by the phone; a text with
    member fields is written in the member's own locale.

    Attributes:
        path: where the text stands in the program file.
        default: the language whose text the pass carries.
        programs: language tag to text, the default first.
        table: the lookup table when the text is nothing but one entry of it.
    """

    path: str
    default: str
    programs: Mapping[str, Program]
    table: Lookup | None = None

    @property
    def constant(self) -> str | None:
        """The default text, when no language of it has a member field."""
        fixed = all(program.constant is not None for program in self.programs.values())
        return self.programs[self.default].constant if fixed else None

    @property
    def sample(self) -> str:
        """The default text with ``x`` for every member's value."""
        return self.programs[self.default].sample

    def phrases(self) -> list[dict[str, str]]:
        """What the phone must be able to translate: language tag to text, each with the default language."""
        if self.table is not None:
            return [dict(texts) for texts in self.table.entries.values() if len(texts) > 1]
        if self.constant is None or len(self.programs) == 1:
            return []
        return [{tag: program.constant or "" for tag, program in self.programs.items()}]

    def render(self, values: Values, locale: str) -> str:
        """Give the text as the pass carries it; empty when every member field in it is."""
        if self.table is not None or self.constant is not None:
            return self.programs[self.default].show(values, "")
        return self._nearest(locale).show(values, locale)

    def seen(self, values: Values, locale: str, language: str) -> str:
        """Give the text as a phone of this language shows it."""
        if self.table is not None:
            return self.programs[self.default].show(values, language)
        if self.constant is not None:
            return self._nearest(language).show(values, language)
        return self._nearest(locale).show(values, locale)

    def _nearest(self, locale: str) -> Program:
        if len(self.programs) == 1:
            return self.programs[self.default]
        return self.programs[best_language(locale, tuple(self.programs), self.default)]

    def node(self) -> str | Leaf:
        """Give the text as a node of a JSON tree: a constant, or a leaf that is left out when empty."""
        if self.constant is not None:
            return self.constant
        show = self.programs[self.default].show if len(self.programs) == 1 else self.render
        fixed_language = self.table is not None

        def fill(values: Values, locale: str) -> object:
            return show(values, "" if fixed_language else locale) or OMIT

        return Leaf(fill, self.sample)


def compile_text(text: str | Mapping[str, str], path: str, setting: Setting, context: Context = "shown") -> Expression:
    """Parse a text in all its languages; what does not hold is noted in the setting's problems."""
    texts = languages_of(text, setting.language)
    tags = tuple(texts)
    default = best_language(setting.language, tags, setting.language)
    if not isinstance(text, str):
        _check_languages(tags, default, path, setting)
    texts = {default: texts[default], **texts}
    slots: list[tuple[str | Slot, ...]] = []
    programs: dict[str, Program] = {}
    for tag, each in texts.items():
        where = path if isinstance(text, str) else f"{path}.{tag}"
        try:
            parts = parse(each, where)
        except TemplateError as error:
            setting.problems.take(error)
            parts = ()
        slots.append(parts)
        programs[tag] = _program(parts, where, setting, context)
    return Expression(path, default, programs, _only_lookup(slots, setting) if context == "shown" else None)


def _check_languages(tags: tuple[str, ...], default: str, path: str, setting: Setting) -> None:
    for tag in tags:
        if marks.find_locale(tag) is None:
            setting.problems.add(f"{path}.{tag}", f"`{tag}` is no language", "Use a tag such as en, de or pt-BR")
    if default.split("-", maxsplit=1)[0] != setting.language.split("-")[0]:
        what = f"there is no text in the template's language `{setting.language}`"
        setting.problems.add(path, what, f"Add `{setting.language}:`, or change `locale`")


def _only_lookup(texts: list[tuple[str | Slot, ...]], setting: Setting) -> Lookup | None:
    if len(texts) != 1 or len(texts[0]) != 1:
        return None
    slot = texts[0][0]
    return setting.lookups.get(slot.argument) if isinstance(slot, Slot) and slot.kind == "lookup" else None


def _program(parts: tuple[str | Slot, ...], path: str, setting: Setting, context: Context) -> Program:
    exact = context not in {"shown", "html"}
    shows: list[Show] = []
    before = sample = pattern = ""
    sound = True
    for part in parts:
        if isinstance(part, str):
            before, sample, pattern = before + part, sample + part, pattern + part.replace("%", "%%")
            continue
        sound = _check(part, path, setting, exact) and sound
        wrap = wrapper(context, before, path)
        if sound:
            shows.append(_wrapped(shower(part, path, setting, exact=exact), wrap, exact))
        opens_link = wrap is not None and (
            (context == "url" and not before) or (before[-1:] in "\"'" and context == "html")
        )
        sample += "https://x.example" if opens_link else "x"
        before, pattern = before + "x", pattern + "%s"
    if not any(isinstance(part, Slot) for part in parts):
        return Program(lambda values, locale: sample, sample, sample)
    return Program(_join(pattern, shows, strip=context == "shown"), None, sample)


def _check(slot: Slot, path: str, setting: Setting, exact: bool) -> bool:
    sound = check_slot(slot, path, setting)
    if exact and (slot.kind not in _FOR_MACHINES or (slot.kind == "number" and "," in slot.argument)):
        what = f"`{{{slot.source}}}` depends on the language, and this text is read by machines"
        setting.problems.add(path, what, f"Write `{{{slot.field}}}`, or digits such as `{{{slot.field}:08}}`")
        return False
    return sound


def _wrapped(show: Show, wrap: Wrap | None, exact: bool) -> Show:
    if wrap is not None:
        return lambda values, locale: wrap(show(values, "" if exact else locale))
    return (lambda values, locale: show(values, "")) if exact else show


def _join(pattern: str, shows: list[Show], *, strip: bool) -> Show:
    if pattern == "%s" and len(shows) == 1:
        only = shows[0]
        return (lambda values, locale: only(values, locale).strip()) if strip else only

    def show(values: Values, locale: str) -> str:
        shown = [each(values, locale) for each in shows]
        if not any(shown):
            return ""
        text = pattern % tuple(shown)
        return text.strip() if strip else text

    return show
