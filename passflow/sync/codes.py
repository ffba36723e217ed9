"""Why a row of the master system was refused: every code, with its cause and the way out.

A refused row is kept, encrypted, and never deletes its member's pass. The documentation is made from this table.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RowCode:
    """What one code means to the people who look after the master system.

    Args:
        cause: what is wrong with the row, in one sentence.
        fix: what to do about it, as an imperative sentence.
    """

    cause: str
    fix: str


ROW_CODES: dict[str, RowCode] = {
    "id.missing": RowCode(
        "The row has no external id, so it belongs to nobody.",
        "Fill the id in the master system, or leave such rows out of the query; until then no pass is deleted.",
    ),
    "id.too_long": RowCode(
        "The external id is longer than 120 characters.",
        "Map a shorter identifier that is unique and never changes.",
    ),
    "id.duplicate": RowCode(
        "Several rows carry the same external id with different content; all of them are refused.",
        "Make the id unique at the master system, or let the query return one row for each member.",
    ),
    "id.case_variant": RowCode(
        "The external id differs from another member's only in upper and lower case.",
        "Correct the id at the master system; ids are case-sensitive, but two that look alike are a mistake.",
    ),
    "value.not_shown": RowCode(
        "A value cannot be shown by the template: a lookup lacks it, or it is too long for its place.",
        "Add it to the lookup, or correct the value at the master system; `passflow one ID` shows the field.",
    ),
    "date.unreadable": RowCode(
        "A date or time fits none of the formats of its field.",
        "Correct the value, or name its format under `formats:` (or `unit: s` or `ms` for a number) in the mapping.",
    ),
    "number.unreadable": RowCode(
        "A number is not a plain, finite number of the field's type.",
        "Correct the value, or set `thousands:` and `decimal_mark:` for the field in the mapping.",
    ),
    "boolean.unreadable": RowCode(
        "A yes-or-no value is neither true/false, yes/no, y/n, on/off nor 1/0.",
        "Correct the value, or translate it with `table:` in the mapping.",
    ),
    "phone.unreadable": RowCode(
        "A phone number cannot be written as an international number (+, country, number).",
        "Correct the number, or remove `calling_code:` from the field to pass numbers on as they are.",
    ),
    "locale.unreadable": RowCode(
        "A locale is not a language tag such as `de` or `de-AT`.",
        "Correct the value, or translate it with `table:` in the mapping.",
    ),
    "currency.unreadable": RowCode(
        "A currency is not a code of three letters such as EUR.",
        "Correct the value, or translate it with `table:` in the mapping.",
    ),
    "currency.missing": RowCode(
        "An amount in minor units comes without its currency, so its decimal point is unknown.",
        "Fill the currency in the master system, or map it as a constant: `currency: {value: EUR}`.",
    ),
    "value.too_long": RowCode(
        "A text is longer than its field allows.",
        "Shorten the value, or raise `max_length:` of the field in the mapping.",
    ),
    "value.unknown": RowCode(
        "A value is neither in the field's `table:` nor among the statuses of `lifecycle:`.",
        "Add the value to the table, or set `unknown: keep` for the field.",
    ),
    "value.control_character": RowCode(
        "A text contains a NUL or another control character.",
        "Remove the character at the master system; it often comes from a broken import or a wrong encoding.",
    ),
    "member.erased": RowCode(
        "The member was erased from passflow on request; the master system still has the row.",
        "Erase the member in the master system too, or readmit the member on purpose with `passflow readmit`.",
    ),
}
