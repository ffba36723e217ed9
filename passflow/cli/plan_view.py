"""A plan for people, in Terraform's manner: legend, operations by kind, counts, the guard's box; and for machines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from rich.text import Text

from passflow.cli.times import iso_time, show_count, show_time
from passflow.model import Kind

if TYPE_CHECKING:
    from rich.console import Console
    from rich.panel import Panel

    from passflow.model import Plan, Withholding
    from passflow.sync.explain import ExplainedOperation, ExplainedRefusal, Explanation

SIGNS: Final = {Kind.CREATE: ("+", "green"), Kind.UPDATE: ("~", "yellow"), Kind.DELETE: ("-", "red")}
HELD: Final = ("!", "magenta")
REFUSED: Final = ("x", "red")
LEGEND: Final = {"+": "create", "~": "update", "-": "delete", "!": "withheld by the guard", "x": "refused row"}
EMPTY: Final = "(empty)"


def write_plan(console: Console, plan: Plan, explanation: Explanation, *, advise: bool = True) -> None:
    """Writes a plan for people; ``advise`` ends it with what to type next."""
    for line in (*_head(plan), *_body(explanation), *_sums(plan)):
        console.print(line, highlight=False, soft_wrap=True)
    for withholding in plan.withheld:
        console.print(guard_box(plan, withholding))
    if advise:
        console.print(_next_step(plan), highlight=False, soft_wrap=True)


def plan_document(plan: Plan, explanation: Explanation, exit_status: int) -> dict[str, Any]:
    """A plan for machines; what was cut from the operations and refusals is counted."""
    document = asdict(plan)
    document.update(observed_at=iso_time(plan.observed_at), exit_status=exit_status)
    document["operations"] = [
        {**asdict(each), "rings": each.rings, "billable": each.billable} for each in explanation.operations
    ]
    document["operations_cut"] = {kind.value: count for kind, count in explanation.operations_cut.items()}
    document["refused_rows"] = [asdict(each) for each in explanation.refusals]
    document["refused_rows_cut"] = explanation.refusals_cut
    return document


def shown(text: str) -> Text:
    """A value of the master system, safe on a terminal: it is no markup, and it holds no control sequences."""
    return Text("".join(letter if letter.isprintable() else "�" for letter in text))


def _line(*parts: str | Text) -> Text:
    """One line of our own words (as markup) and of values."""
    line = Text()
    for part in parts:
        line.append_text(part if isinstance(part, Text) else Text.from_markup(part))
    return line


def _head(plan: Plan) -> Iterator[str | Text]:
    proof = plan.proof
    proved = "[green]proved complete[/]" if proof.complete else "[yellow]not proved complete[/]"
    yield f"[bold]{plan.program}[/]  plan {plan.plan_id}, read {show_time(plan.observed_at)}"
    yield _line(f"{show_count(plan.counts.rows, 'row')}, {proved}: ", shown(proof.reason))
    if plan.template_changed:
        yield "The template has changed: passes are rendered anew, and the guard lets its updates ring."


def _body(explanation: Explanation) -> Iterator[str | Text]:
    used = {_sign(each)[0] for each in explanation.operations} | ({"x"} if explanation.refusals else set())
    if used:
        yield "\n" + "   ".join(f"[bold]{sign}[/] {LEGEND[sign]}" for sign in LEGEND if sign in used)
    for kind in Kind:
        shown = [each for each in explanation.operations if each.kind is kind]
        if shown:
            yield ""
        for each in shown:
            yield from _operation(each)
        if cut := explanation.operations_cut.get(kind):
            yield f"    [dim]… and {show_count(cut, f'more {kind.value}')} (--limit shows more)[/]"
    if explanation.refusals:
        yield ""
    for refusal in explanation.refusals:
        yield _refusal(refusal)
    if explanation.refusals_cut:
        yield f"    [dim]… and {show_count(explanation.refusals_cut, 'more refused row')}[/]"


def _sign(operation: ExplainedOperation) -> tuple[str, str]:
    return HELD if operation.withheld else SIGNS[operation.kind]


def _operation(operation: ExplainedOperation) -> Iterator[Text]:
    sign, style = _sign(operation)
    serial = operation.serial[:12] if operation.serial else "(assigned on issue)"
    kind = f" {operation.kind.value}" if operation.withheld else ""
    before, after = operation.status_before, operation.status_after
    change = "" if before is after else f"{before.value} → {after.value}" if before else after.value
    head = f"  [{style}]{sign}{kind}[/] member "
    yield _line(head, shown(operation.external_id), f"  pass {serial}{f'  {change}' if change else ''}")
    for field in operation.changes:
        rings = "  [yellow]rings[/]" if field.rings else ""
        yield _line(f"      {field.key}: ", _quoted(field.old), " → ", _quoted(field.new), rings)
    if operation.silent:
        yield _line(f"      [dim]not on the pass: {', '.join(operation.silent)}[/]")


def _quoted(value: str | None) -> Text:
    return Text(EMPTY) if value is None else _line('"', shown(value), '"')


def _refusal(refusal: ExplainedRefusal) -> Text:
    sign, style = REFUSED
    head = f"  [{style}]{sign}[/] row {refusal.row:,}  member "
    field = f" {refusal.field}" if refusal.field else ""
    value = _line(" ", _quoted(refusal.value)) if refusal.field and refusal.value else Text()
    return _line(head, shown(refusal.external_id), field, value, f": {refusal.code}")


def _sums(plan: Plan) -> Iterator[str]:
    counts = plan.counts
    held = sum(withholding.count for withholding in plan.withheld)
    yield (
        f"\n[bold]Plan:[/] {counts.creates:,} to create, {counts.updates:,} to update, {counts.deletes:,} to delete; "
        f"{counts.unchanged:,} unchanged, {counts.refused:,} refused, {held:,} withheld."
    )
    if counts.creates:
        yield f"  {show_count(counts.creates, 'pass becomes', 'passes become')} billable."
    if counts.phones:
        yield f"  {counts.ringing:,} of {show_count(counts.phones, 'phone')} would show a notification."
    if plan.refusals:
        codes = ", ".join(f"{count:,} {code}" for code, count in sorted(plan.refusals.items()))
        yield f"  Refused: {codes}. A refused row never deletes its member's pass."


def guard_box(plan: Plan, withholding: Withholding) -> Panel:
    """The guard's verdict on one kind of operations, and how to approve it."""
    from rich.panel import Panel

    kind, count = withholding.kind.value, withholding.count
    text = _line(
        shown(withholding.reason),
        f"\nRule {withholding.rule}; limit: {withholding.limit}.\n"
        f"If this is right: [bold]passflow approve {plan.plan_id} {kind} {count}[/]",
    )
    title = f"[bold]Guard: {show_count(count, kind)} withheld[/]"
    return Panel(text, title=title, title_align="left", border_style="magenta", expand=False)


def _next_step(plan: Plan) -> str:
    held = {withholding.kind for withholding in plan.withheld}
    counts = {Kind.CREATE: plan.counts.creates, Kind.UPDATE: plan.counts.updates, Kind.DELETE: plan.counts.deletes}
    free = sum(count for kind, count in counts.items() if kind not in held)
    if free:
        rest = "; what is withheld stays as it is" if held else ""
        return f"Apply it with: [bold]passflow apply {plan.program}[/]{rest}"
    return "Nothing is applied before it is approved." if held else "Nothing to do."
