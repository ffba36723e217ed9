"""Rules for the ``xx.lproj`` folders of a pass.

https://developer.apple.com/documentation/walletpasses/creating-the-source-for-a-pass, "Add localizations": every folder has
the same keys and image scales, and a top-level file of the same name wins over the localised one.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping

from passflow.wallets.apple.findings import Finding, error, info, shown, warning

_MAX_BYTES = 2_000_000
_PATH = re.compile(r"(?P<locale>[^/]+)\.lproj/(?P<name>[^/]+)")
_LOCALE = re.compile(r"[A-Za-z]{2,8}(?:[-_][A-Za-z0-9]{2,8})*", re.ASCII)
_SKIP = re.compile(r"(?:\s+|//[^\n]*(?:\n|\Z)|/\*.*?\*/)+", re.S)
_TEXT = r'(?:"((?:[^"\\]|\\.)*)"|([A-Za-z0-9_.$-]+))'
_PAIR = re.compile(rf"{_TEXT}\s*=\s*{_TEXT}\s*;", re.S)


def check_localisation(files: Mapping[str, bytes]) -> Iterator[Finding]:
    """Check names, strings and completeness of all localised files.

    Args:
        files: content by path.
    """
    folders: dict[str, dict[str, bytes]] = defaultdict(dict)
    for path, content in files.items():
        if "/" not in path:
            continue
        match = _PATH.fullmatch(path)
        if match is None or not _LOCALE.fullmatch(match["locale"]):
            yield warning("locale.path", shown(path), "Wallet reads only folders like de.lproj.", "Move or remove it.")
            continue
        folders[match["locale"]][match["name"]] = content
        if match["name"] in files:
            message = "The file of the same name at the top level is shown instead."
            yield warning("locale.hidden", shown(path), message, f"Remove {shown(match['name'])} from the top level.")
    yield from _check_keys(folders)
    images = {locale: frozenset(name for name in names if name.endswith(".png")) for locale, names in folders.items()}
    for locale, missing in _missing(images):
        message = f"Other languages have {len(missing)} images or scales more: {shown(min(missing))} …"
        yield warning("locale.images", f"{shown(locale)}.lproj", message, "Give every language the same images.")


def _check_keys(folders: Mapping[str, Mapping[str, bytes]]) -> Iterator[Finding]:
    keys: dict[str, frozenset[str]] = {}
    for locale, names in folders.items():
        if "pass.strings" not in names:
            continue
        where = f"{shown(locale)}.lproj/pass.strings"
        content = names["pass.strings"]
        if content.startswith((b"bplist", b"<?xml")):
            yield info(
                "locale.plist", where, "A property list is not checked.", "Use plain strings to have it checked."
            )
            continue
        text = _decode(content) if len(content) <= _MAX_BYTES else None
        pairs = None if text is None else parse_strings(text)
        if text is None or pairs is None:
            message = 'It is not UTF-16 or UTF-8 text of lines like "key" = "value"; with at most 2 MB.'
            yield error("locale.strings", where, message, "Check it with `plutil -lint`.")
            continue
        if not content.isascii() and not content.startswith((b"\xff\xfe", b"\xfe\xff")):
            yield warning(
                "locale.encoding", where, "Apple asks for UTF-16 when not all is ASCII.", "Save it as UTF-16."
            )
        if len({key for key, _ in pairs}) < len(pairs):
            yield warning("locale.key_twice", where, "A key stands there twice.", "Keep one.")
        keys[locale] = frozenset(key for key, _ in pairs)
    missing = dict(_missing(keys))
    missing |= {
        locale: frozenset({"pass.strings"}) for locale in folders if keys and "pass.strings" not in folders[locale]
    }
    for locale, absent in missing.items():
        message = f"{len(absent)} texts of other languages are missing."
        yield warning(
            "locale.keys", f"{shown(locale)}.lproj/pass.strings", message, "Translate the same keys everywhere."
        )


def parse_strings(text: str) -> list[tuple[str, str]] | None:
    """Parse a ``.strings`` file; None when something in it is not a comment or a pair.

    Args:
        text: the decoded file.
    """
    pairs: list[tuple[str, str]] = []
    position = 0
    while True:
        if skipped := _SKIP.match(text, position):
            position = skipped.end()
        if position == len(text):
            return pairs
        pair = _PAIR.match(text, position)
        if pair is None:
            return None
        quoted_key, bare_key, quoted_value, bare_value = pair.groups()
        pairs.append(
            (bare_key if quoted_key is None else quoted_key, bare_value if quoted_value is None else quoted_value)
        )
        position = pair.end()


def _decode(content: bytes) -> str | None:
    wide = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        return content.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError:
        return None


def _missing(held: Mapping[str, frozenset[str]]) -> Iterator[tuple[str, frozenset[str]]]:
    everything = frozenset().union(*held.values())
    for locale, own in held.items():
        if everything - own:
            yield locale, everything - own
