"""What a vendor implements: one to three methods each, and small opt-in capabilities.

A vendor is one file in ``passflow.sources``, ``passflow.wallets`` or ``passflow.crms`` (or a package that announces itself
under the entry-point group of the same name) that holds one settings class: a frozen pydantic model with a literal
``type``. Its methods are the port. ``passflow.vendors`` finds it; nothing lists it by hand.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Protocol, runtime_checkable

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    import pyarrow as pa

    from passflow.model import Proof


class VendorSettings(BaseModel):
    """Base of every vendor's settings; a subclass adds ``type: Literal["name"]`` and its fields.

    Attributes:
        label: the vendor's name for people.
        capabilities: what it can do beyond its port, for the matrix in the docs.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    label: ClassVar[str] = ""
    docs_url: ClassVar[str] = ""


class Read(Protocol):
    """One read of a source, in progress.

    Iterating yields record batches whose columns are the source's own. ``proof`` may be asked for only after the
    iteration ended by itself; a read that was abandoned or failed proves nothing. An error in the middle of a read is
    raised as ``SourceError``, never swallowed: what was not read is not absent.
    """

    def __iter__(self) -> Iterator[pa.RecordBatch]: ...

    def proof(self) -> Proof:
        """What the finished read proves; raises ``IncompleteRead`` when it was not read to its end."""
        ...


class SourceSettings(VendorSettings):
    """Base of every source's settings."""

    def open(self, context: SourceContext) -> Read:
        """Starts a read of all members.

        Raises:
            SourceError: the source cannot be reached, or lacks a column that the mapping names.
        """
        raise SourceUnsupported(type(self).__name__)

    def check(self, context: SourceContext) -> tuple[str, ...]:
        """Names of the columns the source has now, without reading its rows."""
        with_columns = self.open(context)
        for batch in with_columns:
            return tuple(batch.schema.names)
        return ()


class SourceUnsupported(TypeError):
    """A source class without ``open``: a mistake of its author, not of the user."""


class SourceContext(BaseModel):
    """What a source may know of its surroundings.

    Args:
        base_dir: folder of the program file; relative paths and ``file:`` secrets resolve against it.
        columns: the source columns that the mapping names; a source reads only these where it can.
        id_column: the column of the external id.
        batch_rows: rows per batch, at most.
    """

    model_config = ConfigDict(frozen=True)

    base_dir: Path
    columns: tuple[str, ...]
    id_column: str
    batch_rows: int = 65_536


@runtime_checkable
class ReadsOne(Protocol):
    """A source that can read one member by external id."""

    def read_one(self, context: SourceContext, external_id: str) -> pa.RecordBatch | None:
        """The member's rows (normally one), or None when the master system does not know it."""
        ...


@runtime_checkable
class DetectsChange(Protocol):
    """A source that can tell cheaply whether anything changed since a mark it gave before."""

    def mark(self, context: SourceContext) -> str:
        """An opaque mark of the source's present state; equal marks mean nothing new."""
        ...


@runtime_checkable
class NeedsUpstream(Protocol):
    """A source that is fed by a Dagster asset; the pipeline binds the asset's value before the read."""

    def upstream_key(self) -> tuple[str, ...]:
        """Path of the upstream asset's key."""
        ...

    def bind(self, value: object, expected_rows: int | None) -> SourceSettings:
        """The same source holding the upstream table and the row count its materialization said."""
        ...
