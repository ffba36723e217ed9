"""Member values inside URLs, paths and links: encoded, so that no value can change where they lead."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Literal
from urllib.parse import quote

from passflow.template.problems import value_error

Context = Literal["shown", "machine", "url", "html", "image"]
Wrap = Callable[[str], str]

LINK = re.compile(r"(https://[^\s/?#\"<>]+|tel:[^\s]+|mailto:[^\s]+)[^\s\"<>]*", re.IGNORECASE)
_HREF = re.compile(r"<a\s[^<>]*\bhref\s*=\s*(\"[^\"]*|'[^']*)$", re.IGNORECASE)
_SEGMENT = re.compile(r"[\w-][\w. -]*")


def wrapper(context: Context, before: str, path: str) -> Wrap | None:
    """Choose how a slot's text is made safe, by its context and what stands before it in the template.

    A slot that begins a URL holds a whole URL: it is checked instead of encoded.
    """
    if context == "url" or (context == "image" and before.startswith("https://")):
        return _whole_link(path) if not before else _encode
    if context == "image":
        return _whole_image(path) if not before else _segment(path)
    if context == "html":
        href = _HREF.search(before)
        if href is None:
            return html.escape
        return _escaped(_whole_link(path) if len(href[1]) == 1 else _encode)
    return None


def _encode(text: str) -> str:
    return quote(text, safe="")


def _escaped(wrap: Wrap) -> Wrap:
    return lambda text: html.escape(wrap(text))


def _whole_link(path: str) -> Wrap:
    def check(text: str) -> str:
        if text and not LINK.fullmatch(text):
            raise value_error(path, "a member's value is no link", "Give an https, tel or mailto URL")
        return text

    return check


def _whole_image(path: str) -> Wrap:
    def check(text: str) -> str:
        if text and not re.match(r"https://[^\s/?#\"<>]", text):
            raise value_error(path, "a member's value is no image address", "Give an https URL of the image")
        return text

    return check


def _segment(path: str) -> Wrap:
    def check(text: str) -> str:
        if text and not _SEGMENT.fullmatch(text):
            what = "a member's value cannot be part of a file name"
            raise value_error(path, what, "Use letters, digits, `-`, `_` and `.` only, not first a dot")
        return text

    return check


def attributed_faults(text: str) -> list[str]:
    """Name what Apple does not allow in an ``attributedValue``: anything but ``<a href>`` with a safe link."""
    reader = _Anchors()
    reader.feed(text)
    reader.close()
    return reader.faults + (["a link is never closed"] if reader.open else [])


class _Anchors(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.faults: list[str] = []
        self.open = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag != "a":
            self.faults.append(f"the tag <{tag}> is not allowed")
            return
        self.open += 1
        names = [name for name, _ in attrs]
        if names != ["href"]:
            self.faults.append("a link has exactly one attribute, `href`")
        elif not LINK.fullmatch(attrs[0][1] or ""):
            self.faults.append("a link leads to no https, tel or mailto URL")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.faults.append(f"the tag <{tag}/> is not allowed")

    def handle_endtag(self, tag: str) -> None:
        if tag == "a":
            self.open -= 1

    def handle_comment(self, data: str) -> None:
        self.faults.append("comments are not allowed")

    def handle_decl(self, decl: str) -> None:
        self.faults.append("declarations are not allowed")
