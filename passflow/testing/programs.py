"""Small programs for tests: members as plain dicts, a wallet in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import ConfigDict, Field

from passflow.errors import IncompleteRead
from passflow.model import Proof
from passflow.ports import Brought, Desired, SourceContext, SourceSettings, WalletContext, WalletSettings
from passflow.program import Program

if TYPE_CHECKING:
    import pyarrow as pa

Row = Mapping[str, str | None]

ICON = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)
"""A PNG of one transparent pixel."""


class MemorySource(SourceSettings):
    """Members from a list of dicts, read in batches of ``batch_rows``.

    Args:
        rows: what the master system holds; the list may change between reads.
        complete: whether a finished read counts as proved.
        fails_after: raise in the middle of the read, behind so many rows.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    label: ClassVar[str] = "Memory"
    type: Literal["memory"] = "memory"
    rows: Sequence[Row]
    complete: bool = True
    fails_after: int | None = None

    def open(self, context: SourceContext) -> MemoryRead:
        """Starts a read."""
        return MemoryRead(self, context)

    def read_one(self, context: SourceContext, external_id: str) -> pa.RecordBatch | None:
        """The rows of one member."""
        found = [row for row in self.rows if row.get(context.id_column) == external_id]
        return _batch(found, context.columns) if found else None


class MemoryRead:
    """A read of a ``MemorySource``."""

    def __init__(self, source: MemorySource, context: SourceContext) -> None:
        self._source, self._context = source, context
        self._rows: int | None = None

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        source, size = self._source, self._context.batch_rows
        rows = list(source.rows)
        for start in range(0, len(rows), size):
            part = rows[start : start + size]
            if source.fails_after is not None and start + len(part) > source.fails_after:
                raise IncompleteRead("The source broke off.")
            yield _batch(part, self._context.columns)
        self._rows = len(rows)

    def proof(self) -> Proof:
        """Complete if the source says so and the read came to its end."""
        if self._rows is None:
            raise IncompleteRead("The read did not come to its end.")
        return Proof(self._source.complete, self._rows, "in memory" if self._source.complete else "nothing proves it")


def _batch(rows: Sequence[Row], columns: Sequence[str]) -> pa.RecordBatch:
    import pyarrow as pa

    return pa.RecordBatch.from_pydict(
        {name: pa.array([row.get(name) for row in rows], pa.string()) for name in columns}
    )


class MemoryWallet(WalletSettings):
    """A wallet that keeps what it was brought in a dict: serial to (revision, status, values)."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    label: ClassVar[str] = "Memory"
    name: ClassVar[str] = "memory"
    type: Literal["memory"] = "memory"
    held: dict[str, Any] = Field(default_factory=dict)
    refuses: set[str] = Field(default_factory=set)

    def open(self, context: WalletContext) -> MemoryWallet:
        """Opens the wallet."""
        return self

    def bring(self, batch: Sequence[Desired]) -> list[Brought]:
        """Takes every pass but those it refuses."""
        brought = []
        for desired in batch:
            if desired.serial in self.refuses:
                brought.append(Brought(desired.serial, desired.revision, code="memory.refused"))
                continue
            self.held[desired.serial] = (desired.revision, desired.status, desired.values)
            brought.append(Brought(desired.serial, desired.revision, content=b"{}", publishes=not desired.resign_only))
        return brought


def make_program(folder: Path, rows: Sequence[Row], **changes: Any) -> Program:
    """A program over members in memory, with a ringing field for points.

    Args:
        folder: where its icon is written.
        rows: members with the columns ``id``, ``name``, ``points``, ``tier``, ``state`` and ``until``.
        changes: blocks of the program file to replace.
    """
    (folder / "icon.png").write_bytes(ICON)
    blocks: dict[str, Any] = {
        "program": "gold",
        "source": MemorySource(rows=rows),
        "members": {
            "external_id": "id",
            "display_name": "name",
            "points": {"column": "points", "type": "integer"},
            "tier": "tier",
            "status": "state",
            "expires_at": "until",
        },
        "lifecycle": {
            "statuses": {"active": ["A"], "voided": ["V"], "redeemed": ["R"], "expired": ["E"], "deleted": ["D"]}
        },
        "template": {
            "style": "storeCard",
            "organization": "Club",
            "description": "Card",
            "header": [{"key": "points", "label": "Points", "value": "{points:,}", "change_message": "Now %@"}],
            "secondary": [{"key": "name", "label": "Name", "value": "{display_name}"}],
            "images": {"icon": "icon.png"},
        },
        "wallets": [MemoryWallet()],
        "guard": {"first_load": True},
    }
    return Program.model_validate({**blocks, **changes}).at(folder)


def member(number: int, **changes: str | None) -> Row:
    """A member's row of the program that ``make_program`` makes."""
    row = {"id": f"M-{number:05d}", "name": f"Member {number}", "points": str(number), "tier": "gold", "state": "A"}
    return {**row, "until": None, **changes}
