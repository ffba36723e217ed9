"""Broken exports: each ends in a clear error, or in refused rows; no pass changes, whatever the file holds."""

from __future__ import annotations

import gzip

import pytest

from passflow_tests.hostile.conftest import HEADER, ROWS, refused

TEN_MEGABYTES = "x" * 10_000_000


def lines(*rows: str) -> str:
    return "\n".join([HEADER, *rows]) + "\n"


BROKEN_FILES = {
    "empty": (b"", "source.empty"),
    "only line ends": (b"\n\n\n", None),
    "semicolons": (lines(*ROWS).replace(",", ";"), "source.delimiter"),
    "tabs": (lines(*ROWS).replace(",", "\t"), "source.delimiter"),
    "column missing": (lines(*ROWS).replace("points", "poinst"), "source.column_missing"),
    "column twice": ("\n".join(f"{row},points" for row in (HEADER, *ROWS)) + "\n", "source.column_ambiguous"),
    "half a header": (HEADER, "source.row_unreadable"),
    "too many cells": (lines(*ROWS[:3], ROWS[3] + ",1,2,3", *ROWS[4:]), "source.row_unreadable"),
    "too few cells": (lines(*ROWS[:3], "M-00003,Member 3", *ROWS[4:]), "source.row_unreadable"),
    "cut in a row": (lines(*ROWS)[:-20], "source.row_unreadable"),
    "utf-16": (lines(*ROWS).encode("utf-16"), "source.encoding"),
    "latin-1": (lines(*ROWS).replace("Member 2", "Zoë").encode("latin-1"), "source.encoding"),
    "an archive": (b"PK\x03\x04" + bytes(range(256)) * 40, None),
    "html": ("<!doctype html><title>Please sign in</title>\n", None),
    "json": ('[{"id": "M-00001"}]\n', None),
    "10 MB cell": (lines(*ROWS[:2], ROWS[2].replace("Member 2", TEN_MEGABYTES)), "source.row_too_long"),
    "a quote that is never closed": (lines(*ROWS[:2], ROWS[2].replace("Member 2", '"Member 2'), *ROWS[3:]), None),
}


@pytest.mark.parametrize("what", BROKEN_FILES)
def test_a_broken_file_is_an_error_and_changes_nothing(house, what):
    content, code = BROKEN_FILES[what]
    before = house.dump()
    house.write(content)
    if code is None:
        from passflow.errors import SourceError

        with pytest.raises(SourceError) as caught:
            house.plan()
        assert caught.value.error_code.startswith("source.") and caught.value.fix
    else:
        refused(house.plan, code)
    assert house.dump() == before


def test_a_missing_file_and_one_that_cannot_be_reached(house):
    before = house.dump()
    house.members.unlink()
    refused(house.plan, "source.missing")
    house.members.mkdir()
    refused(house.plan, "source.missing")
    assert house.dump() == before


def test_a_compressed_file_that_was_cut_off(house):
    before = house.dump()
    whole = gzip.compress(lines(*ROWS).encode(), mtime=0)
    (house.folder / "members.csv.gz").write_bytes(whole[:-12])
    house.source = {"path": "members.csv.gz"}
    refused(house.plan, "source.incomplete")
    (house.folder / "members.csv.gz").write_bytes(b"not compressed at all")
    with pytest.raises(Exception, match=r"members\.csv\.gz") as caught:
        house.plan()
    assert caught.type.__name__ in {"SourceError", "IncompleteRead"}
    assert house.dump() == before


def test_a_header_alone_deletes_nobody(house):
    before = house.dump(passes_only=True)
    (house.folder / "rows.txt").write_text("0\n")
    house.write(HEADER + "\n")
    plan = house.night()
    assert (plan.counts.rows, plan.counts.deletes) == (0, 6)
    assert [item.rule for item in plan.withheld] == ["deletes.empty_read"]
    assert house.dump(passes_only=True) == before


def test_a_file_shorter_than_its_control_count_deletes_nobody(house):
    before = house.dump(passes_only=True)
    house.write(ROWS[:3])
    (house.folder / "rows.txt").write_text("6\n")
    plan = house.night()
    assert [item.rule for item in plan.withheld] == ["deletes.unproved"]
    assert house.dump(passes_only=True) == before


