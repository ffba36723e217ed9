"""The picture of a pass: codes read back by a scanner, colours and shapes probed as pixels, languages followed."""

import copy
import io
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import pairwise
from xml.etree import ElementTree

import pytest
import zxingcpp
from PIL import Image

from passflow.errors import ConfigError
from passflow.template.preview import preview_png, preview_svg
from passflow_tests.template.samples import COMMON, SAMPLES, STORE_CARD, draw_footer, draw_logo
from passflow_tests.template.test_barcode import MESSAGES, READ_AS

NOW = datetime(2026, 6, 1, tzinfo=UTC)
SVG = "{http://www.w3.org/2000/svg}"
EDGE = 30
"""Points of shadow around a pass, which is 375 points wide."""


def draw(pass_json, images=None, scale=1, **options):
    png = preview_png(pass_json, images or {}, scale=scale, now=NOW, **options)
    return Image.open(io.BytesIO(png)).convert("RGBA")


def texts(pass_json, images=None, **options):
    root = ElementTree.fromstring(preview_svg(pass_json, images or {}, now=NOW, **options))
    return [element.text for element in root.iter(f"{SVG}text")]


def pixel(image, x, y):
    """The colour at points counted from the pass's own corner."""
    scale = image.width / 435
    return image.getpixel((round((EDGE + x) * scale), round((EDGE + y) * scale)))


def scan(image):
    paper = Image.new("RGBA", image.size, "white")
    paper.alpha_composite(image)
    return zxingcpp.read_barcode(paper.convert("RGB"))


def plain(style="generic", **more):
    return COMMON | {"organizationName": "O", "description": "D", style: {}} | more


@pytest.fixture(scope="module")
def drawn():
    return {style: draw(*sample, scale=2) for style, sample in SAMPLES.items()}


@pytest.mark.parametrize("style", list(SAMPLES))
def test_every_style_shows_a_code_that_scans(drawn, style):
    wanted = SAMPLES[style][0]["barcodes"][0]
    found = scan(drawn[style])
    assert found.text == wanted["message"]
    assert str(found.format) == READ_AS[wanted["format"]]


@pytest.mark.parametrize("name", list(MESSAGES))
@pytest.mark.parametrize("scale", [1, 2])
def test_every_format_scans_at_every_scale(name, scale):
    found = scan(draw(plain(barcodes=[{"format": name, "message": MESSAGES[name]}]), scale=scale))
    assert found.text == MESSAGES[name]
    assert str(found.format) == READ_AS[name]


@pytest.mark.parametrize("length", [1, 120, 400])
def test_long_codes_still_scan(length):
    message = ("https://example.com/" * 40)[:length]
    for name in ("PKBarcodeFormatQR", "PKBarcodeFormatAztec", "PKBarcodeFormatPDF417"):
        assert scan(draw(plain(barcodes=[{"format": name, "message": message}]), scale=2)).text == message


def test_the_first_displayable_code_wins_and_the_old_key_is_the_last_resort():
    old = {"format": "PKBarcodeFormatQR", "message": "OLD"}
    new = [{"format": "PKBarcodeFormatFuture", "message": "X"}, {"format": "PKBarcodeFormatAztec", "message": "NEW"}]
    assert scan(draw(plain(barcode=old, barcodes=new))).text == "NEW"
    assert scan(draw(plain(barcode=old))).text == "OLD"
    assert scan(draw(plain(barcode=old, barcodes=[]))).text == "OLD"
    assert scan(draw(plain(barcodes=old))).text == "OLD"
    assert scan(draw(plain())) is None


def test_a_code_that_cannot_be_drawn_is_said_so():
    shown = texts(plain(barcodes=[{"format": "PKBarcodeFormatEAN13", "message": "letters", "altText": "A 1"}]))
    assert shown == ["This code cannot be drawn", "A 1"]


@pytest.mark.parametrize("scale", [0.5, 1, 2, 3])
def test_the_picture_has_the_size_of_its_scale(scale):
    image = draw(STORE_CARD, scale=scale)
    assert image.width == round(435 * scale)
    assert 1.1 < image.height / image.width < 1.5


@pytest.mark.parametrize("scale", [0, -1, 5, 1e9, float("nan"), float("inf")])
def test_absurd_scales_are_refused(scale):
    with pytest.raises(ConfigError) as caught:
        preview_png(STORE_CARD, {}, scale=scale)
    assert caught.value.error_code == "preview.scale"


def test_colours_are_those_of_the_pass():
    image = draw(plain(backgroundColor="rgb(10, 200, 30)"))
    assert pixel(image, 187, 440)[:3] == (10, 200, 30)
    image = draw(plain(backgroundColor="#0af"))
    assert pixel(image, 187, 440)[:3] == (0, 170, 255)
    # foreground and label, found as pixels of their own rows
    body = {"secondaryFields": [{"key": "a", "label": "MMMMMM", "value": "MMMMMM"}]}
    image = draw(plain(backgroundColor="#fff", foregroundColor="#f00", labelColor="#00f", generic=body))
    colors = {color[:3] for _, color in image.getcolors(1 << 24)}
    assert (255, 0, 0) in colors
    assert (0, 0, 255) in colors


