"""Barcodes as modules: what a pass's barcode dictionary draws, by ZXing's writers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

from passflow.errors import ConfigError

if TYPE_CHECKING:
    from typing_extensions import Buffer

MAX_MESSAGE: Final = 4296
"""QR version 40 holds no more characters (ISO/IEC 18004), and no other format does."""

FORMATS: Final = {
    "PKBarcodeFormatQR": "QRCode",
    "PKBarcodeFormatPDF417": "PDF417",
    "PKBarcodeFormatAztec": "Aztec",
    "PKBarcodeFormatCode128": "Code128",
    "PKBarcodeFormatEAN13": "EAN13",
    "PKBarcodeFormatCode39": "Code39",
    "PKBarcodeFormatCodabar": "Codabar",
    "PKBarcodeFormatI2of5": "ITF",
}
"""Apple's names (the last four since iOS 27) and ZXing's."""

_SQUARE: Final = frozenset({"PKBarcodeFormatQR", "PKBarcodeFormatAztec"})
_LINEAR: Final = frozenset(FORMATS) - _SQUARE - {"PKBarcodeFormatPDF417"}


@dataclass(frozen=True, slots=True)
class Symbol:
    """A drawn barcode without quiet zone.

    Attributes:
        rows: one row of modules each, True is dark. A linear code has a single row.
        linear: True when the one row is to be stretched to any height.
        square: True for QR and Aztec.
    """

    rows: tuple[tuple[bool, ...], ...]
    linear: bool
    square: bool

    @property
    def width(self) -> int:
        """Modules across."""
        return len(self.rows[0])

    @property
    def height(self) -> int:
        """Modules down."""
        return len(self.rows)

    def path(self) -> str:
        """SVG path data of the dark modules, one module to the unit, runs merged."""
        parts = []
        for y, row in enumerate(self.rows):
            if y and row == self.rows[y - 1]:
                continue  # drawn with the row above
            tall = next((n for n, other in enumerate(self.rows[y:]) if other != row), len(self.rows) - y)
            x = 0
            while x < len(row):
                end = x
                while end < len(row) and row[end]:
                    end += 1
                if end > x:
                    parts.append(f"M{x} {y}h{end - x}v{tall}h-{end - x}z")
                x = end + 1
        return "".join(parts)


def encode_barcode(format_name: str, message: str, encoding: str = "iso-8859-1") -> Symbol:
    """Draws a barcode as a device would.

    Args:
        format_name: Apple's name, such as ``PKBarcodeFormatQR``.
        message: what a scanner reads.
        encoding: IANA name of the character set of the message; text that it cannot hold is written in UTF-8.

    Raises:
        ConfigError: an unknown format, or a message that the format cannot hold.
    """
    import zxingcpp

    if format_name not in FORMATS:
        raise _refused(f"format {format_name[:40]!r} is unknown", f"Use one of: {', '.join(FORMATS)}.")
    if not message or len(message) > MAX_MESSAGE:
        raise _refused("the message is empty or too long", f"Use 1 to {MAX_MESSAGE} characters.")
    try:
        barcode = zxingcpp.create_barcode(
            _content(message, encoding), zxingcpp.barcode_format_from_str(FORMATS[format_name])
        )
        image = zxingcpp.write_barcode_to_image(barcode, scale=1, add_quiet_zones=False)
    except (ValueError, RuntimeError, TypeError):
        # the writer's message quotes the content
        raise _refused(f"{FORMATS[format_name]} cannot hold this message", "Use another format.") from None
    pixels = memoryview(cast("Buffer", image))  # ZXing's stubs leave the buffer protocol out
    linear = format_name in _LINEAR
    raw = pixels.tobytes()
    width = pixels.strides[0] if pixels.strides else len(raw)
    height = len(raw) // width
    lines = [tuple(value < 128 for value in raw[y * width : (y + 1) * width]) for y in range(height)]
    # the bars of EAN-13 differ in length at the foot only; the middle row is every bar
    rows = (lines[height // 2],) if linear else tuple(lines)
    return Symbol(rows, linear, format_name in _SQUARE)


def _content(message: str, encoding: str) -> str | bytes:
    """ASCII as text, which packs tighter; anything else as the bytes that the pass declares."""
    if message.isascii():
        return message
    try:
        return message.encode(encoding)
    except (LookupError, UnicodeError):
        return message.encode("utf-8", "replace")


def _refused(what: str, fix: str) -> ConfigError:
    return ConfigError(f"Barcode: {what}.", fix=fix, code="barcode.invalid")
