"""Pictures of strangers' passes: nothing crashes, nothing is loaded, nothing escapes its place in the file."""

import io
import time
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from passflow.template.preview import preview_png, preview_svg
from passflow_tests.template.samples import SAMPLES, STORE_CARD
from passflow_tests.template.test_images import HOSTILE

KEYS = [
    "storeCard", "coupon", "eventTicket", "boardingPass", "generic", "posterGeneric", "headerFields", "primaryFields",
    "secondaryFields", "auxiliaryFields", "backFields", "key", "label", "value", "attributedValue", "textAlignment",
    "dateStyle", "timeStyle", "numberStyle", "currencyCode", "row", "transitType", "backgroundColor", "foregroundColor",
    "labelColor", "logoText", "organizationName", "description", "barcodes", "barcode", "format", "message",
    "messageEncoding", "altText", "voided", "expirationDate",
]  # fmt: skip
WORDS = [
    "PKBarcodeFormatQR", "PKBarcodeFormatCode128", "PKTextAlignmentRight", "PKDateStyleFull", "PKNumberStylePercent",
    "PKNumberStyleScientific", "2026-02-30T99:99Z", "0001-01-01T00:00+23:59", "9999-12-31T23:59Z", "rgb(999,0,0)", "#12", "EUR",
    "ZZZ", "utf-16", "idna", "<b>&amp;</b>", "]]>", "\u202eevil", "\ud800", "%@", "-1e400",
]  # fmt: skip
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=30)
    | st.sampled_from(WORDS)
)
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=6),
    max_leaves=25,
)
GROUPS = st.dictionaries(
    st.sampled_from(KEYS[6:11]),
    st.lists(st.dictionaries(st.sampled_from(KEYS[11:21]), LEAVES, max_size=6), max_size=6),
    max_size=5,
)


def parse(svg):
    """Reads it strictly and checks that nothing in it can load, run or leave the file."""
    root = ElementTree.fromstring(svg)
    for element in root.iter():
        name = element.tag.rpartition("}")[2]
        assert name in {
            "svg", "g", "defs", "clipPath", "path", "rect", "image", "text", "filter", "feGaussianBlur",
            "linearGradient", "stop",
        }  # fmt: skip
        for key, value in element.attrib.items():
            assert not key.lower().startswith("on")
            if "href" in key:
                assert value.startswith("data:image/png;base64,")
            if "url(" in value and key != "aria-label":
                assert value.startswith("url(#")
    return root


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from(KEYS), JSON, max_size=8), st.sampled_from(["front", "back"]))
def test_any_json_gives_a_well_formed_picture(pass_json, side):
    parse(preview_svg(pass_json, {}, side=side, language="de"))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(list(SAMPLES)),
    GROUPS,
    st.text(max_size=12),
    st.dictionaries(st.text(max_size=5), st.text(max_size=9)),
)
def test_any_fields_in_any_style_give_a_well_formed_picture(style, groups, language, strings):
    for side in ("front", "back"):
        parse(preview_svg({style: groups}, {}, side=side, language=language, strings=strings))


@settings(max_examples=15, deadline=None)
@given(st.sampled_from(list(SAMPLES)), GROUPS)
def test_any_fields_can_be_rendered(style, groups):
    assert preview_png({style: groups}, {}, scale=0.25).startswith(b"\x89PNG")


INJECTIONS = [
    '"><script>alert(1)</script>',
    "<image href='https://evil.example/x.png'/>",
    "</text></svg><svg onload=alert(1)>",
    "]]><!ENTITY x SYSTEM 'file:///etc/passwd'>&x;",
    "&#x3c;script&#x3e;",
    "' onclick='x",
    "url(https://evil.example)",
    "\x00\x01\x1b[31m\ufffe\uffff",
    "\u202egnp.exe\u2066",
]


