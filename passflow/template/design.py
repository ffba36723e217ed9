"""The template: the design of a program's passes, neutral to the wallet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, ValidationError
from pydantic import Field as Described

from passflow.errors import TemplateError
from passflow.template.field import Field, Link
from passflow.template.lookup import LookupTable
from passflow.template.parts import App, Barcode, Beacon, Colors, Location, Moment, Nfc, Overrides, Part, RelevantDate
from passflow.template.problems import closest
from passflow.template.text import LANGUAGE, Text

Style = Literal["storeCard", "coupon", "eventTicket", "boardingPass", "generic"]
Section = Literal["header", "primary", "secondary", "auxiliary", "back"]
SECTIONS: tuple[Section, ...] = ("header", "primary", "secondary", "auxiliary", "back")
ImageName = Annotated[
    str,
    Described(
        pattern=r"^(icon|logo|strip|thumbnail|footer|background|artwork|primaryLogo|secondaryLogo|venueMap"
        r"|personalizationLogo)(@[23]x)?$"
    ),
]


class Template(Part):
    """The design of a program's passes: fields, codes, colours, images and links, with overrides for each wallet."""

    model_config = ConfigDict(frozen=True, extra="forbid", title="Template")

    style: Style = Described(description="Kind of pass.")
    organization: Text = Described(description="Who issues the pass; shown on the lock screen.")
    description: Text = Described(description="What the pass is, read out by screen readers.")
    logo_text: Text | None = Described(None, description="Text beside the logo.")
    colors: Colors = Described(Colors(), description="Colours of the pass.")
    header: tuple[Field, ...] = Described((), description="Fields at the top, seen in the stack too; at most 3.")
    primary: tuple[Field, ...] = Described((), description="The main field; a boarding pass has 2.")
    secondary: tuple[Field, ...] = Described((), description="Fields of the second row; at most 4.")
    auxiliary: tuple[Field, ...] = Described((), description="Fields of the third row; at most 4, boarding pass 5.")
    back: tuple[Field, ...] = Described((), description="Fields on the back, as many as needed.")
    links: tuple[Link, ...] = Described((), description="Links on the back, after its fields.")
    barcodes: tuple[Barcode, ...] = Described((), description="Codes; a device shows the first that it can.")
    nfc: Nfc | None = Described(None, description="Payload for readers.")
    images: dict[ImageName, str] = Described(
        {},
        description="Image name to where it is: a path beside the program file, `library:NAME`, an https URL, or one of "
        'these with member fields in braces, such as `"{photo_url}"`. Append @2x or @3x for one scale.',
    )
    locations: tuple[Location, ...] = Described((), description="Places of relevance; at most 10.")
    beacons: tuple[Beacon, ...] = Described((), description="Beacons of relevance; at most 10.")
    relevant_dates: tuple[RelevantDate, ...] = Described((), description="Times of relevance.")
    max_distance: float | None = Described(None, description="Metres within which a location counts.")
    expires: Moment | None = Described(None, description="When the pass expires; a plain date counts to its end.")
    sharing: bool = Described(True, description="Whether the holder may share the pass.")
    transit: Literal["air", "boat", "bus", "train", "generic"] | None = Described(
        None, description="Means of transport of a boarding pass."
    )
    app: App | None = Described(None, description="The app that belongs to the pass.")
    grouping: str | None = Described(None, description="Passes with the same text stack together (event, boarding).")
    user_info: dict[str, Any] | None = Described(None, description="Any JSON for your own app; texts may hold fields.")
    lookups: dict[str, LookupTable] = Described({}, description="Tables for `{tier:lookup(tiers)}`.")
    locale: str = Described("en", pattern=LANGUAGE, description="Language of plain texts, and number and date marks.")
    time_zone: str = Described("UTC", description="IANA time zone in which times are shown, such as Europe/Berlin.")
    currency: str | None = Described(None, description="ISO 4217 code for `{balance:money}`.")
    overrides: Overrides = Described(Overrides(), description="Wallet-specific keys, merged at the end.")


def read_template(data: Any, path: str = "template") -> Template:
    """Read a template from plain data, as YAML gives it.

    Raises:
        TemplateError: every key that is unknown, missing or of the wrong type.
    """
    try:
        return Template.model_validate(data)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False, include_context=False)
        problems: dict[str, tuple[str, str, str]] = {}
        for item in found:  # a value of several types is named once for each: the first says enough
            problem = _problem(item["loc"], item["type"], item["msg"], path)
            problems.setdefault(problem[0], problem)
        raise TemplateError(list(problems.values())) from None


def _problem(loc: tuple[str | int, ...], kind: str, message: str, path: str) -> tuple[str, str, str]:
    parts = [part for part in loc if isinstance(part, int) or not ("[" in part or part == "EmptyText")]
    if parts and parts[-1] == "str":
        parts.pop()
    where = path + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    if kind == "extra_forbidden":
        return where, f"`{parts[-1]}` is no key here", closest(str(parts[-1]), _keys_at(parts[:-1]))
    if kind == "missing":
        return where, "it is missing", f"Add `{parts[-1]}`"
    fix = "Put it in quotes" if kind == "string_type" else "Correct the value"
    return where, message.removeprefix("Value error, "), fix


def _keys_at(parts: Iterable[str | int]) -> list[str]:
    model: type[Part] | None = Template
    for part in parts:
        if model is not None and isinstance(part, str):
            model = _MODELS.get(part)
    return list(model.model_fields) if model else []


_MODELS: Mapping[str, type[Part]] = {
    **dict.fromkeys(SECTIONS, Field),
    "links": Link,
    "barcodes": Barcode,
    "nfc": Nfc,
    "colors": Colors,
    "locations": Location,
    "beacons": Beacon,
    "relevant_dates": RelevantDate,
    "app": App,
    "overrides": Overrides,
}
