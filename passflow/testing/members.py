"""Demo members: two invented customer bases, the same on every machine and on every run.

``python -m passflow.testing.members FOLDER`` writes the files that ``data/`` holds. *gold* is a loyalty club over three
nights: a first load, a normal night, and an export that went wrong. *festival* is one ticket sale. The rows carry what
real exports carry: accents, missing e-mails, a member twice, a date that is no date.
"""

from __future__ import annotations

import csv
import io
import json
import sys
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Final

from passflow.testing.names import PEOPLE, People

Row = dict[str, str]

GOLD_COLUMNS: Final = (
    "member_no", "first_name", "last_name", "email", "mobile", "points", "credit_cents", "tier", "state",
    "joined", "valid_to", "language", "store_no",
)  # fmt: skip
GOLD_MEMBERS: Final = 2_480
FESTIVAL_TICKETS: Final = 640
STORES: Final = ("101", "114", "127", "203", "218", "305", "411")
_TODAY: Final = date(2026, 9, 1)
_LUHN_DOUBLED: Final = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def gold_night(night: int) -> list[Row]:
    """Rows of the club's export of one night, in the order of the export.

    Args:
        night: 1 a first load with three bad rows; 2 a normal night: points, tiers, joins, cancellations, one member
            twice with other content, one unreadable date; 3 an export that failed after its header: no rows.

    Raises:
        ValueError: there is no such night.
    """
    if night == 3:
        return []
    if night not in (1, 2):
        raise ValueError(f"there are nights 1 to 3, not {night}")
    rng = Random(20_260_901)
    rows = [_gold_member(rng, number) for number in range(GOLD_MEMBERS)]
    return _first_night(rows) if night == 1 else _second_night(rows)


def festival_tickets() -> list[dict[str, object]]:
    """Records of the festival's ticket shop, as its JSON export holds them: numbers stay numbers."""
    rng = Random(20_270_709)
    tickets: list[dict[str, object]] = []
    for number in range(FESTIVAL_TICKETS):
        people = _pick_people(rng)
        given, family = rng.choice(people.given), rng.choice(people.family)
        kind = rng.choices(("DAY", "WEEKEND", "VIP", "CREW"), (30, 52, 14, 4))[0]
        tickets.append(
            {
                "ticket": f"LF-{number:05d}-{_check_digit(str(number))}",
                "given": given,
                "family": family,
                "language": people.locale,
                "email": _email(rng, given, family, number),
                "kind": kind,
                "gate": rng.choice("ABC"),
                "camp": f"{rng.choice('NESW')}{rng.randrange(1, 90)}" if kind != "DAY" else None,
                "price_cents": {"DAY": 7_900, "WEEKEND": 18_900, "VIP": 34_900, "CREW": 0}[kind],
                "state": rng.choices(("paid", "cancelled", "used"), (96, 3, 1))[0],
                "doors": "2031-07-11T14:00:00+02:00",
            }
        )
    return tickets


