"""Draws the demo's images: ``python -m passflow_tests.art``. Everything is drawn four times too large and scaled down.

Sizes are Apple's, in points: icon 38 x 38, logo at most 160 x 50, strip 375 x 144 (an event ticket shows its middle).
https://developer.apple.com/design/human-interface-guidelines/wallet
"""

from __future__ import annotations

import math
from pathlib import Path
from random import Random

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

DATA = Path(__file__).parents[1] / "data"
FONTS = DATA.parent / "passflow" / "template" / "fonts"
SCALE = 4

Colour = tuple[int, int, int]
FOREST: Colour = (16, 42, 36)
MOSS: Colour = (33, 80, 64)
GOLD: Colour = (222, 180, 96)
CREAM: Colour = (250, 236, 204)
NIGHT: Colour = (24, 16, 58)
VIOLET: Colour = (92, 40, 132)
ROSE: Colour = (238, 92, 122)
AMBER: Colour = (255, 186, 92)


def blend(first: Colour, second: Colour, share: float) -> Colour:
    """A colour between two others; 0 is the first."""
    share = max(0.0, min(1.0, share))
    return tuple(round(a + (b - a) * share) for a, b in zip(first, second, strict=True))  # type: ignore[return-value]  # three channels in, three out


def gradient(size: tuple[int, int], stops: list[Colour], *, slant: float = 0.0) -> Image.Image:
    """A gradient from top to bottom; ``slant`` tilts it, in heights per width."""
    width, height = size
    image = Image.new("RGB", (64, 256))
    for x in range(64):
        for y in range(256):
            place = (y / 255 + slant * x / 63) / (1 + slant) * (len(stops) - 1)
            index = min(int(place), len(stops) - 2)
            image.putpixel((x, y), blend(stops[index], stops[index + 1], place - index))
    return image.resize((width, height), Image.Resampling.BICUBIC)


def draw_laurel(draw: ImageDraw.ImageDraw, centre: tuple[float, float], radius: float, colour: Colour) -> None:
    """Two branches of leaves that almost close a ring, and a star of eight rays between them."""
    x0, y0 = centre
    for side in (-1, 1):
        for step in range(7):
            angle = math.radians(72 - step * 19)
            stalk = (x0 + side * radius * math.cos(angle), y0 + radius * math.sin(angle))
            along = math.atan2(-math.cos(angle), side * math.sin(angle))
            for tilt in (-0.52, 0.62):
                leaf(draw, stalk, radius * (0.40 - 0.012 * step), along + side * tilt, colour)
    points = []
    for ray in range(16):
        angle = math.pi * ray / 8
        length = radius * ((0.56 if ray % 4 == 0 else 0.36) if ray % 2 == 0 else 0.15)
        points.append((x0 + length * math.sin(angle), y0 - length * math.cos(angle)))
    draw.polygon(points, fill=colour)


def leaf(draw: ImageDraw.ImageDraw, at: tuple[float, float], length: float, angle: float, colour: Colour) -> None:
    """A pointed leaf from its stalk along an angle in radians."""
    outline = []
    for step in range(25):
        along = step / 12 if step <= 12 else 2 - step / 12
        across = math.sin(math.pi * along) * 0.23 * (1 if step <= 12 else -1)
        outline.append(
            (
                at[0] + length * (along * math.cos(angle) - across * math.sin(angle)),
                at[1] + length * (along * math.sin(angle) + across * math.cos(angle)),
            )
        )
    draw.polygon(outline, fill=colour)


def write_text(
    image: Image.Image,
    at: tuple[float, float],
    text: str,
    size: float,
    colour: Colour,
    *,
    weight: str,
    spacing: float = 0,
) -> None:
    """Text whose left middle is at a point, letter-spaced in font sizes."""
    font = ImageFont.truetype(str(FONTS / f"Inter-{weight}.otf"), round(size))
    draw, x = ImageDraw.Draw(image), at[0]
    for letter in text:
        draw.text((x, at[1]), letter, font=font, fill=colour, anchor="lm")
        x += font.getlength(letter) + spacing * size


def draw_gold_icon(side: int) -> Image.Image:
    """The laurel on a forest green tile."""
    image = gradient((side, side), [MOSS, FOREST], slant=0.4)
    draw_laurel(ImageDraw.Draw(image), (side / 2, side * 0.5), side * 0.31, GOLD)
    return image


def draw_gold_logo(width: int, height: int) -> Image.Image:
    """The laurel and the club's name, on nothing."""
    image = Image.new("RGBA", (width, height), (*FOREST, 0))
    draw_laurel(ImageDraw.Draw(image), (height * 0.42, height * 0.5), height * 0.29, GOLD)
    write_text(image, (height * 0.98, height * 0.52), "GOLD CLUB", height * 0.31, CREAM, weight="Medium", spacing=0.08)
    return image