def test_text_is_readable_where_the_pass_names_no_colours():
    body = {"secondaryFields": [{"key": "a", "label": "L", "value": "MMMMMMMM"}]}

    def contrast(**colors):
        image = draw(plain(generic=body, **colors)).convert("L").crop((100, 100, 250, 210))
        low, high = image.getextrema()
        return high - low

    assert contrast() > 180
    assert contrast(backgroundColor="#000") > 180
    assert contrast(backgroundColor="#fff") > 180
    assert contrast(foregroundColor="#fff") > 180
    assert contrast(backgroundColor="chartreuse", foregroundColor="url(x)") > 180


def test_outlines_tell_the_styles_apart(drawn):
    for style, image in drawn.items():
        assert image.getpixel((0, 0))[3] == 0, style
        assert pixel(image, 60, 40)[3] == 255, style
    # the shadow is all that is left where a notch is cut; it is never opaque
    assert pixel(drawn["eventTicket"], 187.5, 4)[3] < 200
    assert pixel(drawn["generic"], 187.5, 4)[3] == 255
    assert pixel(drawn["boardingPass"], 2, 152)[3] < 200
    assert pixel(drawn["boardingPass"], 373, 152)[3] < 200
    assert pixel(drawn["generic"], 2, 152)[3] == 255
    row = [pixel(drawn["coupon"], x / 2, 1)[3] == 255 for x in range(40, 700)]
    assert sum(one != other for one, other in pairwise(row)) > 80
    row = [pixel(drawn["storeCard"], x / 2, 1)[3] == 255 for x in range(40, 700)]
    assert all(row)
    assert pixel(drawn["storeCard"], 0.5, 0.5)[3] < 200


def solid(size, color):
    buffer = io.BytesIO()
    Image.new("RGB", size, color).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("style", "name", "size", "where"),
    [
        ("storeCard", "strip@2x", (750, 288), (187, 140)),
        ("coupon", "strip", (375, 144), (187, 140)),
        ("eventTicket", "strip@3x", (1125, 294), (187, 110)),
        ("eventTicket", "background@2x", (690, 1010), (187, 300)),
        ("eventTicket", "thumbnail@2x", (180, 180), (330, 120)),
        ("generic", "thumbnail@2x", (180, 180), (330, 120)),
        ("generic", "logo@2x", (100, 100), (30, 34)),
        ("boardingPass", "footer@2x", (572, 30), (187, 448)),
    ],
)
def test_images_stand_where_the_style_puts_them(style, name, size, where):
    image = draw(plain(style, backgroundColor="#fff"), {f"{name}.png": solid(size, (200, 0, 120))})
    assert pixel(image, *where)[:3] == (200, 0, 120)


@pytest.mark.parametrize(
    ("style", "name"),
    [("storeCard", "background"), ("generic", "strip"), ("boardingPass", "thumbnail"), ("coupon", "footer")],
)
def test_images_a_style_does_not_show_are_not_shown(style, name):
    assert "<image" not in preview_svg(plain(style), {f"{name}.png": solid((90, 90), "red")})


def test_the_sharpest_file_of_the_language_is_taken_and_the_top_level_wins():
    def shown(images, language=None):
        return pixel(draw(plain(backgroundColor="#fff"), images, language=language), 30, 34)[:3]

    red, green, blue = (solid((150, 150), color) for color in ("#ff0000", "#00ff00", "#0000ff"))
    assert shown({"logo.png": red, "logo@3x.png": green, "logo@2x.png": blue}) == (0, 255, 0)
    assert shown({"de.lproj/logo@3x.png": red, "en.lproj/logo@3x.png": blue}, "de") == (255, 0, 0)
    assert shown({"de.lproj/logo@3x.png": red, "en.lproj/logo@3x.png": blue}, "de-AT") == (255, 0, 0)
    assert shown({"de.lproj/logo@3x.png": red, "en.lproj/logo@3x.png": blue}) == (0, 0, 255)
    assert shown({"logo@3x.png": green, "de.lproj/logo@3x.png": red}, "de") == (0, 255, 0)
    assert shown({"de.lproj/logo@3x.png": red}, "fr") == (255, 255, 255)


def test_labels_values_and_texts_are_on_the_front():
    shown = texts(*SAMPLES["storeCard"])
    assert shown == [
        "Aurelia", "TIER", "Gold", "12,480", "Points",
        "MEMBER", "Anna Schmidt", "FREE DRINKS", "3", "VALID UNTIL", "Mar 31, 2027", "1004 2217 8830",
    ]  # fmt: skip


def test_boarding_passes_put_auxiliary_above_secondary_fields():
    shown = texts(*SAMPLES["boardingPass"])
    assert shown.index("FRA") < shown.index("LIS") < shown.index("MA 834") < shown.index("Anna Schmidt")


