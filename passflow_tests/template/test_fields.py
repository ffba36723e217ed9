"""What fields show without a wallet, which changes ring, and where images are."""

from __future__ import annotations

import pytest

from passflow.errors import TemplateError
from passflow.model import Value
from passflow.template import personal_images, render_fields, required_fields, rings, shared_images
from passflow_tests.template.designs import MEMBER, compiled

TEMPLATE = """
style: storeCard
header: [{key: points, value: "{points:,}", change_message: "%@ points"}]
primary: [{key: name, value: "{given_name}"}]
secondary: [{key: tier, value: "{tier}", change_message: "Now %@", when_empty: {text: none}}, {key: when, value: "{joined}", date_style: short}]
back: [{key: terms, value: Terms}]
links: [{key: web, url: "https://x.example/{external_id}"}]
"""  # fmt: skip


def test_fields_come_in_the_order_of_the_pass() -> None:
    assert list(render_fields(compiled(TEMPLATE), MEMBER).items()) == [
        ("points", "12.345"),
        ("name", "Zoë"),
        ("tier", "gold"),
        ("when", "2026-01-31T00:00:00+00:00"),
        ("terms", "Terms"),
        ("web", "https://x.example/M-1001"),
    ]
    assert render_fields(compiled(TEMPLATE), {}) == {"tier": "none", "terms": "Terms"}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, []),
        ({"given_name": "Zoe"}, []),
        ({"points": 1}, ["points"]),
        ({"points": 1, "tier": "silver"}, ["points", "tier"]),
        ({"tier": None}, ["tier"]),
        ({"points": None}, []),
    ],
)
def test_a_change_rings_where_the_field_has_a_message(change: dict[str, Value], expected: list[str]) -> None:
    made = compiled(TEMPLATE)
    old, new = render_fields(made, MEMBER), render_fields(made, {**MEMBER, **change})
    assert rings(made, old, new) == expected


def test_a_field_that_appears_rings_and_a_new_pass_does_not() -> None:
    made = compiled(TEMPLATE)
    new = render_fields(made, MEMBER)
    assert rings(made, render_fields(made, {**MEMBER, "points": None}), new) == ["points"]
    assert rings(made, {}, new) == []


IMAGES = """
style: eventTicket
images: {icon: i.png, icon@2x: i2.png, logo: "library:logo", background: "{photo_url}", thumbnail: "faces/{tier}.png",
         artwork: "https://img.example/{given_name}.png", venueMap: "https://img.example/map.png"}
"""


def test_images_are_shared_or_personal() -> None:
    made = compiled(IMAGES)
    assert shared_images(made) == {
        "icon": "i.png", "icon@2x": "i2.png", "logo": "library:logo", "venueMap": "https://img.example/map.png"
    }  # fmt: skip
    assert personal_images(made, MEMBER) == {
        "background": "https://img.example/zoe.png",
        "thumbnail": "faces/gold.png",
        "artwork": "https://img.example/Zo%C3%AB.png",
    }
    assert personal_images(made, {}) == {}
    assert required_fields(made) == {"photo_url", "tier", "given_name", "locale"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("photo_url", "/etc/passwd"), ("photo_url", "file:///etc/passwd"), ("photo_url", "http://x.example/a.png"),
        ("photo_url", "library:secret"), ("photo_url", "https://"), ("photo_url", "https:///x"), ("tier", "../../etc/passwd"),
        ("tier", ".."), ("tier", "a/b"), ("tier", "a\\b"), ("tier", "a\x00b"), ("tier", ".hidden"), ("tier", "a\nb"),
    ],
)  # fmt: skip
def test_a_member_cannot_name_a_file(name: str, value: str) -> None:
    with pytest.raises(TemplateError) as caught:
        personal_images(compiled(IMAGES), {name: value})
    assert caught.value.error_code == "template.value"
    assert value not in str(caught.value)


def test_a_member_cannot_leave_a_url() -> None:
    images = personal_images(compiled(IMAGES), {"given_name": "../../x?y#z@evil.example"})
    assert images == {"artwork": "https://img.example/..%2F..%2Fx%3Fy%23z%40evil.example.png"}