def to_csv(columns: Sequence[str], rows: Sequence[Mapping[str, str]]) -> bytes:
    """CSV as RFC 4180 has it, but with LF line ends: header, quotes only where needed, a final line end."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def to_jsonl(records: Sequence[Mapping[str, object]]) -> bytes:
    """One JSON object per line, UTF-8, not escaped."""
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records).encode()


def demo_files() -> dict[str, bytes]:
    """Every generated file of ``data/``: path below that folder to content. Control files hold the row count."""
    files: dict[str, bytes] = {}
    for night in (1, 2, 3):
        rows = gold_night(night)
        files[f"gold/members-night-{night}.csv"] = to_csv(GOLD_COLUMNS, rows)
        files[f"gold/members-night-{night}.csv.count"] = f"{len(rows)}\n".encode()
    tickets = festival_tickets()
    files["festival/tickets.jsonl"] = to_jsonl(tickets)
    files["festival/tickets.jsonl.count"] = f"{len(tickets)}\n".encode()
    return files


def _gold_member(rng: Random, number: int) -> Row:
    people = _pick_people(rng)
    given, family = rng.choice(people.given), rng.choice(people.family)
    points = int(rng.paretovariate(1.1) * 90) % 48_000
    joined = _TODAY - timedelta(days=rng.randrange(20, 3_900))
    ended = rng.random() < 0.02
    valid_to = date(2025, 12, 31) if ended else date(2031 + rng.randrange(5), 12, 31)
    # the old till system wrote German dates, the new one ISO: both are still in the table
    written = valid_to.strftime("%d.%m.%Y") if number % 5 == 0 else valid_to.isoformat()
    return {
        "member_no": _member_no(number),
        "first_name": given,
        "last_name": family,
        "email": _email(rng, given, family, number),
        "mobile": _phone(rng, people),
        "points": str(points),
        "credit_cents": str(rng.randrange(0, 9_000, 50)) if rng.random() < 0.35 else "",
        "tier": "P" if points > 6_000 else "G" if points > 1_500 else "S",
        "state": rng.choices(("A", "B"), (985, 15))[0],
        "joined": joined.isoformat(),
        "valid_to": written,
        "language": people.locale,
        "store_no": rng.choice(STORES),
    }


def _first_night(rows: list[Row]) -> list[Row]:
    bad = [dict(rows[0], member_no=_member_no(9_000 + each), email="") for each in range(3)]
    bad[0]["member_no"] = ""  # belongs to nobody: nothing may be deleted while it stands there
    bad[1]["valid_to"] = "31.02.2031"
    bad[2]["last_name"] = "Ipsum " * 200
    return [*rows[:700], bad[0], *rows[700:1_600], *bad[1:], *rows[1_600:]]


def _second_night(rows: list[Row]) -> list[Row]:
    rng = Random(20_260_902)
    live = [dict(row) for row in rows]
    for row in live:
        if rng.random() < 0.11:
            row["points"] = str(int(row["points"]) + rng.choice((5, 20, 60, 150, 400)))
    for row in live[40:52]:
        row["tier"] = "D"  # a tier that marketing invented this afternoon
    for row in rng.sample(live, 9):
        row["state"] = "X"
    gone = {row["member_no"] for row in rng.sample(live, 7)}
    live[1_234]["valid_to"] = "soon"
    joined = [_gold_member(rng, GOLD_MEMBERS + number) for number in range(37)]
    twin = dict(live[1_500], points="999999")
    return [*(row for row in live if row["member_no"] not in gone), *joined, twin]


def _pick_people(rng: Random) -> People:
    return rng.choices(PEOPLE, [people.share for people in PEOPLE])[0]


def _member_no(number: int) -> str:
    """A card number with leading zeros and a Luhn digit (ISO/IEC 7812-1 annex B): text, never a number."""
    digits = f"0049{17_000_000 + number * 37:011d}"
    return digits + _check_digit(digits)


def _check_digit(digits: str) -> str:
    total = sum(
        _LUHN_DOUBLED[int(digit)] if place % 2 == 0 else int(digit) for place, digit in enumerate(reversed(digits))
    )
    return str(-total % 10)


def _email(rng: Random, given: str, family: str, number: int) -> str:
    if rng.random() < 0.12:
        return ""
    plain = unicodedata.normalize("NFKD", f"{given}.{family}".replace("ł", "l").replace("Ł", "L").replace("ı", "i"))
    local = "".join(letter for letter in plain.lower() if letter.isascii() and letter not in "' ")
    return f"{local.strip('.-')}{number}@example.{rng.choice(('com', 'net', 'org'))}"


def _phone(rng: Random, people: People) -> str:
    if not people.phone or rng.random() < 0.2:
        return ""
    return people.phone.format(f"{rng.randrange(10**people.digits):0{people.digits}d}")


def main(folder: Path) -> None:
    """Writes the generated files below a folder."""
    for name, content in demo_files().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "data"))
