"""The parts a picture is laid out with: columns, outlines, the SVG writer, the reading of pass.json."""

import io
import re
from datetime import UTC, datetime
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from passflow.template.preview.canvas import Canvas, number
from passflow.template.preview.colors import BLACK, WHITE, Color
from passflow.template.preview.model import Shown, read_card
from passflow.template.preview.pictures import find_picture
from passflow.template.preview.rows import AUXILIARY, GAP, HEADER, SECONDARY, draw_row
from passflow.template.preview.shapes import TRANSIT, outline
from passflow.template.preview.text import width

SVG = "{http://www.w3.org/2000/svg}"
NOW = datetime(2026, 6, 1, tzinfo=UTC)
WORDS = st.text(st.characters(codec="latin-1", categories=["L", "N", "Zs"]), max_size=40)
ANCHORS = st.sampled_from(["start", "middle", "end"])
FIELDS = st.lists(st.builds(Shown, WORDS, WORDS, ANCHORS, st.just(0), st.just(False)), max_size=5)


def spans(canvas):
    """(left, right, baseline) of every text, by its anchor and measured width."""
    found = []
    for element in ElementTree.fromstring(canvas.document(400, 100, "t")).iter(f"{SVG}text"):
        x, size = float(element.get("x")), float(element.get("font-size"))
        wide = width(element.text, size, int(element.get("font-weight")))
        left = x - wide * {"start": 0, "middle": 0.5, "end": 1}[element.get("text-anchor")]
        found.append((left, left + wide, float(element.get("y"))))
    return found


@given(FIELDS, st.sampled_from([HEADER, SECONDARY, AUXILIARY]), st.booleans())
def test_a_row_stays_in_its_box_and_its_columns_apart(fields, kind, trailing):
    canvas = Canvas()
    draw_row(canvas, fields, (16, 10, 343), kind, (BLACK, BLACK), trailing=trailing)
    found = spans(canvas)
    for left, right, baseline in found:
        assert left >= 15.9
        assert right <= 359.1
        assert 10 <= baseline <= 10 + kind.height
    for baseline in {line for _, _, line in found}:
        line = sorted((left, right) for left, right, at in found if at == baseline)
        for (_, right), (left, _) in pairwise(line):
            assert left >= right - 0.1


def shown(label, value, anchor="start"):
    return Shown(label, value, anchor, 0, False)


def test_columns_are_spread_from_edge_to_edge():
    canvas = Canvas()
    draw_row(
        canvas, [shown("A", "one"), shown("B", "two"), shown("C", "three")], (16, 0, 343), SECONDARY, (BLACK, WHITE)
    )
    values = [span for span, element in zip(spans(canvas), range(6), strict=True) if element % 2]
    assert values[0][0] == pytest.approx(16, abs=0.1)
    assert values[2][1] == pytest.approx(359, abs=1)
    assert values[1][0] - values[0][1] > GAP


def test_short_fields_keep_their_text_when_a_long_one_takes_too_much():
    canvas = Canvas()
    draw_row(
        canvas,
        [shown("Seat", "24"), shown("Name", "word " * 40), shown("Row", "B")],
        (16, 0, 343),
        SECONDARY,
        (BLACK, WHITE),
    )
    document = canvas.document(400, 100, "t")
    assert ">24<" in document
    assert ">B<" in document
    assert "…<" in document


def test_alignment_moves_text_inside_its_column():
    def left_of(anchor):
        canvas = Canvas()
        draw_row(canvas, [shown("", "word", anchor)], (16, 0, 343), SECONDARY, (BLACK, WHITE))
        return spans(canvas)[0]

    assert left_of("start")[0] == pytest.approx(16)
    assert left_of("end")[1] == pytest.approx(359)
    middle = left_of("middle")
    assert (middle[0] + middle[1]) / 2 == pytest.approx(187.5)


def test_empty_fields_take_no_room():
    canvas = Canvas()
    draw_row(canvas, [shown("", ""), shown("A", "x"), shown("", "")], (16, 0, 343), SECONDARY, (BLACK, WHITE))
    assert len(spans(canvas)) == 2
    draw_row(canvas, [], (16, 0, 343), SECONDARY, (BLACK, WHITE))
    assert len(spans(canvas)) == 2


@pytest.mark.parametrize("style", ["boardingPass", "coupon", "eventTicket", "generic", "storeCard"])
def test_outlines_are_closed_and_start_at_the_top(style):
    path = outline(style, 375, 480, 150)
    assert path.startswith("M")
    assert path.endswith("z")
    assert re.fullmatch(r"[MHVlacsz0-9 .\-]+", path)


