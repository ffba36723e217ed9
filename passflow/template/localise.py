"""Translations that go into a pass: ``xx.lproj/pass.strings`` for every language of the template.

The pass carries the default text, and the phone looks it up in its own language. Source:
https://developer.apple.com/documentation/walletpasses/creating-the-source-for-a-pass (section on localisation).
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Mapping

from passflow.template.expression import Expression
from passflow.template.problems import Problems
from passflow.template.text import best_language

_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t"})


def collect_phrases(translated: Iterable[Expression], problems: Problems) -> dict[str, dict[str, str]]:
    """Gather what the phone translates: default text to its texts by language tag.

    One text can have one translation, for the phone knows nothing of where it stands: two are noted as a problem.
    """
    found: dict[str, dict[str, str]] = {}
    for expression in translated:
        for phrase in expression.phrases():
            key = phrase[best_language(expression.default, tuple(phrase), expression.default)]
            known = found.setdefault(key, {})
            for tag, text in phrase.items():
                if key and known.setdefault(tag, text) != text:
                    what = f"`{key}` is translated to {tag} in two ways, but the phone can know only one"
                    problems.add(expression.path, what, "Use the same translation, or tell the default texts apart")
    found.pop("", None)
    return found


def strings_files(phrases: Mapping[str, Mapping[str, str]]) -> dict[str, bytes]:
    """Write the strings files, every one with the same keys; a language without a text has the nearest, or the default.

    Args:
        phrases: as `collect_phrases` gathered them.

    Returns:
        UTF-16 with a byte order mark, by path in the package; the same input gives the same bytes.
    """
    languages = sorted({tag for texts in phrases.values() for tag in texts})
    return {
        f"{language}.lproj/pass.strings": _encode({key: _text(key, phrases[key], language) for key in sorted(phrases)})
        for language in languages
    }


def _text(key: str, texts: Mapping[str, str], language: str) -> str:
    tag = best_language(language, (*texts, "*"), "*")
    return key if tag == "*" else texts[tag]


def _encode(pairs: Mapping[str, str]) -> bytes:
    lines = "".join(f'"{key.translate(_ESCAPES)}" = "{text.translate(_ESCAPES)}";\n' for key, text in pairs.items())
    return codecs.BOM_UTF16_LE + lines.encode("utf-16-le")
