"""Views for the data team: the store in plain SQL, with ISO 8601 times, hex ids and nothing that is encrypted.

They are made anew by every upgrade from the description below, which is also where their documentation comes from.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from sqlalchemy import Connection, text

Form = Literal["plain", "time", "hex", "json"]


@dataclass(frozen=True, slots=True)
class ViewColumn:
    """One column of a view.

    Args:
        name: its name.
        description: what it holds.
        source: SQL expression; the name itself when left out.
        form: ``time`` turns microseconds into ISO 8601 UTC text, ``hex`` bytes into lower-case hex, ``json`` reads the
            path that ``source`` names in the column ``summary`` as a whole number.
    """

    name: str
    description: str
    source: str = ""
    form: Form = "plain"


@dataclass(frozen=True, slots=True)
class View:
    """A documented view.

    Args:
        name: its name.
        description: one sentence.
        columns: its columns, in order.
        rest: everything behind ``SELECT …``.
    """

    name: str
    description: str
    columns: tuple[ViewColumn, ...]
    rest: str


C = ViewColumn
_ID = C("id", "keyed hash of the external id; stable, and equal across views", "id_hash", "hex")
_KINDS = ("created", "viewed", "installed", "updated", "redeemed", "uninstalled", "invalidated", "deleted")

VIEWS: Final[tuple[View, ...]] = (
    View(
        "v_passes",
        "One row per pass, as it is now.",
        (
            C("program", "the program"),
            _ID,
            C("serial", "serial number of the pass"),
            C("status", "active, redeemed, voided, expired, invalidated or deleted"),
            C("origin", "who caused it: source, link, flow or enrolment"),
            C("revision", "counts the changes of what it shows"),
            C("template_revision", "the design it is rendered with"),
            C("observed_at", "when the read behind this state began", form="time"),
            C("due_at", "when its status changes next by date alone", form="time"),
            C("created_at", "when it was issued", form="time"),
            C("updated_at", "when it last changed", form="time"),
            C(
                "installed",
                "wallets in which it is installed",
                "(SELECT count(*) FROM wallet_states w WHERE w.serial = passes.serial AND w.installation = 'installed')",
            ),
            C(
                "behind",
                "wallets that do not show its newest revision yet",
                "(SELECT count(*) FROM wallet_states w WHERE w.serial = passes.serial AND w.behind)",
            ),
        ),
        "FROM passes",
    ),
    View(
        "v_runs",
        "One row per plan: what a reconciliation found and when it was applied.",
        (
            C("plan_id", "the plan"),
            C("program", "the program"),
            C("status", "building, ready, superseded or applied"),
            C("observed_at", "when its read began", form="time"),
            C("created_at", "when it was begun", form="time"),
            C("ready_at", "when its verdict was stored", form="time"),
            C("applied_at", "when the last of it was applied", form="time"),
            C("template_revision", "the design it planned with"),
            *(
                C(name, description, f"counts.{name}", "json")
                for name, description in (
                    ("rows", "rows read"),
                    ("creates", "passes to issue"),
                    ("updates", "passes to change"),
                    ("deletes", "passes to delete"),
                    ("unchanged", "members whose pass stays as it is"),
                    ("refused", "rows refused"),
                )
            ),
        ),
        "FROM plans",
    ),
    View(
        "v_operations",
        "One row per planned create, update or delete, with how it ended.",
        (
            C("plan_id", "the plan, or the cause of a single change"),
            C("program", "the program"),
            _ID,
            C("operation_id", "the same for the same change, however often it is planned", "op_id", "hex"),
            C("kind", "create, update or delete"),
            C("base_revision", "the pass's revision it was planned on"),
            C("status", "status of the pass after it"),
            C("changed", "names of the member fields that change, comma separated"),
            C("rings", "pass fields that make a phone ring, comma separated"),
            C("withheld", "rule of the guard that holds it back"),
            C("outcome", "pending, applied, unchanged, refused, stale or failed"),
            C("code", "why it was not applied"),
            C("ended_at", "when it ended", form="time"),
        ),
        "FROM operations",
    ),
    View(
        "v_events",
        "One row per event of a pass.",
        (
            C("event_id", "the id that CRMs receive", form="hex"),
            C("program", "the program"),
            _ID,
            C("serial", "serial number of the pass"),
            C("number", "order within the pass"),
            C("kind", ", ".join(_KINDS)),
            C("wallet", "where it happened, if in a wallet"),
            C("occurred_at", "when", form="time"),
            C("revision", "the pass's revision then"),
            C("data", "JSON with further facts; nothing personal"),
        ),
        "FROM events",
    ),
    View(
        "v_deliveries",
        "One row per event and CRM.",
        (
            C("event_id", "the event", form="hex"),
            C("crm", "the CRM's name in the program file"),
            C("program", "the program"),
            C("serial", "serial number of the pass"),
            C("number", "order within the pass"),
            C("state", "due, delivered or dead"),
            C("attempts", "how often it was tried"),
            C("due_at", "when it is tried next", form="time"),
            C("code", "why it failed last"),
            C("delivered_at", "when the CRM took it", form="time"),
        ),
        "FROM deliveries",
    ),
    View(
        "v_engagement",
        "One row per program, wallet and day (UTC): how many events of each kind.",
        (
            C("program", "the program"),
            C("wallet", "the wallet, empty where an event belongs to none", "coalesce(wallet, '')"),
            C("day", "YYYY-MM-DD", "occurred_at", "time"),
            *(
                C(kind, f"events of kind {kind}", f"sum(CASE WHEN kind = '{kind}' THEN 1 ELSE 0 END)")
                for kind in _KINDS
            ),
        ),
        "FROM events GROUP BY program, coalesce(wallet, ''), occurred_at / 86400000000",
    ),
)


def create_views(conn: Connection) -> None:
    """Creates every view."""
    for view in VIEWS:
        conn.execute(text(f"CREATE VIEW {view.name} AS {_select(view, conn.dialect.name)}"))


def drop_views(conn: Connection) -> None:
    """Drops every view that exists."""
    for view in VIEWS:
        conn.execute(text(f"DROP VIEW IF EXISTS {view.name}"))


def describe_views() -> Iterator[str]:
    """The views' documentation, as Markdown lines."""
    for view in VIEWS:
        yield from (f"### `{view.name}`", "", view.description, "", "| column | holds |", "|---|---|")
        yield from (f"| `{column.name}` | {column.description} |" for column in view.columns)
        yield ""


