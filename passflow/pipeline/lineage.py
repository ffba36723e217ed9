"""Columns and where they come from: source column → member field → pass field."""

from collections.abc import Iterable, Iterator, Mapping

import dagster as dg

from passflow.errors import TemplateError
from passflow.pipeline import names
from passflow.program import Program
from passflow.template.design import SECTIONS
from passflow.template.format import Slot, parse

_COLUMN_TYPES = {
    "text": "string", "integer": "int", "decimal": "decimal", "date": "date", "datetime": "datetime", "boolean": "bool",
}  # fmt: skip
_NOT_PERSONAL = {"tier", "status", "currency", "locale", "points", "updated_at", "expires_at"}
_OPERATION_COLUMNS = {
    "operation": "Create, update or delete; a bell where a phone shows a notification",
    "member": "Whose pass it is; masked wherever it is shown",
    "serial": "Serial number of the pass; a new one is assigned when the operation is applied",
    "changes": "Fields of the pass, before and after",
    "status": "Status of the pass, before and after",
    "withheld": "Rule of the guard that holds the operation back",
}
_STATE_COLUMNS = {
    "serial": "Serial number of the pass",
    "revision": "The revision that the wallet shows",
    "installation": "None, installed or uninstalled",
}


def column_schema(program: Program, kind: str) -> dg.TableSchema:
    """The columns of one asset, for its definition."""
    if kind == names.SOURCE:
        columns = [dg.TableColumn(column, "string") for column in program.members.columns]
    elif kind == names.MEMBERS:
        columns = [_member_column(program, name) for name in program.members.fields]
    elif kind == names.PLAN:
        columns = [dg.TableColumn(name, "string", text) for name, text in _OPERATION_COLUMNS.items()]
    elif kind == names.PASSES:
        columns = [
            dg.TableColumn(key, "string", f"Pass field from {_listed(used)}") for key, used in pass_fields(program)
        ]
    else:
        columns = [dg.TableColumn(name, "string", text) for name, text in _STATE_COLUMNS.items()]
    return dg.TableSchema(columns=columns)


def column_lineage(program: Program, kind: str) -> Mapping[str, dg.TableColumnLineage]:
    """Where the columns of one asset come from, as metadata of its materialization; empty where nothing maps."""
    deps = dict(
        _members_deps(program) if kind == names.MEMBERS else _passes_deps(program) if kind == names.PASSES else []
    )
    return {"dagster/column_lineage": dg.TableColumnLineage(deps)} if deps else {}


def pass_fields(program: Program) -> list[tuple[str, tuple[str, ...]]]:
    """Each field of the pass with the member fields it shows, in the template's order; codes come last."""
    return [(key, _used(texts)) for key, texts in _texts_by_key(program)]


def _texts_by_key(program: Program) -> list[tuple[str, list[str]]]:
    template = program.template
    found = [(field.key, _texts(field.value)) for section in SECTIONS for field in getattr(template, section)]
    found += [(link.key, [link.url, *_texts(link.text)]) for link in template.links]
    return found + [(f"barcode_{code.format}", [code.message]) for code in template.barcodes]


def _members_deps(program: Program) -> Iterator[tuple[str, list[dg.TableColumnDep]]]:
    source = names.source_key(program)
    for name, field in program.members.by_name.items():
        if field.column is not None:
            yield name, [dg.TableColumnDep(source, field.column)]


def _passes_deps(program: Program) -> Iterator[tuple[str, list[dg.TableColumnDep]]]:
    members = names.key(program, names.MEMBERS)
    for key, used in pass_fields(program):
        if used:
            yield key, [dg.TableColumnDep(members, name) for name in used]


def _member_column(program: Program, name: str) -> dg.TableColumn:
    field = program.members.by_name[name]
    is_id = name == "external_id"
    return dg.TableColumn(
        name,
        _COLUMN_TYPES[program.members.fields[name]],
        f"From column {field.column!r}" if field.column else "The same for every member",
        constraints=dg.TableColumnConstraints(nullable=not is_id, unique=is_id),
        tags={} if name in _NOT_PERSONAL or field.column is None else {"personal": ""},
    )


def _texts(text: str | Mapping[str, str] | None) -> list[str]:
    return [] if text is None else [text] if isinstance(text, str) else list(text.values())


def slots_of(program: Program) -> Iterator[Slot]:
    """Every slot of the texts that `pass_fields` looks at."""
    for _, texts in _texts_by_key(program):
        yield from _slots(texts)


def _slots(texts: Iterable[str]) -> Iterator[Slot]:
    for text in texts:
        try:
            parts = parse(text)
        except TemplateError:  # planning says what is wrong with it, with path and fix
            continue
        yield from (part for part in parts if isinstance(part, Slot))


def _used(texts: Iterable[str]) -> tuple[str, ...]:
    named = (name for slot in _slots(texts) for name in (slot.field, slot.currency_field) if name)
    return tuple(dict.fromkeys(named))


def _listed(used: Iterable[str]) -> str:
    return ", ".join(used) or "the template"
