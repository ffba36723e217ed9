"""The formatting language: what it reads, and that it reads nothing else."""

from __future__ import annotations

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passflow.errors import TemplateError
from passflow.template.format import Slot, parse

SPECS = {
    "": ("plain", ""),
    ":,": ("number", ","),
    ":.2f": ("number", ".2f"),
    ":,.2f": ("number", ",.2f"),
    ":+,.1f": ("number", "+,.1f"),
    ":08d": ("number", "08d"),
    ":08": ("number", "08"),
    ":.0%": ("number", ".0%"),
    ":compact": ("compact", ""),
    ":percent": ("percent", "0"),
    ":percent:1": ("percent", "1"),
    ":money": ("money", ""),
    ":money:EUR": ("money", "EUR"),
    ":money:{currency}": ("money", "{currency}"),
    ":minor:JPY": ("minor", "JPY"),
    ":date": ("date", "medium"),
    ":date:full": ("date", "full"),
    ":time:short": ("time", "short"),
    ":datetime:long": ("datetime", "long"),
    ":upper": ("upper", ""),
    ":lower": ("lower", ""),
    ":title": ("title", ""),
    ":last(4)": ("last", "4"),
    ":groups(4)": ("groups", "4"),
    ":lookup(tiers)": ("lookup", "tiers"),
    ":lookup( tiers )": ("lookup", "tiers"),
}


@pytest.mark.parametrize("spec", SPECS)
def test_every_format_is_read(spec: str) -> None:
    kind, argument = SPECS[spec]
    assert parse(f"{{x{spec}}}") == (Slot("x", kind, argument, f"x{spec}"),)


@pytest.mark.parametrize(
    "text",
    [
        "{a.b}", "{a[0]}", "{a['x']}", "{__class__}", "{_private}", "{a!r}", "{a!s:>10}", "{0}", "{}", "{ a}", "{a }",
        "{a:{b}}", "{a:{b:{c}}}", "{a:money:{b.c}}", "{a:money:{b:money}}", "{a:money:{}}", "{a:money:eur}", "{a:money:EURO}",
        "{a.__init__.__globals__}", "{a:lookup(__class__)}", "{a:lookup(t.x)}", "{a:lookup()}", "{a:lookup(x)(y)}",
        "{a:last(0)}", "{a:last(100)}", "{a:last(-1)}", "{a:last(x)}", "{a:date:%Y}", "{a:date:huge}", "{a:x}", "{a:e}",
        "{a:g}", "{a:n}", "{a:>10}", "{a:*^9}", "{a:.2}", "{a:f}", "{a:%}", "{a:_}", "{a:08,}", "{a:999999}", "{a:.999f}",
        "{a:}", "{a::}", "{a:percent:12}", "{a:upper:x}", "{a:1}", "{é}", "{a\n}", "{a;b}", "{a()}", "{lambda: 1}",
        "{", "}", "{a", "a}", "{a}}", "{{a}", "{a}{", "{{}", "{}}}",
    ],
)  # fmt: skip
def test_nothing_else_is_read(text: str) -> None:
    with pytest.raises(TemplateError) as caught:
        parse(text, "template.back[0].value")
    [(path, what, fix)] = caught.value.problems
    assert path == "template.back[0].value"
    assert what and fix


def test_literals_and_slots_keep_their_order() -> None:
    assert parse("Hi {given_name}, {points:,} pts") == (
        "Hi ",
        Slot("given_name", "plain", "", "given_name"),
        ", ",
        Slot("points", "number", ",", "points:,"),
        " pts",
    )


def test_doubled_braces_are_literal() -> None:
    assert parse("{{x}} {{{x}}}") == ("{x} {", Slot("x", "plain", "", "x"), "}")


def test_an_empty_text_has_no_parts() -> None:
    assert parse("") == ()


@pytest.mark.parametrize(
    ("text", "hint"), [("{a:moni}", "`money`"), ("{a:uper}", "`upper`"), ("{a:lokup(x)}", "`lookup`")]
)
def test_a_misspelt_format_gets_a_suggestion(text: str, hint: str) -> None:
    with pytest.raises(TemplateError, match=hint):
        parse(text)


@settings(max_examples=400)
@given(st.text(alphabet="{}ab:,.0_()[]!%$ \n\\'\"é🎟" + "moneydatelookup", max_size=40))
def test_any_text_parses_or_is_refused(text: str) -> None:
    try:
        parts = parse(text)
    except TemplateError:
        return
    literal = "".join(
        part.replace("{", "{{").replace("}", "}}") if isinstance(part, str) else f"{{{part.source}}}" for part in parts
    )
    assert literal == text


@given(st.text(max_size=60))
def test_escaped_text_comes_back(text: str) -> None:
    parts = parse(text.replace("{", "{{").replace("}", "}}"))
    assert parts == ((text,) if text else ())


@given(
    st.lists(
        st.one_of(
            st.text(alphabet=string.printable, min_size=1, max_size=8),
            st.sampled_from(sorted(SPECS)).map(lambda spec: Slot("x", *SPECS[spec], f"x{spec}")),
        ),
        max_size=6,
    )
)
def test_written_parts_are_read_back(parts: list[str | Slot]) -> None:
    text = "".join(p.replace("{", "{{").replace("}", "}}") if isinstance(p, str) else f"{{{p.source}}}" for p in parts)
    read = parse(text)
    assert [p for p in read if isinstance(p, Slot)] == [p for p in parts if isinstance(p, Slot)]
    assert "".join(p for p in read if isinstance(p, str)) == "".join(p for p in parts if isinstance(p, str))


def test_a_long_text_of_braces_is_refused_quickly() -> None:
    with pytest.raises(TemplateError):
        parse("{" * 50_001)
    assert parse("{{" * 20_000) == ("{" * 20_000,)