def _select(view: View, dialect: str) -> str:
    shown = ", ".join(f"{_expression(view, column, dialect)} AS {column.name}" for column in view.columns)
    return f"SELECT {shown} {view.rest}"


def _expression(view: View, column: ViewColumn, dialect: str) -> str:
    source = column.source or column.name
    sqlite = dialect == "sqlite"
    match column.form:
        case "plain":
            return source
        case "hex":
            return f"lower(hex({source}))" if sqlite else f"encode({source}, 'hex')"
        case "json":
            path = source.replace(".", ",")
            # a plan that is still being built has an empty summary
            return (
                f"coalesce(json_extract(summary, '$.{source}'), 0)"
                if sqlite
                else f"coalesce((summary::json #>> '{{{path}}}')::bigint, 0)"
            )
        case "time" if view.name == "v_engagement":
            day = f"{source} / 86400000000 * 86400"
            # grouped by the day, so the day is all that may be shown
            return (
                f"date({day}, 'unixepoch')"
                if sqlite
                else f"to_char(to_timestamp({day}) AT TIME ZONE 'UTC', 'YYYY-MM-DD')"
            )
        case "time":
            seconds, micros = f"{source} / 1000000", f"{source} % 1000000"
            if sqlite:
                return f"strftime('%Y-%m-%dT%H:%M:%S', {seconds}, 'unixepoch') || printf('.%06dZ', {micros})"
            moment = f"to_timestamp({seconds}) AT TIME ZONE 'UTC'"
            return f"to_char({moment}, 'YYYY-MM-DD\"T\"HH24:MI:SS') || '.' || lpad(({micros})::text, 6, '0') || 'Z'"
