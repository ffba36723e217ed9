"""The parts of a template beside its fields: colours, codes, places, times, the app."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from passflow.template.text import Text

BarcodeFormat = Literal[
    "qr", "pdf417", "aztec", "code128", "ean13", "code39", "codabar", "itf", "ean8", "upc_a", "data_matrix"
]


def _moment(value: Any) -> Any:
    # YAML reads an unquoted 2026-12-31 as a date
    return value.isoformat() if isinstance(value, date | datetime) else value


Moment = Annotated[
    str,
    BeforeValidator(_moment, json_schema_input_type=str),
    Field(description="An ISO 8601 date or date and time, or a member field such as `{expires_at}`."),
]
Colour = Annotated[
    str,
    Field(json_schema_extra={"pattern": r"^(#[0-9A-Fa-f]{3}|#[0-9A-Fa-f]{6}|rgb\(.*\))$"}),
]


class Part(BaseModel):
    """Base of every part: frozen, and unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Colors(Part):
    """The colours of a pass."""

    background: Colour | None = Field(None, description="Background, as `#1b1f3b`, `#fff` or `rgb(27, 31, 59)`.")
    foreground: Colour | None = Field(None, description="Values of the fields.")
    label: Colour | None = Field(None, description="Labels of the fields.")


class Barcode(Part):
    """A code to be scanned. Where several are given, a device shows the first that it can."""

    format: BarcodeFormat = Field(description="Kind of code.")
    message: str = Field(description="What the code holds; member fields in braces, such as `{external_id}`.")
    alt: Text | None = Field(None, description="Text below the code, for people.")
    encoding: str | None = Field(
        None, description="IANA character set of the message; left out: iso-8859-1 where it fits, otherwise utf-8."
    )


class Nfc(Part):
    """What the pass hands to a reader; Apple needs a certificate with the NFC entitlement."""

    message: str = Field(description="Payload, at most 64 bytes; member fields in braces.")
    public_key: str = Field(description="The reader's public key: base64 of an X.509 SubjectPublicKeyInfo on P-256.")
    requires_authentication: bool = Field(False, description="Whether the phone asks for face, finger or code first.")


class Location(Part):
    """A place near which the pass comes up on the lock screen."""

    latitude: float = Field(description="Degrees north, -90 to 90.", json_schema_extra={"minimum": -90, "maximum": 90})
    longitude: float = Field(
        description="Degrees east, -180 to 180.", json_schema_extra={"minimum": -180, "maximum": 180}
    )
    altitude: float | None = Field(None, description="Metres.")
    text: Text | None = Field(None, description="What the lock screen says.")


class Beacon(Part):
    """A Bluetooth beacon near which the pass comes up on the lock screen."""

    uuid: str = Field(description="Proximity UUID of the beacon.")
    major: int | None = Field(None, description="Major number, 0 to 65535.")
    minor: int | None = Field(None, description="Minor number, 0 to 65535.")
    text: Text | None = Field(None, description="What the lock screen says.")


class RelevantDate(Part):
    """A time at which the pass comes up: either `date`, or `start` and `end`."""

    date: Moment | None = Field(None, description="One moment.")
    start: Moment | None = Field(None, description="Start of an interval.")
    end: Moment | None = Field(None, description="End of the interval.")


class App(Part):
    """The app that belongs to the pass."""

    store_ids: tuple[int, ...] = Field((), description="App Store identifiers of the associated apps.")
    launch_url: str | None = Field(None, description="URL the app opens with; needs `store_ids`. Fields in braces.")


class Overrides(Part):
    """What the neutral template has no word for: merged into what it renders (RFC 7386, null removes)."""

    apple: dict[str, Any] = Field({}, description="Any key of Apple's pass.json; texts may hold member fields.")
    google: dict[str, Any] = Field({}, description="Any key of Google's class and object; texts may hold fields.")
