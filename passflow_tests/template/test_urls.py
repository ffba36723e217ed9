"""Member values in URLs, file names and links: what a browser's own reading of them leads to."""

from __future__ import annotations

from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passflow.errors import TemplateError
from passflow.template import render_apple
from passflow.template.urls import attributed_faults, wrapper
from passflow_tests.template.designs import ENVELOPE, compiled

TEXTS = st.text(min_size=1, max_size=24)
HOSTILE = st.one_of(
    TEXTS,
    st.sampled_from(
        ["javascript:x", "//evil.example", "@evil.example", "\"><a href='x'>", "..", "%2e%2e/", "\r\nX: y"]
    ),
)


class Reader(HTMLParser):
    """What a browser makes of markup: the links and the text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.links: list[str] = []
        self.text = ""
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name == "href"]

    def handle_data(self, data: str) -> None:
        self.text += data


LINK = compiled("links: [{key: a, url: 'https://shop.example/c/{tier}?q={tier}#{tier}', text: 'Go {{on}}'}]")


@given(HOSTILE)
def test_a_value_stays_in_its_part_of_the_url(value: str) -> None:
    [field] = render_apple(LINK, {"tier": value}, ENVELOPE)["generic"]["backFields"]
    reader = Reader()
    reader.feed(field["attributedValue"])
    reader.close()
    assert reader.tags == ["a"] and reader.text == "Go {on}"
    parts = urlsplit(reader.links[0])
    assert (parts.scheme, parts.netloc) == ("https", "shop.example")
    assert (
        unquote(parts.path) == f"/c/{value}"
        and unquote(parts.query) == f"q={value}"
        and unquote(parts.fragment) == value
    )


ATTRIBUTED = compiled(
    "back: [{key: a, value: x, attributed: \"<a href='https://x.example/{tier}'>{tier}</a> & {tier}\"}]"
)


@given(HOSTILE)
def test_a_value_stays_text_in_markup(value: str) -> None:
    [field] = render_apple(ATTRIBUTED, {"tier": value}, ENVELOPE)["generic"]["backFields"]
    reader = Reader()
    reader.feed(field["attributedValue"])
    reader.close()
    assert reader.tags == ["a"]
    assert unquote(reader.links[0]) == f"https://x.example/{value}"
    # an HTML reader joins line ends; the value itself is untouched
    assert reader.text.replace("\r\n", "\n") == f"{value} & {value}".replace("\r\n", "\n")


@pytest.mark.parametrize(
    "url",
    [
        "https://x.example",
        "https://x.example/a?b=c#d",
        "HTTPS://X.example",
        "tel:+4930123",
        "mailto:a@x.example?subject=hi",
    ],
)
def test_whole_links_of_a_member_are_taken(url: str) -> None:
    wrap = wrapper("url", "", "p")
    assert wrap is not None and wrap(url) == url and wrap("") == ""


@pytest.mark.parametrize(
    "url",
    [
        "http://x.example", "ftp://x", "javascript:alert(1)", "JaVaScRiPt:x", " https://x.example", "https:x", "https://",
        "https:///path", "https://x y", "https://x.example/\n", "https://x\"onclick=", "data:text/html,x", "file:///etc", "tel:",
        "//x.example", "x.example", "https://x.example/<b>",
    ],
)  # fmt: skip
def test_anything_else_is_refused(url: str) -> None:
    for context, before in (("url", ""), ("html", '<a href="')):
        wrap = wrapper(context, before, "template.links[0].url")  # type: ignore[arg-type]  # literals
        assert wrap is not None
        with pytest.raises(TemplateError) as caught:
            wrap(url)
        assert caught.value.problems[0][0] == "template.links[0].url" and url not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "plain",
        "a & b < c",
        "",
        '<a href="https://x.example/?a=1&amp;b=2">x</a>',
        "x <A HREF='tel:1'>y</A> z <a href=mailto:a@b.c>m</a>",
    ],
)
def test_links_and_plain_text_are_allowed(text: str) -> None:
    assert attributed_faults(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "<b>x</b>", "<script>x</script>", "<img src=x>", "<a>x</a>", "<a href>x</a>", "<a href='x'>x</a>", "<br/>", "<!DOCTYPE x>",
        "<a href='https://x.example' target=_blank>x</a>", "<a href='https://x.example'>x", "<!-- x -->", "<a href='https://x.example'/>",
        "<a href='java&#115;cript:x'>x</a>",
    ],
)  # fmt: skip
def test_all_other_markup_is_named(text: str) -> None:
    assert attributed_faults(text)


@given(st.text(alphabet="<>a href='\"=/!-&;x", max_size=40))
def test_any_markup_is_judged(text: str) -> None:
    assert all(isinstance(fault, str) for fault in attributed_faults(text))
