"""The image library on the command line."""

import hashlib

import pytest

from passflow_tests.cli.conftest import icon


def picture(project, content=None):
    path = project.folder / "picture.png"
    path.write_bytes(icon() if content is None else content)
    return path


def test_an_image_gets_a_name_that_templates_may_use(project):
    assert project.run("image", "list").out.startswith("The library is empty")
    added = project.run("image", "add", "club-icon", picture(project), "--json").json
    assert added["hash"] == hashlib.sha256(icon()).hexdigest()
    assert (added["width"], added["height"]) == (114, 114)
    assert "club-icon" in project.run("image", "list").out
    (listed,) = project.run("image", "list", "--json").json["images"]
    assert (listed["name"], listed["media_type"], listed["size"]) == ("club-icon", "image/png", len(icon()))
    path = project.folder / "programs" / "club" / "defs.yaml"
    path.write_text(path.read_text().replace("icon: icon.png", "icon: 'library:club-icon'"))
    assert project.run("plan").status == 2
    assert project.run("apply").status == 0


@pytest.mark.parametrize("content", [b"", b"text", icon()[:60], b"GIF89a", b"\x89PNG\r\n\x1a\n" + b"\x00" * 100])
def test_what_is_no_image_is_refused(project, content):
    ended = project.run("image", "add", "broken", picture(project, content))
    assert ended.status == 1
    assert ended.err.startswith("error[image.")
    assert project.run("image", "list", "--json").json["images"] == []


@pytest.mark.parametrize("name", ["Icon", "a/b", "../x", "", "-x", "x" * 200, "ü"])
def test_names_are_of_a_closed_alphabet(project, name):
    ended = project.run("image", "add", "--", name, picture(project))
    assert ended.status == 1
    assert "error[asset.name]" in ended.err


def test_a_file_that_is_not_there(project):
    assert "error[image.unreadable]" in project.run("image", "add", "x", "gone.png").err


def test_a_file_name_is_no_markup(project):
    path = project.folder / "[red]x[ .png"
    path.write_bytes(icon())
    assert "[red]x[ .png" in project.run("image", "add", "odd", path).out
