"""One field of a pass, and a link on its back."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field as Described

from passflow.template.parts import Part
from passflow.template.text import Text

Key = Annotated[str, Described(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]
Style = Literal["none", "short", "medium", "long", "full"]


class EmptyText(Part):
    """What a field shows when its value is empty."""

    text: Text = Described(description="Text in place of the empty value, without member fields.")


class Field(Part):
    """One field: a label and a value.

    A value of text is formatted by passflow. A field with a date, time, number or currency style is handed over typed
    and formatted by the phone; its value is then exactly one member field, such as `"{points}"`.
    """

    key: Key = Described(description="Name of the field, unique in the pass; keep it, diffs and alerts go by it.")
    label: Text | None = Described(None, description="Label above the value.")
    value: Text = Described(description='The value, with member fields in braces, such as `"{points:,}"`.')
    change_message: Text | None = Described(
        None, description="Notification when the value changes; `%@` stands for the new value. Without it, no alert."
    )
    when_empty: Literal["omit", "keep"] | EmptyText = Described(
        "omit", description="A field without a value: `omit` it, `keep` it blank, or show `{text: …}`."
    )
    attributed: Text | None = Described(
        None, description="The value with links, only `<a href>`; `value` stays its text."
    )
    align: Literal["left", "center", "right", "natural"] | None = Described(
        None, description="Alignment; not for primary and back fields."
    )
    date_style: Style | None = Described(None, description="Let the phone format the date.")
    time_style: Style | None = Described(None, description="Let the phone format the time of day.")
    relative: bool | None = Described(None, description="Show the date relative to now, such as `tomorrow`.")
    ignore_time_zone: bool | None = Described(None, description="Show the time as in its own zone, not the phone's.")
    number_style: Literal["decimal", "percent", "scientific", "spell_out"] | None = Described(
        None, description="Let the phone format the number."
    )
    currency_code: str | None = Described(
        None, description="Let the phone format an amount: an ISO 4217 code, or a member field such as `{currency}`."
    )
    data_detectors: tuple[Literal["phone", "link", "address", "calendar"], ...] | None = Described(
        None, description="What the phone turns into links in a back field; an empty list turns all off."
    )
    row: Literal[0, 1] | None = Described(None, description="Row of an auxiliary field of an event ticket.")
    semantics: dict[str, Any] | None = Described(
        None, description="Apple's semantic tags of this field; texts may hold member fields."
    )

    @property
    def dated(self) -> bool:
        """Whether the phone formats the value as a date or time."""
        return any(
            option is not None for option in (self.date_style, self.time_style, self.relative, self.ignore_time_zone)
        )

    @property
    def numeric(self) -> bool:
        """Whether the phone formats the value as a number or amount."""
        return self.number_style is not None or self.currency_code is not None


class Link(Part):
    """A link on the back of the pass."""

    key: Key = Described(description="Name of the field, unique in the pass.")
    label: Text | None = Described(None, description="Label above the link.")
    url: str = Described(description="An https, tel or mailto URL; values of member fields in it are percent-encoded.")
    text: Text | None = Described(None, description="What is shown in place of the URL.")
