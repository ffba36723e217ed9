"""The ``members:`` block: columns of the master system become member fields, a batch at a time.

A row that cannot be read is refused with a code of ``passflow.sync.codes`` and its other fields are not used; nothing is
guessed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from pydantic import BaseModel, ConfigDict, Field, model_validator

from passflow.model import FieldType, Rejection
from passflow.sync.fields import STANDARD, MemberField
from passflow.sync.records import decode, decode_record, encode_record

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa

Identify = Callable[["pl.Series"], "pl.Series"]

__all__ = ["Identify", "Mapped", "MemberMapping", "decode", "decode_record", "encode_record"]

_RESERVED: Final = frozenset({"row", "id_hash", "fingerprint"})


@dataclass(frozen=True, slots=True)
class Mapped:
    """A batch in its common form.

    Args:
        frame: ``row`` (u64), ``id_hash`` (16 bytes, if asked for) and one Utf8 column of canonical text per field.
        rejections: the rows that are not in it, one each, in order.
    """

    frame: pl.DataFrame
    rejections: list[Rejection]


class MemberMapping(BaseModel):
    """Which source column is which member field."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    external_id: MemberField = Field(description="The member's identifier: unique in the program, never changed.")
    given_name: MemberField | None = Field(default=None, description="First name.")
    family_name: MemberField | None = Field(default=None, description="Last name.")
    display_name: MemberField | None = Field(
        default=None, description="Name as shown; where a row has none, first and last name stand in."
    )
    email: MemberField | None = Field(default=None, description="E-mail address.")
    phone: MemberField | None = Field(default=None, description="Phone number; E.164 with `calling_code`.")
    points: MemberField | None = Field(default=None, description="Points; null is no points programme, 0 is none yet.")
    balance: MemberField | None = Field(default=None, description="Money on the card, in `currency`.")
    currency: MemberField | None = Field(default=None, description="ISO 4217 code of `balance`.")
    tier: MemberField | None = Field(default=None, description="Level of membership.")
    status: MemberField | None = Field(default=None, description="The master's status; `lifecycle` says what it means.")
    expires_at: MemberField | None = Field(default=None, description="When membership or card ends.")
    locale: MemberField | None = Field(default=None, description="Language tag such as `de-AT`.")
    updated_at: MemberField | None = Field(default=None, description="When the master last changed the member.")
    photo_url: MemberField | None = Field(default=None, description="Address of the member's photo.")
    extra: dict[str, MemberField] = Field(default={}, description="Further fields under names of your own.")

    @model_validator(mode="after")
    def _check_whole(self) -> MemberMapping:
        for name in self.extra:
            if name in STANDARD or name in _RESERVED or name == "extra":
                raise ValueError(f"`extra` holds {name!r}, which is a name of passflow's own; choose another")
            if len(name) > 64 or not name.isascii() or not name.isidentifier() or name != name.lower():
                raise ValueError(f"`extra` holds {name!r}; names are small letters, digits and underscores")
        for name, field in self.by_name.items():
            field.check(name)
        units = [name for name, field in self.by_name.items() if field.unit == "minor"]
        if units and self.currency is None:
            raise ValueError(f"`{units[0]}` has `unit: minor`, which needs `currency` to be mapped")
        return self

    @cached_property
    def by_name(self) -> dict[str, MemberField]:
        """Every mapped field by its name, the external id first."""
        own = {name: getattr(self, name) for name in STANDARD}
        return {name: field for name, field in {**own, **self.extra}.items() if field is not None}

    @cached_property
    def fields(self) -> dict[str, FieldType]:
        """Type of every mapped field."""
        return {name: field.check(name) for name, field in self.by_name.items()}

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The source columns that are read, each once, that of the external id first."""
        return tuple(dict.fromkeys(field.column for field in self.by_name.values() if field.column is not None))

    def map_batch(self, batch: pa.RecordBatch, first_row: int, identify: Identify | None = None) -> Mapped:
        """Brings a batch into the common form.

        Args:
            batch: columns of the source, any Arrow type that is a single value.
            first_row: number of its first row in the read, from 1.
            identify: external ids to id hashes (``fingerprint.id_hashes`` with key and program); without it, the frame
                has no ``id_hash`` and no rejection can be attributed.

        Raises:
            SourceError: a column is missing or of a type that cannot be read.
        """
        from passflow.sync.reading import read_batch

        return read_batch(self, batch, first_row, identify)
