"""Five passes with drawn images, one for each style, for pictures and their tests."""

from __future__ import annotations

import io
import math
from typing import Any

from PIL import Image, ImageDraw, ImageFilter

COMMON: dict[str, Any] = {
    "formatVersion": 1,
    "passTypeIdentifier": "pass.com.example.demo",
    "serialNumber": "0001",
    "teamIdentifier": "ABCDE12345",
}

STORE_CARD: dict[str, Any] = COMMON | {
    "organizationName": "Aurelia Coffee",
    "description": "Aurelia Gold Club card",
    "logoText": "Aurelia",
    "backgroundColor": "rgb(28, 52, 46)",
    "foregroundColor": "rgb(255, 250, 240)",
    "labelColor": "rgb(214, 184, 120)",
    "barcodes": [
        {
            "format": "PKBarcodeFormatQR",
            "message": "AURELIA-10042",
            "messageEncoding": "iso-8859-1",
            "altText": "1004 2217 8830",
        }
    ],
    "storeCard": {
        "headerFields": [{"key": "tier", "label": "Tier", "value": "Gold"}],
        "primaryFields": [{"key": "points", "label": "Points", "value": 12480, "numberStyle": "PKNumberStyleDecimal"}],
        "secondaryFields": [
            {"key": "member", "label": "Member", "value": "Anna Schmidt"},
            {"key": "next", "label": "Free drinks", "value": 3},
        ],
        "auxiliaryFields": [
            {"key": "until", "label": "Valid until", "value": "2027-03-31T00:00Z", "dateStyle": "PKDateStyleMedium"}
        ],
        "backFields": [
            {
                "key": "how",
                "label": "How it works",
                "value": "One point for every cent you spend.\nFree drinks never expire.",
            },
            {"key": "site", "label": "Website", "value": "https://example.com/club"},
            {
                "key": "terms",
                "label": "Terms",
                "value": "See example.com/terms",
                "attributedValue": "Read the <a href='https://example.com/terms'>terms &amp; conditions</a>.",
            },
            {
                "key": "legal",
                "label": "Legal",
                "value": "This card remains the property of Aurelia Coffee. Points have no cash value, cannot be sold and "
                "end with the membership. Lost cards are replaced in every shop on showing a photo identification.",
            },
        ],
    },
}

COUPON: dict[str, Any] = COMMON | {
    "organizationName": "Field & Forest",
    "description": "Summer offer",
    "logoText": "Field & Forest",
    "backgroundColor": "#F25C3B",
    "foregroundColor": "#FFFFFF",
    "labelColor": "#FFE3D6",
    "barcodes": [{"format": "PKBarcodeFormatPDF417", "message": "SUMMER-20-4711", "altText": "SUMMER-20-4711"}],
    "coupon": {
        "headerFields": [{"key": "store", "label": "Shops", "value": "All"}],
        "primaryFields": [{"key": "offer", "label": "on everything for outdoors", "value": "20% off"}],
        "secondaryFields": [{"key": "min", "label": "From", "value": 50, "currencyCode": "EUR"}],
        "auxiliaryFields": [
            {"key": "end", "label": "Expires", "value": "2027-08-31T23:59+02:00", "dateStyle": "PKDateStyleLong"}
        ],
    },
}

EVENT_TICKET: dict[str, Any] = COMMON | {
    "organizationName": "Nordlicht Festival",
    "description": "Nordlicht 2027, Saturday",
    "logoText": "Nordlicht",
    "foregroundColor": "rgb(255,255,255)",
    "labelColor": "rgb(200,215,255)",
    "barcodes": [{"format": "PKBarcodeFormatAztec", "message": "NL27-SAT-000123", "altText": "NL27-SAT-000123"}],
    "eventTicket": {
        "headerFields": [{"key": "date", "label": "Sat", "value": "12 June"}],
        "primaryFields": [{"key": "event", "label": "Event", "value": "Nordlicht 2027"}],
        "secondaryFields": [{"key": "loc", "label": "Where", "value": "Harbour Stage"}],
        "auxiliaryFields": [
            {"key": "doors", "label": "Doors", "value": "18:30"},
            {"key": "section", "label": "Section", "value": "B"},
            {"key": "row", "label": "Row", "value": "12"},
            {"key": "seat", "label": "Seat", "value": "24"},
        ],
    },
}

BOARDING_PASS: dict[str, Any] = COMMON | {
    "organizationName": "Meridian Air",
    "description": "Boarding pass FRA to LIS",
    "logoText": "Meridian",
    "backgroundColor": "rgb(18, 60, 122)",
    "foregroundColor": "rgb(255, 255, 255)",
    "labelColor": "rgb(150, 196, 255)",
    "barcodes": [
        {"format": "PKBarcodeFormatPDF417", "message": "M1SCHMIDT/ANNA        EABC123 FRALISMA 0834 326J001A0025 100"}
    ],
    "boardingPass": {
        "transitType": "PKTransitTypeAir",
        "headerFields": [
            {"key": "gate", "label": "Gate", "value": "B22"},
            {"key": "date", "label": "Date", "value": "14 May"},
        ],
        "primaryFields": [
            {"key": "from", "label": "Frankfurt", "value": "FRA"},
            {"key": "to", "label": "Lisbon", "value": "LIS"},
        ],
        "auxiliaryFields": [
            {"key": "flight", "label": "Flight", "value": "MA 834"},
            {"key": "board", "label": "Boarding", "value": "10:25"},
            {"key": "group", "label": "Group", "value": "2"},
            {"key": "seat", "label": "Seat", "value": "1A"},
        ],
        "secondaryFields": [
            {"key": "name", "label": "Passenger", "value": "Anna Schmidt"},
            {"key": "class", "label": "Class", "value": "Business"},
        ],
    },
}

