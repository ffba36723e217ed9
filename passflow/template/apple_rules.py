"""Apple's rules for a pass, checked on the tree before a member is seen.

Sources: https://developer.apple.com/documentation/walletpasses/pass, the archived PassKit guide, and the validator of
github.com/apple/pass-builder. Passes are checked again, file by file, when signed.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from passflow.template.apple_code_rules import check_codes, check_nfc
from passflow.template.apple_field_rules import Fault, check_style, sample
from passflow.template.apple_keys import (
    ACTIONS,
    BOARDING_TAGS,
    COLOURS,
    ENVELOPE,
    EVENT_TAGS,
    EVENT_TYPE_TAGS,
    IMAGES,
    SCHEMES,
    STYLES,
    TOP_KEYS,
)
from passflow.template.apple_relevance_rules import check_places, check_times
from passflow.template.problems import closest
from passflow.template.tree import Leaf

_COLOUR = re.compile(r"#[0-9A-Fa-f]{3}|#[0-9A-Fa-f]{6}|rgb\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*\)")
_LAUNCH = re.compile(r"(?!(javascript|data|file):)[a-z][a-z0-9+.-]*:", re.IGNORECASE)


def apple_faults(tree: Mapping[str, Any], images: Collection[str]) -> Iterator[Fault]:
    """Name every rule that the tree of pass.json breaks.

    Args:
        tree: as `passflow.template.apple_tree` lays it out, overrides merged.
        images: the image names of the template, without scales.
    """
    codes = tree.get("barcodes")
    first = codes[0].get("format") if isinstance(codes, list) and codes and isinstance(codes[0], Mapping) else None
    for style in STYLES:
        if style in tree:
            yield from check_style(style, tree[style], first)
    if not any(style in tree for style in STYLES):
        yield Fault("", "the pass has no style left", "Keep the style dictionary, or add another")
    yield from _check_keys(tree)
    yield from _check_app(tree)
    yield from _check_images(tree, images)
    yield from check_codes(tree)
    yield from check_nfc(tree.get("nfc"))
    yield from check_places(tree)
    yield from check_times(tree)
    yield from _check_schemes(tree, images)


def _check_keys(tree: Mapping[str, Any]) -> Iterator[Fault]:
    for key in tree:
        if key in ENVELOPE:
            yield Fault(key, "every pass has its own, which no template may set", "Remove it")
        elif key not in TOP_KEYS and not re.search("(URL|Email|PhoneNumber|Website)$", key):
            suggestion = closest(key, TOP_KEYS)
            if suggestion.startswith("Did"):  # otherwise it may be newer than this list
                yield Fault(key, f"Wallet does not know the key `{key}`", suggestion)
    for key in ("organizationName", "description"):
        if not tree.get(key):
            yield Fault(key, "it is empty", "Give a text")
    for key in COLOURS:
        if key in tree and not isinstance(tree[key], Leaf) and not _is_colour(tree[key]):
            yield Fault(key, "it is no colour", "Write it as in `#1b1f3b` or `rgb(27, 31, 59)`")


def _is_colour(value: Any) -> bool:
    match = _COLOUR.fullmatch(value) if isinstance(value, str) else None
    return match is not None and all(int(part) <= 255 for part in match.groups("0"))


def _check_app(tree: Mapping[str, Any]) -> Iterator[Fault]:
    if "appLaunchURL" in tree:
        if "associatedStoreIdentifiers" not in tree:
            yield Fault("appLaunchURL", "it needs the app that it opens", "Add `app.store_ids`")
        if not _LAUNCH.match(sample(tree["appLaunchURL"]) or ""):
            yield Fault("appLaunchURL", "it is no URL of an app", "Write it as in `myapp://card`")
    if "groupingIdentifier" in tree and not {"boardingPass", "eventTicket"} & tree.keys():
        yield Fault("groupingIdentifier", "only boarding passes and event tickets are grouped", "Remove it")
    actions = tree.get("featuredActions")
    if not isinstance(actions, list):
        return
    if len(actions) > 2:
        yield Fault("featuredActions", f"at most 2 actions show, not {len(actions)}", "Keep two")
    for index, action in enumerate(actions):
        kind = action.get("type") if isinstance(action, Mapping) else None
        if kind not in ACTIONS:
            yield Fault(f"featuredActions[{index}].type", "Wallet knows no such action", closest(str(kind), ACTIONS))


def _check_images(tree: Mapping[str, Any], images: Collection[str]) -> Iterator[Fault]:
    styles = [style for style in STYLES if style in tree]
    allowed = {name for style in styles for name in IMAGES[style]}
    if "icon" not in images:
        yield Fault("images.icon", "every pass needs an icon", "Add `icon:` with a square picture")
    for name in sorted(set(images) - allowed) if styles else ():
        shown = ", ".join(sorted(allowed))
        yield Fault(f"images.{name}", f"{' and '.join(styles)} shows no {name}", f"Use {shown}")
    if styles == ["eventTicket"] and "strip" in images and {"background", "thumbnail"} & set(images):
        what = "an event ticket shows a strip, or background and thumbnail"
        yield Fault("images.strip", what, "Remove the strip, or the others")


def _check_schemes(tree: Mapping[str, Any], images: Collection[str]) -> Iterator[Fault]:
    schemes = tree.get("preferredStyleSchemes")
    if schemes is None:
        return
    if not isinstance(schemes, list):
        yield Fault("preferredStyleSchemes", "it is no list", "Give a list of schemes")
        return
    for index, scheme in enumerate(schemes):
        at = f"preferredStyleSchemes[{index}]"
        if not isinstance(scheme, str) or scheme not in SCHEMES:
            yield Fault(at, "Wallet knows no such scheme", closest(str(scheme), SCHEMES))
        elif SCHEMES[scheme] not in tree:
            yield Fault(at, f"this scheme needs the style {SCHEMES[scheme]}", f"Set `style: {SCHEMES[scheme]}`")
    semantics = tree.get("semantics")
    tags: Mapping[str, Any] = semantics if isinstance(semantics, Mapping) else {}
    if "posterEventTicket" in schemes:
        yield from _check_poster(tree, tags, images)
    if "semanticBoardingPass" in schemes:
        yield from _check_tags(tags, BOARDING_TAGS)


def _check_poster(tree: Mapping[str, Any], tags: Mapping[str, Any], images: Collection[str]) -> Iterator[Fault]:
    kind = tags.get("eventType")
    yield from _check_tags(tags, EVENT_TAGS + (EVENT_TYPE_TAGS.get(kind, ()) if isinstance(kind, str) else ()))
    nfc = tree.get("nfc")
    if not isinstance(nfc, Mapping) or "requiresAuthentication" not in nfc:
        yield Fault("nfc", "a poster event ticket needs NFC", "Add `nfc`, or remove the scheme")
    if not {"artwork", "background"} & set(images):
        yield Fault("images.artwork", "a poster event ticket needs a picture", "Add `artwork` or `background`")


def _check_tags(tags: Mapping[str, Any], needed: Collection[str]) -> Iterator[Fault]:
    for tag in needed:
        if tags.get(tag) in (None, "", [], {}):
            what = "the preferred scheme needs this tag; without it the plain style shows"
            yield Fault(f"semantics.{tag}", what, "Add it, or remove the scheme")