@pytest.mark.parametrize("kind", list(TRANSIT))
def test_icons_are_drawn_inside_their_box(kind):
    canvas = Canvas()
    canvas.raw('<g transform="translate(16 16)">')
    canvas.path(TRANSIT[kind], "#000", 'fill-rule="evenodd"')
    canvas.raw("</g>")
    import resvg_py

    png = bytes(resvg_py.svg_to_bytes(svg_string=canvas.document(64, 64, kind), skip_system_fonts=True))
    left, top, right, bottom = Image.open(io.BytesIO(png)).getchannel("A").getbbox()
    assert left >= 15
    assert top >= 15
    assert right <= 49
    assert bottom <= 49
    assert right - left > 16
    assert bottom - top > 16


def test_the_canvas_escapes_text_and_refuses_links():
    canvas = Canvas()
    canvas.text(1, 2, "<a href='x'>&\"</a>", 10, Color(1, 2, 3))
    document = canvas.document(10, 10, "<title> & \"co\" 'x'")
    root = ElementTree.fromstring(document)
    assert root[0].text == "<a href='x'>&\"</a>"
    assert root.get("aria-label") == "<title> & \"co\" 'x'"
    for href in (
        "https://evil.example/a.png",
        "file:///etc/passwd",
        "data:image/svg+xml;base64,AAAA",
        "javascript:x",
        "",
    ):
        with pytest.raises(ValueError, match="embedded"):
            canvas.image((0, 0, 1, 1), href)


@pytest.mark.parametrize(
    ("value", "expected"), [(1.0, "1"), (0.5, "0.5"), (1 / 3, "0.33"), (100, "100"), (-2.50, "-2.5")]
)
def test_numbers_are_short(value, expected):
    assert number(value) == expected


def card(**pass_json):
    return read_card(pass_json, language=None, strings=None, now=NOW, dark=False)


def test_the_first_known_style_is_read_and_a_poster_falls_back():
    group = {"primaryFields": [{"key": "a", "label": "L", "value": "V"}]}
    assert card(eventTicket=group).style == "eventTicket"
    assert card(posterGeneric=group).style == "generic"
    assert card(posterGeneric=group).fields["primaryFields"][0].value == "V"
    assert card().style == "generic"
    assert card(storeCard="x", generic=group).style == "generic"


def test_fields_are_read_as_wallet_reads_them():
    fields = [
        {"key": "a", "label": "L", "value": "V", "textAlignment": "PKTextAlignmentCenter"},
        {"key": "b", "value": "שלום"},
        {"key": "c", "value": "שלום", "textAlignment": "PKTextAlignmentLeft"},
        {"key": "d", "value": "x", "attributedValue": "<a href='https://x.example'>y</a>", "row": 1},
        "not a field",
        {"label": "no value"},
    ]
    read = card(eventTicket={"auxiliaryFields": fields}).fields["auxiliaryFields"]
    assert [(field.label, field.value, field.anchor, field.row) for field in read] == [
        ("L", "V", "middle", 0),
        ("", "שלום", "end", 0),
        ("", "שלום", "start", 0),
        ("", "x", "start", 1),
        ("no value", "", "start", 0),
    ]
    back = card(eventTicket={"backFields": fields}).fields["backFields"]
    assert (back[3].value, back[3].link) == ("y", True)


def test_defaults_of_colour_keep_text_readable():
    assert card().background == WHITE
    assert card().foreground == BLACK
    assert card(backgroundColor="#000").foreground == WHITE
    assert not card(foregroundColor="#fff").background.is_light
    assert card(labelColor="#123456").label == Color(0x12, 0x34, 0x56)


def png(size, color="red"):
    buffer = io.BytesIO()
    Image.new("RGB", size, color).save(buffer, "PNG")
    return buffer.getvalue()


def test_pictures_know_their_size_in_points():
    found = find_picture({"logo@2x.png": png((320, 100))}, "logo", None, (160, 50))
    assert (found.width, found.height) == (160, 50)
    found = find_picture({"logo@3x.png": png((90, 90))}, "logo", None, (160, 50))
    assert (found.width, found.height) == (30, 30)
    found = find_picture({"logo.png": png((1600, 400))}, "logo", None, (160, 50))
    assert (found.width, found.height) == (160, 40)
    assert find_picture({}, "logo", None, (160, 50)) is None
    assert find_picture({"logo@3x.png": b"broken", "LOGO@2X.PNG": png((2, 2))}, "logo", None, (160, 50)).width == 1
    assert find_picture({"logo.png": "text", 3: b""}, "logo", None, (160, 50)) is None


def test_embedded_pictures_are_cut_from_the_middle_and_never_enlarged():
    wide = Image.new("RGB", (300, 100), "white")
    wide.paste("red", (100, 0, 200, 100))
    buffer = io.BytesIO()
    wide.save(buffer, "PNG")
    found = find_picture({"thumbnail.png": buffer.getvalue()}, "thumbnail", None, (90, 90))
    import base64

    image = Image.open(io.BytesIO(base64.b64decode(found.href(50, 50).partition(",")[2])))
    assert image.size == (100, 100)
    assert image.getpixel((5, 50)) == (255, 0, 0)
    assert image.getpixel((95, 50)) == (255, 0, 0)
