"""What a vendor implements: one to three methods each, and small opt-in capabilities.

A vendor is one file in ``passflow.sources``, ``passflow.wallets`` or ``passflow.crms`` (or a package that announces itself
under the entry-point group of the same name) that holds one settings class: a frozen pydantic model with a literal
``type``. Its methods are the port. ``passflow.vendors`` finds it; nothing lists it by hand.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Protocol, runtime_checkable

from pydantic import BaseModel, ConfigDict

from passflow.model import Status, Values

if TYPE_CHECKING:
    import pyarrow as pa

    from passflow.model import Proof
    from passflow.program import Program
    from passflow.store.engine import Store
    from passflow.sync.progress import Progress
    from passflow.template import CompiledTemplate


class VendorSettings(BaseModel):
    """Base of every vendor's settings; a subclass adds ``type: Literal["name"]`` and its fields.

    Attributes:
        label: the vendor's name for people.
        capabilities: what it can do beyond its port, for the matrix in the docs.
    """

    # pydantic quotes the surroundings of a mistake, and with them a secret that was written out beside it
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

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
        raise PortMissing(type(self).__name__)

    def check(self, context: SourceContext) -> tuple[str, ...]:
        """Names of the columns the source has now, without reading its rows."""
        with_columns = self.open(context)
        for batch in with_columns:
            return tuple(batch.schema.names)
        return ()


class PortMissing(TypeError):
    """A vendor class that lacks a method of its port: a mistake of its author, not of the user."""


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


@dataclass(frozen=True, slots=True)
class Desired:
    """What a pass should be in one wallet.

    Args:
        serial: serial number of the pass.
        revision: the revision to bring the wallet to.
        status: status of the pass.
        values: the member's fields with the overlay laid over them; None after an erasure: show nothing of anybody.
        token: authentication token of the pass.
        current: the wallet state as stored, its ``content`` opened; what a wallet compares with.
        resign_only: the content stands, only the certificate was replaced: nobody may be notified.
    """

    serial: str
    revision: int
    status: Status
    values: Values | None = field(repr=False)
    token: str = field(repr=False)
    current: Mapping[str, object] = field(repr=False)
    resign_only: bool = False


@dataclass(frozen=True, slots=True)
class Brought:
    """What a wallet did for one pass; recorded in its wallet state.

    Args:
        serial: serial number of the pass.
        revision: the revision the wallet now shows; recorded only when ``code`` is None.
        code: why it failed, a stable code, or None.
        permanent: a failure that no retry mends.
        content: what the wallet now shows (Apple: pass.json), kept encrypted.
        personal: personal files by path inside the package, kept encrypted.
        columns: further columns of ``wallet_states``.
        publishes: devices must be told of new bytes; False where only the signature was made again.
        notice: a stable code of something that did not stop the pass, such as an image that could not be fetched.
    """

    serial: str
    revision: int
    code: str | None = None
    permanent: bool = False
    content: bytes | None = field(default=None, repr=False)
    personal: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    columns: Mapping[str, object] = field(default_factory=dict, repr=False)
    publishes: bool = True
    notice: str | None = None


class Wallet(Protocol):
    """A wallet, opened for one program."""

    def bring(self, batch: Sequence[Desired]) -> Sequence[Brought]:
        """Brings every pass of the batch to its revision; one result per pass, in any order.

        Raises:
            PassflowError: nothing of the batch can go on (credentials, configuration).
        """
        ...


@dataclass(frozen=True, slots=True)
class WalletContext:
    """What a wallet may know of its surroundings.

    Args:
        program: name of the program.
        base_dir: folder of the program file.
        design: the compiled template of the revision to bring passes to.
        base_url: public address of the gateway, or None before there is one.
        files: content by reference, for the design's images and library names.
    """

    program: str
    base_dir: Path
    design: CompiledTemplate
    base_url: str | None
    files: Files


class Files(Protocol):
    """Where a wallet gets the images that a template or a member names, and keeps what its passes are made of."""

    def keep(self, set_hash: str, files: Mapping[str, bytes]) -> None:
        """Keeps a set of shared files under its hash, so that a pass can be put together again later."""
        ...

    def keep_certificate(
        self, certificate_id: str, *, pass_type: str, team: str, leaf: bytes, chain: bytes, not_after: datetime
    ) -> None:
        """Keeps the public half of a certificate that passes are signed with."""
        ...

    def shared(self) -> Mapping[str, bytes]:
        """The template's own files, prepared for the wallet: path inside the package to content."""
        ...

    def personal(self, name: str, reference: str) -> Mapping[str, bytes]:
        """A member's own image, prepared for the wallet; raises ``FetchError`` when it cannot be had."""
        ...


class WalletSettings(VendorSettings):
    """Base of every wallet's settings."""

    name: ClassVar[str] = ""

    def open(self, context: WalletContext) -> Wallet:
        """Opens the wallet for one program.

        Raises:
            CertificateError, SecretError: what it signs in with does not fit or cannot be read.
        """
        raise PortMissing(type(self).__name__)

    def mark(self, base_dir: Path) -> str | None:
        """What its stored passes depend on beside themselves (Apple: the certificate); a new mark signs them again."""
        return None


@dataclass(frozen=True, slots=True)
class Rung:
    """What telling phones came to.

    Args:
        told: pushes that were accepted.
        gone: registrations that ended because their device is gone.
        retry: pushes that a later run sends again.
        reasons: how often the push service gave each of its reasons.
    """

    told: int = 0
    gone: int = 0
    retry: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)


@runtime_checkable
class RingsPhones(Protocol):
    """A wallet whose phones must be told that there are new bytes."""

    def ring(self, store: Store, program: Program, progress: Progress) -> Rung:
        """Tells every phone that is behind; what could not be told stays behind for the next run.

        Raises:
            PushError: the push service refuses our request or credentials, or cannot be reached.
        """
        ...


class CrmSettings(VendorSettings):
    """Base of every CRM's settings."""

    name: ClassVar[str] = ""

    def wants(self, event: str) -> bool:
        """Whether this CRM is told of an event of this kind."""
        raise PortMissing(type(self).__name__)