GENERIC: dict[str, Any] = COMMON | {
    "organizationName": "City Library",
    "description": "Library card",
    "logoText": "City Library",
    "backgroundColor": "rgb(250, 247, 240)",
    "foregroundColor": "rgb(40, 36, 48)",
    "labelColor": "rgb(158, 92, 44)",
    "barcodes": [{"format": "PKBarcodeFormatCode128", "message": "LIB0004711", "altText": "LIB 0004711"}],
    "generic": {
        "headerFields": [{"key": "loans", "label": "Loans", "value": 4}],
        "primaryFields": [{"key": "name", "label": "Reader", "value": "Anna Schmidt"}],
        "secondaryFields": [
            {"key": "branch", "label": "Branch", "value": "Old Town"},
            {"key": "since", "label": "Member since", "value": "2019"},
        ],
        "auxiliaryFields": [
            {"key": "due", "label": "Next due", "value": "2027-05-04", "dateStyle": "PKDateStyleMedium"},
            {"key": "fees", "label": "Fees", "value": 0, "currencyCode": "EUR"},
        ],
    },
}


def _save(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def _gradient(size: tuple[int, int], top: tuple[int, int, int], bottom: tuple[int, int, int]) -> Image.Image:
    mask = Image.linear_gradient("L").resize(size)
    return Image.composite(Image.new("RGB", size, bottom), Image.new("RGB", size, top), mask)


def draw_logo(color: str, shape: str = "ring") -> bytes:
    image = Image.new("RGBA", (150, 150), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    if shape == "ring":
        draw.ellipse((18, 18, 132, 132), outline=color, width=12)
        draw.pieslice((40, 40, 110, 110), -90, 90, fill=color)
    elif shape == "leaf":
        draw.pieslice((10, 20, 130, 140), 180, 270, fill=color)
        draw.pieslice((-50, -40, 130, 140), 0, 90, fill=color)
    else:
        draw.polygon([(75, 10), (140, 130), (75, 100), (10, 130)], fill=color)
    return _save(image)


def draw_strip() -> bytes:
    image = _gradient((1125, 432), (52, 92, 80), (18, 36, 32))
    draw = ImageDraw.Draw(image, "RGBA")
    for n in range(9):
        draw.ellipse(
            (560 + n * 52, -160 + n * 26, 1110 + n * 52, 390 + n * 26), outline=(214, 184, 120, 90 - n * 8), width=5
        )
    return _save(image)


def draw_hills() -> bytes:
    image = _gradient((1125, 432), (255, 170, 110), (235, 70, 50))
    draw = ImageDraw.Draw(image, "RGBA")
    draw.ellipse((820, 60, 1000, 240), fill=(255, 236, 190, 230))
    for layer, color in enumerate([(190, 60, 60, 200), (140, 40, 60, 220), (90, 28, 50, 235)]):
        points = [(x, 250 + layer * 55 + 40 * math.sin(x / (130 - layer * 25) + layer * 2)) for x in range(0, 1130, 9)]
        draw.polygon([*points, (1125, 432), (0, 432)], fill=color)
    return _save(image)


def draw_lights() -> bytes:
    image = _gradient((1035, 1515), (10, 14, 44), (26, 20, 70))
    draw = ImageDraw.Draw(image, "RGBA")
    for band, color in enumerate([(60, 240, 190, 120), (90, 150, 255, 120), (190, 90, 240, 110)]):
        points = [(x, 420 + band * 150 + 120 * math.sin(x / 210 + band)) for x in range(0, 1040, 10)]
        draw.polygon([*points, *[(x, y + 260) for x, y in reversed(points)]], fill=color)
    return _save(image.filter(ImageFilter.GaussianBlur(30)))


def draw_face() -> bytes:
    image = _gradient((270, 270), (240, 206, 160), (206, 140, 90))
    draw = ImageDraw.Draw(image)
    draw.ellipse((85, 55, 185, 165), fill=(255, 236, 214))
    draw.ellipse((35, 175, 235, 380), fill=(92, 64, 120))
    return _save(image)


def draw_footer() -> bytes:
    image = Image.new("RGBA", (572, 30), (0, 0, 0, 0))
    ImageDraw.Draw(image).rounded_rectangle((0, 8, 571, 22), 7, fill=(150, 196, 255, 150))
    return _save(image)


SAMPLES: dict[str, tuple[dict[str, Any], dict[str, bytes]]] = {
    "storeCard": (STORE_CARD, {"logo@3x.png": draw_logo("#d6b878"), "strip@3x.png": draw_strip()}),
    "coupon": (COUPON, {"logo@3x.png": draw_logo("#ffffff", "leaf"), "strip@3x.png": draw_hills()}),
    "eventTicket": (
        EVENT_TICKET,
        {
            "logo@3x.png": draw_logo("#ffffff", "star"),
            "background@3x.png": draw_lights(),
            "thumbnail@3x.png": draw_lights(),
        },
    ),
    "boardingPass": (BOARDING_PASS, {"logo@3x.png": draw_logo("#ffffff", "star"), "footer@2x.png": draw_footer()}),
    "generic": (GENERIC, {"logo@3x.png": draw_logo("#9e5c2c", "leaf"), "thumbnail@3x.png": draw_face()}),
}