@pytest.mark.parametrize("evil", INJECTIONS)
def test_text_stays_text(evil):
    field = {
        "key": evil,
        "label": evil,
        "value": evil,
        "attributedValue": evil,
        "textAlignment": evil,
        "currencyCode": evil,
    }
    for style in SAMPLES:
        card = {
            style: {
                "transitType": evil,
                **{name: [field, field] for name in KEYS[6:11]},
            },
            "backgroundColor": evil,
            "foregroundColor": evil,
            "labelColor": evil,
            "logoText": evil,
            "organizationName": evil,
            "description": evil,
            "barcodes": [{"format": "PKBarcodeFormatQR", "message": evil, "altText": evil, "messageEncoding": evil}],
        }
        for side in ("front", "back"):
            svg = preview_svg(card, {evil: b"x"}, side=side, language=evil, strings={evil: evil})
            parse(svg)
            assert not any(ord(letter) < 32 or letter in "\u202e\u2066\ufffe" for letter in svg)
        assert preview_png(card, {}, scale=0.25, language=evil)


def test_values_of_megabytes_cost_nothing():
    huge = "W" * 10_000_000
    field = {"key": "k", "label": huge, "value": huge, "attributedValue": huge}
    lines = {"key": "l", "label": "x", "value": "line\n" * 2_000_000}
    card = {
        "storeCard": {name: [field, lines] * 20_000 for name in KEYS[6:11]},
        "logoText": huge,
        "organizationName": huge,
        "description": huge,
        "backgroundColor": huge,
        "expirationDate": huge,
        "barcodes": [{"format": "PKBarcodeFormatQR", "message": huge, "altText": huge}] * 10_000,
    }
    began = time.monotonic()
    for side in ("front", "back"):
        svg = preview_svg(card, {}, side=side, language=huge, strings={huge: huge})
        assert len(svg) < 300_000
    assert time.monotonic() - began < 10


def test_absurd_numbers_do_not_stop_it():
    values = [10**5000, -(10**400), 1e308, float("nan"), float("inf"), -0.0, 2**63, True, None, [], {}]
    styles = [
        "PKNumberStyleDecimal",
        "PKNumberStylePercent",
        "PKNumberStyleScientific",
        "PKNumberStyleSpellOut",
        "x",
        None,
        3,
    ]
    for value in values:
        for style in styles:
            field = {"key": "a", "label": "L", "value": value, "numberStyle": style, "currencyCode": "EUR"}
            parse(preview_svg({"generic": {"secondaryFields": [field, {**field, "currencyCode": None}]}}, {}))


@pytest.mark.parametrize("data", [data for data, _ in HOSTILE.values()], ids=HOSTILE)
def test_hostile_images_are_left_out(data):
    images = {f"{name}.png": data for name in ("logo", "strip", "thumbnail", "background", "footer")}
    for card, _ in SAMPLES.values():
        assert "<image" not in preview_svg(card, images)


def test_images_in_disguise_are_embedded_as_png_only():
    buffer = io.BytesIO()
    Image.new("RGB", (150, 150), "red").save(buffer, "JPEG", comment=b"<script>")
    svg = preview_svg(STORE_CARD, {"logo.png": buffer.getvalue()})
    (image,) = [element for element in parse(svg).iter() if element.tag.endswith("image")]
    assert image.attrib["href"].startswith("data:image/png;base64,iVBORw0KGgo")


@pytest.mark.parametrize("size", [(1, 1), (1, 2000), (2000, 1), (16000, 2), (3, 1500)])
def test_images_of_absurd_shapes_are_drawn_or_left_out(size):
    buffer = io.BytesIO()
    Image.new("RGB", size, "red").save(buffer, "PNG")
    for style, (card, _) in SAMPLES.items():
        images = {f"{name}.png": buffer.getvalue() for name in ("logo", "strip", "thumbnail", "background", "footer")}
        assert preview_png(card, images, scale=0.25).startswith(b"\x89PNG"), style


@pytest.mark.parametrize(
    "card", [{}, {"storeCard": None}, {"storeCard": []}, {"generic": {"primaryFields": {}}}, {"coupon": 1}]
)
def test_missing_parts_give_an_empty_pass(card):
    for side in ("front", "back"):
        parse(preview_svg(card, {}, side=side))
        assert preview_png(card, {}, side=side, scale=0.25)
