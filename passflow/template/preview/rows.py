"""Rows of fields: columns as wide as their text asks for, spread over the line, shrunk fairly when it is too short."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from passflow.template.preview.canvas import Canvas
from passflow.template.preview.colors import Color
from passflow.template.preview.model import Shown
from passflow.template.preview.text import fit, width

GAP: Final = 14


@dataclass(frozen=True, slots=True)
class Type:
    """Sizes of a row, in points: of the label, the value, and the value's smallest before it is cut."""

    label: float
    value: float
    smallest: float
    weight: int = 400
    leading: float = 5

    @property
    def height(self) -> float:
        """From the top of the label to the foot of the value."""
        return self.label + self.leading + self.value


HEADER: Final = Type(10, 18, 12)
SECONDARY: Final = Type(10.5, 18, 12)
AUXILIARY: Final = Type(10.5, 16, 11)


def draw_row(
    canvas: Canvas,
    fields: Sequence[Shown],
    box: tuple[float, float, float],
    kind: Type,
    colors: tuple[Color, Color],
    *,
    trailing: bool = False,
) -> None:
    """Draws fields side by side.

    Args:
        canvas: where to.
        fields: at least one of them with text, or nothing is drawn.
        box: left, top and width in points.
        kind: text sizes.
        colors: of labels and of values.
        trailing: True pushes the columns to the right, as in a header.
    """
    left, top, room = box
    shown = [field for field in fields if field.label or field.value]
    if not shown:
        return
    columns = _columns(shown, room, kind, spread=not trailing)
    used = sum(columns) + GAP * (len(columns) - 1)
    space = GAP + (max(0.0, room - used) / (len(columns) - 1) if len(columns) > 1 and not trailing else 0)
    x = left + max(0.0, room - used) if trailing else left
    for field, column in zip(shown, columns, strict=True):
        anchor = "end" if trailing and field.anchor == "start" and field is shown[-1] else field.anchor
        draw_field(canvas, field, (x, top, column), kind, colors, anchor=anchor)
        x += column + space


def draw_field(
    canvas: Canvas,
    field: Shown,
    box: tuple[float, float, float],
    kind: Type,
    colors: tuple[Color, Color],
    *,
    anchor: str = "start",
) -> None:
    """Draws one field, its label in small capitals above its value."""
    left, top, room = box
    x = left + {"start": 0.0, "middle": room / 2, "end": room}[anchor]
    label, label_size = fit(field.label.upper(), room, kind.label, 600, kind.label * 0.85)
    canvas.text(x, top + kind.label, label, label_size, colors[0], weight=600, anchor=anchor)
    value, size = fit(field.value, room, kind.value, kind.weight, kind.smallest)
    baseline = top + kind.height - 1 - (kind.value - size) * 0.3
    canvas.text(x, baseline, value, size, colors[1], weight=kind.weight, anchor=anchor)


def _columns(fields: Sequence[Shown], room: float, kind: Type, *, spread: bool) -> list[float]:
    wanted = [
        max(width(field.label.upper(), kind.label, 600), width(field.value, kind.value, kind.weight), 12) + 0.5
        for field in fields
    ]
    free = room - GAP * (len(fields) - 1)
    if spread and len(fields) == 1:
        return [free]
    if sum(wanted) <= free:
        return wanted
    # narrow columns keep what they ask for, wide ones share the rest equally
    order = sorted(range(len(wanted)), key=lambda index: wanted[index])
    columns = [0.0] * len(wanted)
    for place, index in enumerate(order):
        columns[index] = min(wanted[index], max(8.0, free / (len(order) - place)))
        free -= columns[index]
    return columns