def test_no_more_fields_than_a_device_shows():
    many = [{"key": str(n), "label": "", "value": f"v{n}"} for n in range(9)]
    groups = dict.fromkeys(("headerFields", "primaryFields", "secondaryFields", "auxiliaryFields"), many)
    count = {style: len(texts(plain(style, **{style: groups}))) for style in SAMPLES}
    assert count == {
        "storeCard": 3 + 1 + 4,
        "coupon": 3 + 1 + 4,
        "eventTicket": 3 + 1 + 4 + 4,
        "boardingPass": 3 + 2 + 5 + 4,
        "generic": 3 + 1 + 4 + 4,
    }
    square = {"barcodes": [{"format": "PKBarcodeFormatQR", "message": "x"}]}
    assert len(texts(plain("generic", generic=groups, **square))) == 3 + 1 + 4


def test_language_and_strings_are_followed():
    german = texts(STORE_CARD, language="de", strings={"Points": "Punkte", "Member": "Mitglied", "Gold": "Gold+"})
    assert {"12.480", "Punkte", "MITGLIED", "Gold+", "31.03.2027"} <= set(german)
    assert "20% off" in texts(*SAMPLES["coupon"])
    assert (
        "50,00\N{NO-BREAK SPACE}€".split()
        == next(t for t in texts(*SAMPLES["coupon"], language="de") if "€" in t).split()
    )
    assert texts(STORE_CARD, language="xx-nonsense") == texts(STORE_CARD, language="en")


def test_transit_types_have_icons_of_their_own():
    pictures = set()
    for kind in ("Air", "Boat", "Bus", "Generic", "Train"):
        card = copy.deepcopy(SAMPLES["boardingPass"][0])
        card["boardingPass"]["transitType"] = f"PKTransitType{kind}"
        pictures.add(preview_svg(card, {}))
    assert len(pictures) == 5


@pytest.mark.parametrize(
    ("more", "language", "word"),
    [
        ({"voided": True}, None, "Void"),
        ({"voided": True}, "de-DE", "Ungültig"),
        ({"expirationDate": "2026-05-31T23:59Z"}, None, "Expired"),
        ({"expirationDate": "2026-06-01T01:00+02:00"}, "fr", "Expiré"),
        ({"expirationDate": "2026-06-01T01:00-02:00"}, None, None),
        ({"expirationDate": "2027-01-01T00:00Z"}, None, None),
        ({"voided": "true"}, None, None),
        ({"expirationDate": "soon"}, None, None),
    ],
)
@pytest.mark.parametrize("code", [True, False])
def test_a_pass_that_is_over_says_so(more, language, word, code):
    barcodes = {"barcodes": STORE_CARD["barcodes"]} if code else {}
    shown = texts(plain(**barcodes, **more), language=language)
    assert [text for text in shown if text in ("Void", "Ungültig", "Expired", "Expiré")] == ([word] if word else [])


def test_a_void_code_is_faded(drawn):
    def darkest(image):
        return image.convert("RGB").convert("L").crop((300, 700, 570, 760)).getextrema()

    over = draw(STORE_CARD | {"voided": True, "backgroundColor": "#888"}, SAMPLES["storeCard"][1], scale=2)
    assert darkest(drawn["storeCard"])[1] == 255
    assert darkest(over)[1] < 200


def test_the_back_lists_all_fields_with_links_and_line_ends():
    shown = texts(STORE_CARD, side="back")
    assert shown[:2] == ["Aurelia Coffee", "Aurelia Gold Club card"]
    assert "One point for every cent you spend." in shown
    assert "Free drinks never expire." in shown
    assert "Read the terms & conditions." in shown
    joined = " ".join(shown)
    assert STORE_CARD["storeCard"]["backFields"][3]["value"] in joined
    root = ElementTree.fromstring(preview_svg(STORE_CARD, {}, side="back"))
    links = [element.text for element in root.iter(f"{SVG}text") if element.get("fill") == "#0066cc"]
    assert links == ["https://example.com/club", "Read the terms & conditions."]


def test_a_back_without_fields_is_a_back():
    assert texts(plain(), side="back") == ["O", "D"]
    assert draw(plain(), side="back").width == 435


def test_the_same_pass_gives_the_same_picture_in_any_thread():
    card, images = SAMPLES["generic"]
    with ThreadPoolExecutor(4) as pool:
        pictures = set(pool.map(lambda _: preview_png(card, images, scale=1, now=NOW), range(8)))
    assert len(pictures) == 1


def test_a_logo_keeps_its_size_and_never_covers_the_header_fields():
    card = SAMPLES["boardingPass"][0] | {"logoText": "A logo text that is far too long for the line it stands on"}
    wide = {"logo@2x.png": solid((320, 100), "#ff0000")}
    image = draw(card, wide)
    assert pixel(image, 16 + 155, 34)[:3] == (255, 0, 0)
    assert pixel(image, 16 + 165, 34)[:3] != (255, 0, 0)
    assert "B22" in texts(card, wide)
    assert pixel(draw(card, {"logo.png": draw_footer()}), 30, 20)[3] == 255
    assert draw(card, {"logo.png": draw_logo("#fff")}).width == 435