OTHER = ROWS[:1] + ROWS[2:]
BAD_ROWS = {
    "duplicate id": ([*ROWS, ROWS[1].replace("Member 1", "Mallory")], {"id.duplicate": 2}),
    "id in other case": ([*OTHER, ROWS[1].replace("M-", "m-")], {"id.case_variant": 1}),
    "both cases": ([*ROWS, ROWS[1].replace("M-", "m-")], {"id.case_variant": 1}),
    "id with white space, another row": ([*ROWS, "  M-00001\u00a0,Mallory,1,gold,A,"], {"id.duplicate": 2}),
    "numbers in words": ([*OTHER, "M-00001,Member 1,twelve,gold,A,"], {"number.unreadable": 1}),
    "a number with its unit": ([*OTHER, "M-00001,Member 1,12 points,gold,A,"], {"number.unreadable": 1}),
    "1e400": ([*OTHER, "M-00001,Member 1,1e400,gold,A,"], {"number.unreadable": 1}),
    "infinity": ([*OTHER, "M-00001,Member 1,inf,gold,A,"], {"number.unreadable": 1}),
    "not a number": ([*OTHER, "M-00001,Member 1,NaN,gold,A,"], {"number.unreadable": 1}),
    "a fraction of a point": ([*OTHER, "M-00001,Member 1,1.5,gold,A,"], {"number.unreadable": 1}),
    "a number of 400 digits": ([*OTHER, f"M-00001,Member 1,{'9' * 400},gold,A,"], {"number.unreadable": 1}),
    "NUL in a name": ([*OTHER, "M-00001,Mem\0ber,1,gold,A,"], {"value.control_character": 1}),
    "an escape sequence": ([*OTHER, "M-00001,\x1b[31mMember,1,gold,A,"], {"value.control_character": 1}),
    "a long name": ([*OTHER, f"M-00001,{'x' * 500_000},1,gold,A,"], {"value.too_long": 1}),
    "a date of no kind": ([*OTHER, "M-00001,Member 1,1,gold,A,Jan-31-90"], {"date.unreadable": 1}),
    "a day that does not exist": ([*OTHER, "M-00001,Member 1,1,gold,A,2090-02-30"], {"date.unreadable": 1}),
    "an unknown status": ([*OTHER, "M-00001,Member 1,1,gold,?,"], {"value.unknown": 1}),
}


@pytest.mark.parametrize("what", BAD_ROWS)
@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_a_bad_row_is_refused_and_its_pass_stays(house, what):
    rows, codes = BAD_ROWS[what]
    before = house.dump(passes_only=True)
    house.write(rows)
    plan = house.night()
    assert dict(plan.refusals) == codes
    assert (plan.counts.creates, plan.counts.updates, plan.counts.deletes) == (0, 0, 0)
    assert house.dump(passes_only=True) == before


NAMELESS = {
    "no id": ([*ROWS[:5], ",Member 5,5,gold,A,"], {"id.missing": 1}),
    "white space for an id": ([*ROWS[:5], "\u00a0 ,Member 5,5,gold,A,"], {"id.missing": 1}),
    "NUL in an id": ([*ROWS[:5], "M-\0005,Member 5,5,gold,A,"], {"value.control_character": 1}),
    "an endless id": ([*ROWS[:5], f"{'M' * 5000},Member 5,5,gold,A,"], {"id.too_long": 1}),
}


@pytest.mark.parametrize("what", NAMELESS)
def test_a_row_of_nobody_withholds_every_delete(house, what):
    rows, codes = NAMELESS[what]
    before = house.dump(passes_only=True)
    house.write(rows)
    plan = house.night()
    assert dict(plan.refusals) == codes
    assert [item.rule for item in plan.withheld] == ["deletes.unattributed"]
    assert house.dump(passes_only=True) == before


def test_dates_of_five_kinds_mean_the_same_day(house):
    kinds = ["2090-01-31", "31.01.2090", "01/31/2090", "20900131", "31 Jan 2090"]
    until = {"column": "until", "formats": ["%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y", "%Y%m%d", "%d %b %Y"]}
    members = {
        "external_id": "id", "display_name": "name", "points": {"column": "points", "type": "integer"},
        "tier": "tier", "status": "state", "expires_at": until,
    }  # fmt: skip
    house.blocks = {"members": members}
    rows = [row + kind for row, kind in zip(ROWS, [*kinds, "the last of January"], strict=True)]
    house.write(rows)
    plan = house.night()
    assert (plan.counts.updates, dict(plan.refusals)) == (5, {"date.unreadable": 1})
    from sqlalchemy import select

    from passflow.store.tables import passes

    with house.store.read() as conn:
        due = set(conn.execute(select(passes.c.due_at).where(passes.c.due_at.is_not(None))).scalars())
    assert due == {3_789_590_400_000_000}  # 2090-02-01T00:00:00Z, from `date -u -d 2090-02-01 +%s`


def test_after_every_bad_night_a_good_one_works_as_ever(house):
    for content, _ in list(BROKEN_FILES.values())[:6]:
        house.write(content)
        with pytest.raises(Exception, match="→"):
            house.plan()
    house.write([row.replace(",gold,", ",silver,").replace(",5,", ",55,") for row in ROWS])
    plan = house.night()
    assert (plan.counts.updates, plan.withheld) == (6, ())
