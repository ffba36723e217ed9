"""The formatting language inside ``{}``: parsed once, into literals and slots.

::

    {points}                 the value itself
    {points:,} {x:.2f}       number specs: [+][0width][,][.digits]f|d|%   shown with the locale's marks
    {x:compact} {x:percent}  12K, 26 %; `percent:1` for one digit
    {balance:money}          in the template's currency; `money:EUR`, `money:{currency}` name another
    {cents:minor}            the same for amounts kept in the currency's minor unit
    {d:date} {d:time:short}  date, time, datetime; short, medium (default), long, full
    {name:upper}             upper, lower, title
    {number:last(4)}         the last characters; `groups(4)` sets a gap after every four
    {tier:lookup(tiers)}     the entry of a lookup table
    {{ }}                    literal braces

No attribute, index, conversion or nesting exists beyond ``money:{currency}``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from passflow.errors import TemplateError
from passflow.template.problems import closest

NAME = r"[A-Za-z][A-Za-z0-9_]*"
WIDTHS = ("short", "medium", "long", "full")
WORDS = ("compact", "percent", "money", "minor", "date", "time", "datetime", "upper", "lower", "title")
CALLS = ("lookup", "last", "groups")

_NAME = re.compile(NAME)
_NUMBER = re.compile(r"(?P<sign>\+?)(?P<zeros>0[1-9][0-9]?)?(?P<group>,?)(?:\.(?P<digits>[0-9]{1,2}))?(?P<type>[df%]?)")
_CALL = re.compile(rf"({'|'.join(CALLS)})\(\s*([^(){{}}]*?)\s*\)")
_CURRENCY = re.compile(rf"[A-Z]{{3}}|\{{{NAME}\}}")


@dataclass(frozen=True, slots=True)
class Slot:
    """One ``{…}``: a member field and how it is shown.

    Attributes:
        field: the member field.
        kind: "plain", "number", or a word of `WORDS` or `CALLS`.
        argument: what stands behind the kind: digits, width, currency, table. Empty where nothing does.
        source: the text between the braces.
    """

    field: str
    kind: str
    argument: str
    source: str

    @property
    def currency_field(self) -> str | None:
        """The member field that names the currency, for ``money:{currency}``."""
        return self.argument[1:-1] if self.kind in ("money", "minor") and self.argument[:1] == "{" else None


def parse(text: str, path: str = "template") -> tuple[str | Slot, ...]:
    """Split a text into its literals (unescaped, never empty) and slots.

    Raises:
        TemplateError: on a brace without its partner or a slot outside the language; it names ``path``.
    """
    parts: list[str | Slot] = []
    literal = ""
    at = 0
    while at < len(text):
        char = text[at]
        if char in "{}" and text[at : at + 2] == char * 2:
            literal, at = literal + char, at + 2
        elif char == "}":
            raise _problem(path, f"a `}}` at character {at + 1} closes nothing", "Write `}}` for a literal brace")
        elif char == "{":
            body = _body(text, at, path)
            if literal:
                parts.append(literal)
            parts.append(_slot(body, path))
            literal, at = "", at + len(body) + 2
        else:
            end = min((i for i in (text.find("{", at), text.find("}", at)) if i >= 0), default=len(text))
            literal, at = literal + text[at:end], end
    if literal:
        parts.append(literal)
    return tuple(parts)


def _body(text: str, start: int, path: str) -> str:
    depth = 0
    for at in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        if depth == 0:
            return text[start + 1 : at]
    raise _problem(path, f"the `{{` at character {start + 1} is never closed", "Close it, or write `{{` for a brace")


def _slot(body: str, path: str) -> Slot:
    field, colon, spec = body.partition(":")
    if not _NAME.fullmatch(field):
        fix = "Write a member field's name, such as `{points}`; attributes, indexes and conversions do not exist"
        raise _problem(path, f"`{{{body}}}` does not start with a member field", fix)
    if colon and not spec:
        raise _problem(path, f"`{{{body}}}` names no format after the colon", f"Write `{{{field}}}` or a format")
    kind, argument = _spec(spec, body, path) if spec else ("plain", "")
    return Slot(field, kind, argument, body)


def _spec(spec: str, body: str, path: str) -> tuple[str, str]:
    word, _, rest = spec.partition(":")
    if word in ("date", "time", "datetime") and (":" not in spec or rest in WIDTHS):
        return word, rest or "medium"
    if word in ("money", "minor") and (":" not in spec or _CURRENCY.fullmatch(rest)):
        return word, rest
    if word == "percent" and (":" not in spec or re.fullmatch("[0-9]", rest)):
        return "percent", rest or "0"
    if spec in ("compact", "upper", "lower", "title"):
        return spec, ""
    if call := _CALL.fullmatch(spec):
        return _call(call[1], call[2], body, path)
    if (number := _NUMBER.fullmatch(spec)) and _is_number_spec(number):
        return "number", spec
    if word in WORDS and rest:
        raise _problem(path, f"`{{{body}}}`: `{word}` does not know `{rest}`", _word_help(word))
    name = re.split(r"[^A-Za-z]", spec, maxsplit=1)[0]
    raise _problem(path, f"`{{{body}}}`: `{spec}` is no format", closest(name or spec, WORDS + CALLS))


def _is_number_spec(number: re.Match[str]) -> bool:
    # Python's `.2` means significant digits and `f` alone means six: both surprise on a pass
    digits, kind = number["digits"], number["type"]
    return (digits is not None) == (kind in ("f", "%")) and not (number["zeros"] and number["group"])


def _call(name: str, argument: str, body: str, path: str) -> tuple[str, str]:
    wanted = NAME if name == "lookup" else "[1-9][0-9]?"
    if not re.fullmatch(wanted, argument):
        what, example = ("a lookup table's name", "tiers") if name == "lookup" else ("a number from 1 to 99", "4")
        raise _problem(path, f"`{{{body}}}`: `{name}` needs {what}", f"Write it as in `{name}({example})`")
    return name, argument


def _word_help(word: str) -> str:
    if word in ("money", "minor"):
        return "Name an ISO 4217 code as in `money:EUR`, or a member field as in `money:{currency}`"
    if word in ("date", "time", "datetime"):
        return f"Use one of {', '.join(f'`{word}:{width}`' for width in WIDTHS)}"
    return "Write `percent:1` for one digit" if word == "percent" else f"Write `{word}` alone"


def _problem(path: str, what: str, fix: str) -> TemplateError:
    return TemplateError([(path, what, fix)])