def draw_gold_strip(width: int, height: int) -> Image.Image:
    """Ribbons of light over forest green, a large laurel at the right edge."""
    image = gradient((width, height), [FOREST, MOSS, FOREST], slant=0.9)
    for ribbon in range(9):
        layer = Image.new("L", (width, height), 0)
        line = []
        for x in range(0, width + 40, 40):
            wave = math.sin(x / width * 3.1 + ribbon * 0.42) * 0.26 + math.sin(x / width * 7 + ribbon * 0.2) * 0.05
            line.append((x, height * (0.16 + ribbon * 0.085 + wave)))
        ImageDraw.Draw(layer).line(line, fill=26 + 13 * (ribbon % 3), width=max(2, height // 44), joint="curve")
        image.paste(Image.new("RGB", image.size, GOLD), mask=layer.filter(ImageFilter.GaussianBlur(height / 160)))
    emblem = Image.new("L", (width, height), 0)
    draw_laurel(ImageDraw.Draw(emblem), (width * 0.83, height * 0.52), height * 0.33, 74)  # type: ignore[arg-type]  # an emblem is RGBA
    image.paste(Image.new("RGB", image.size, GOLD), mask=emblem)
    return image


def draw_sun(image: Image.Image, centre: tuple[float, float], radius: float) -> None:
    """A striped evening sun, stripes growing towards the horizon."""
    side = round(radius * 2)
    disc = gradient((side, side), [(255, 226, 150), AMBER, ROSE])
    mask = Image.new("L", (side, side), 0)
    draw = ImageDraw.Draw(mask)
    draw.ellipse((0, 0, side - 1, side - 1), fill=255)
    for stripe in range(5):
        top = side * (0.50 + stripe * 0.105)
        draw.rectangle((0, top, side, top + side * (0.014 + 0.011 * stripe)), fill=0)
    image.paste(disc, (round(centre[0] - radius), round(centre[1] - radius)), mask)


def draw_festival_icon(side: int) -> Image.Image:
    """The striped sun in a violet night."""
    image = gradient((side, side), [NIGHT, VIOLET])
    draw_sun(image, (side / 2, side / 2), side * 0.33)
    return image


def draw_festival_logo(width: int, height: int) -> Image.Image:
    """The sun and the festival's name, on nothing."""
    image = Image.new("RGBA", (width, height), (*NIGHT, 0))
    draw_sun(image, (height * 0.42, height * 0.5), height * 0.34)
    write_text(
        image, (height * 0.98, height * 0.52), "LUMEN", height * 0.42, (255, 244, 232), weight="SemiBold", spacing=0.14
    )
    return image


def draw_festival_strip(width: int, height: int) -> Image.Image:
    """Dusk over hills: stars, sun, searchlights and a crowd of firs."""
    image = gradient((width, height), [NIGHT, VIOLET, ROSE, AMBER])
    rng = Random(7)
    draw = ImageDraw.Draw(image)
    for _ in range(70):
        x, y, size = rng.random() * width, rng.random() ** 1.4 * height * 0.55, height * (0.003 + rng.random() * 0.006)
        draw.ellipse(
            (x - size, y - size, x + size, y + size), fill=blend(VIOLET, (255, 255, 255), 0.45 + rng.random() / 2)
        )
    draw_sun(image, (width * 0.80, height * 0.74), height * 0.27)
    beams = Image.new("L", image.size, 0)
    for foot, top in ((0.10, -0.06), (0.16, 0.34), (0.46, 0.28), (0.52, 0.66)):
        beam = Image.new("L", image.size, 0)
        near, far = 0.004 * width, 0.045 * width
        ImageDraw.Draw(beam).polygon(
            [
                (foot * width - near, height * 0.9),
                (foot * width + near, height * 0.9),
                (top * width + far, 0),
                (top * width - far, 0),
            ],
            fill=52,
        )
        beams = ImageChops.add(beams, beam)
    beams = ImageChops.multiply(beams, gradient(image.size, [(40, 40, 40), (255, 255, 255)]).convert("L"))
    image.paste(Image.new("RGB", image.size, (255, 236, 214)), mask=beams.filter(ImageFilter.GaussianBlur(height / 70)))
    draw = ImageDraw.Draw(image)
    for depth, (base, swing, colour) in enumerate(
        ((0.74, 0.07, (120, 44, 112)), (0.81, 0.045, (62, 26, 84)), (0.90, 0.025, NIGHT))
    ):
        hill = [
            (0, height),
            *(
                (x, height * (base - swing * math.sin(x / width * (4 + depth * 2.3) + depth * 1.9)))
                for x in range(0, width + 24, 24)
            ),
            (width + 24, height),
        ]
        draw.polygon(hill, fill=colour)
    for _ in range(90):
        x, tall = rng.random() * width, height * (0.04 + rng.random() * 0.07)
        draw.polygon([(x - tall * 0.22, height), (x, height * 0.925 - tall), (x + tall * 0.22, height)], fill=NIGHT)
    return image


def save(image: Image.Image, path: Path, size: tuple[int, int]) -> None:
    """Scales down and writes a small PNG: a dithered palette shows no bands in a gradient."""
    small = image.resize(size, Image.Resampling.LANCZOS)
    if small.mode == "RGB":
        # Pillow dithers only towards a palette that it is given
        palette = small.quantize(256, method=Image.Quantize.MEDIANCUT)
        small = small.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG)
    else:
        small = small.quantize(128, method=Image.Quantize.FASTOCTREE)
    path.parent.mkdir(parents=True, exist_ok=True)
    small.save(path, optimize=True)


ART = {
    "gold/images/icon": (draw_gold_icon, (38, 38)),
    "gold/images/logo": (draw_gold_logo, (160, 50)),
    "gold/images/strip": (draw_gold_strip, (375, 144)),
    "festival/images/icon": (draw_festival_icon, (38, 38)),
    "festival/images/logo": (draw_festival_logo, (160, 50)),
    "festival/images/strip": (draw_festival_strip, (375, 144)),
}


def main() -> None:
    """Draws every image at one, two and three pixels per point."""
    for name, (draw, (width, height)) in ART.items():
        canvas = (width * 3 * SCALE, height * 3 * SCALE)
        image = draw(canvas[0]) if name.endswith("icon") else draw(*canvas)  # type: ignore[operator]  # icons take a size, the others a canvas
        for density in (1, 2, 3):
            suffix = "" if density == 1 else f"@{density}x"
            save(image, DATA / f"{name}{suffix}.png", (width * density, height * density))


if __name__ == "__main__":
    main()
