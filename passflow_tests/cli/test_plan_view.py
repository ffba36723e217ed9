"""A plan as people read it: complete, masked as it came, and safe with whatever a master system holds."""

import io
import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from passflow.cli.output import to_json
from passflow.cli.plan import exit_status
from passflow.cli.plan_view import plan_document, shown, write_plan
from passflow.model import Counts, Kind, Outcome, Plan, PlanStatus, Proof, Status, Withholding
from passflow.sync.explain import ExplainedOperation, ExplainedRefusal, Explanation, FieldChange

PLAN = Plan(
    plan_id="0123456789abcdef",
    program="gold",
    status=PlanStatus.READY,
    observed_at=1_790_000_000_000_000,
    template_revision="r1",
    template_changed=False,
    proof=Proof(complete=True, rows=2_500, reason="the control file agrees"),
    counts=Counts(
        rows=2_500, creates=1, updates=1, deletes=1, unchanged=2_496, refused=1, ringing=3, phones=9, live=2_499
    ),
    refusals={"date.unreadable": 1},
    withheld=(),
)
CREATE = ExplainedOperation(
    Kind.CREATE, "A…1", None, None, Status.ACTIVE, (), (), None, Outcome.PENDING, None
)  # fmt: skip
UPDATE = ExplainedOperation(
    Kind.UPDATE, "B…2", "5e" * 20, Status.ACTIVE, Status.VOIDED, (FieldChange("points", "1", "2", True), FieldChange("tier", None, "Gold", False)),
    (), None, Outcome.PENDING, None,
)  # fmt: skip
DELETE = ExplainedOperation(
    Kind.DELETE, "C…3", "7f" * 20, Status.ACTIVE, Status.DELETED, (), (), None, Outcome.PENDING, None
)  # fmt: skip
REFUSAL = ExplainedRefusal(17, "date.unreadable", "expires_at", "s…n", "D…4")


def explained(*operations, refusals=(), cut=None, plan=PLAN):
    return Explanation(plan, tuple(operations), cut or {}, tuple(refusals), 0)


def written(plan, explanation, **options):
    stream = io.StringIO()
    write_plan(Console(file=stream, width=120), plan, explanation, **options)
    return stream.getvalue()


def test_a_whole_plan_reads_like_this():
    text = written(PLAN, explained(CREATE, UPDATE, DELETE, refusals=[REFUSAL], cut={Kind.UPDATE: 7}))
    assert (
        text
        == """\
gold  plan 0123456789abcdef, read 2026-09-21 14:13 UTC
2,500 rows, proved complete: the control file agrees

+ create   ~ update   - delete   x refused row

  + member A…1  pass (assigned on issue)  active

  ~ member B…2  pass 5e5e5e5e5e5e  active → voided
      points: "1" → "2"  rings
      tier: (empty) → "Gold"
    … and 7 more updates (--limit shows more)

  - member C…3  pass 7f7f7f7f7f7f  active → deleted

  x row 17  member D…4 expires_at "s…n": date.unreadable

Plan: 1 to create, 1 to update, 1 to delete; 2,496 unchanged, 1 refused, 0 withheld.
  1 pass becomes billable.
  3 of 9 phones would show a notification.
  Refused: 1 date.unreadable. A refused row never deletes its member's pass.
Apply it with: passflow apply gold
"""
    )


def test_what_is_withheld_has_its_own_sign_and_box():
    held = Withholding(
        Kind.DELETE, "deletes.share", 300, "10 and 10 %", "300 of 900 live passes would be deleted.", "x"
    )
    plan = replace(PLAN, withheld=(held,), counts=replace(PLAN.counts, deletes=300))
    text = written(plan, explained(replace(DELETE, withheld="deletes.share"), plan=plan))
    assert "! delete member C…3" in text
    assert "- delete" not in text.split("\n\n")[1]
    assert "Guard: 300 deletes withheld" in text
    assert "300 of 900 live passes would be deleted." in text
    assert "Rule deletes.share; limit: 10 and 10 %." in text
    assert "passflow approve 0123456789abcdef delete 300" in text
    assert "Apply it with: passflow apply gold; what is withheld stays as it is" in text


def test_advice_can_be_left_out():
    assert "Apply it with" not in written(PLAN, explained(CREATE), advise=False)


def test_a_changed_template_is_announced():
    plan = replace(PLAN, template_changed=True)
    assert "The template has changed" in written(plan, explained(plan=plan))


def test_changes_that_do_not_show_name_their_fields():
    silent = replace(UPDATE, changes=(), silent=("email", "phone"))
    assert "not on the pass: email, phone" in written(PLAN, explained(silent))


@pytest.mark.parametrize(
    ("counts", "withheld", "status"),
    [
        (Counts(rows=5, unchanged=5), (), 0),
        (Counts(rows=5, refused=5), (), 0),
        (Counts(creates=1), (), 2),
        (Counts(updates=1), (), 2),
        (Counts(deletes=1), (), 2),
        (Counts(deletes=1), (Withholding(Kind.DELETE, "r", 1, "l", "why", "h"),), 3),
        (Counts(creates=9, deletes=1), (Withholding(Kind.DELETE, "r", 1, "l", "why", "h"),), 3),
    ],
)
def test_exit_status(counts, withheld, status):
    assert exit_status(replace(PLAN, counts=counts, withheld=withheld)) == status


def test_as_a_document_everything_is_there_and_times_are_iso():
    document = json.loads(
        to_json(plan_document(PLAN, explained(CREATE, UPDATE, refusals=[REFUSAL], cut={Kind.CREATE: 4}), 2))
    )
    assert document["observed_at"] == "2026-09-21T14:13:20Z"
    assert document["exit_status"] == 2
    assert document["operations"][0]["serial"] is None
    assert document["operations"][0]["billable"] is True
    assert document["operations"][1]["changes"][1] == {"key": "tier", "old": None, "new": "Gold", "rings": False}
    assert document["operations_cut"] == {"create": 4}
    assert document["refused_rows"][0]["code"] == "date.unreadable"


hostile = st.text(st.characters(codec="utf-8"), max_size=30) | st.sampled_from(
    [
        "[bold]x[/bold]",
        "[/]",
        "\\[",
        "\\",
        "[red",
        "]",
        "\x1b[2J\x1b]0;owned\x07",
        "a\nb\rc",
        "\u202egnp.exe",
        "\x9b31m",
    ]
)


@settings(max_examples=200, deadline=None)
@given(hostile, hostile, hostile)
def test_values_of_the_master_system_neither_break_nor_steer_the_terminal(first, second, third):
    operation = replace(UPDATE, external_id=first, changes=(FieldChange("points", second, third, True),))
    text = written(PLAN, explained(operation, refusals=[replace(REFUSAL, value=second, external_id=third)]))
    assert "\x1b" not in text
    assert "\x9b" not in text
    assert "\x07" not in text
    assert len(text.splitlines()) == len(
        written(
            PLAN,
            explained(
                replace(operation, external_id="x", changes=(FieldChange("points", "x", "x", True),)),
                refusals=[REFUSAL],
            ),
        ).splitlines()
    )


@settings(deadline=None)
@given(hostile)
def test_what_can_be_printed_is_printed_as_it_is(text):
    stream = io.StringIO()
    Console(file=stream, width=500).print(shown(text), highlight=False, soft_wrap=True)
    expected = "".join(letter if letter.isprintable() else "\ufffd" for letter in text)
    assert stream.getvalue() == expected + "\n"
