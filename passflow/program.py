"""The program file: one kind of pass, from the master system to the phone, as pydantic models.

The same file is a Dagster component (``passflow.pipeline.PassProgram``) and drives the command line without Dagster.
Nothing here imports Dagster or a vendor: vendors are found by their ``type`` when a file is read.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, cached_property
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, create_model, model_validator

from passflow.model import EventKind
from passflow.ports import CrmSettings, SourceSettings, WalletSettings
from passflow.sync.guard import Guard
from passflow.sync.lifecycle import Lifecycle
from passflow.sync.mapping import MemberMapping
from passflow.template import CompiledTemplate, Template, compile_template

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]


class Schedule(BaseModel):
    """When the nightly reconciliation runs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cron: str = Field(default="0 3 * * *", description="Cron expression of the reconciliation.")
    time_zone: str = Field(default="UTC", description="IANA time zone of the cron expression, such as Europe/Berlin.")
    running: bool = Field(default=True, description="Whether the schedule starts switched on.")


class SourceWatch(BaseModel):
    """Whether and how often the source is asked if anything changed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    every_seconds: int = Field(default=60, ge=5, description="Seconds between two looks at the source.")
    running: bool = Field(default=False, description="Whether the sensor starts switched on.")


class UnknownMembers(BaseModel):
    """What happens to passes of members that the source never showed (links, flows, enrolment)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    keep_days: int | None = Field(
        default=None,
        ge=1,
        description="End such a pass after this many days; empty keeps it until the source adopts it.",
    )


class Program(BaseModel):
    """One kind of pass a business issues: its members, its design, its wallets, its limits."""

    model_config = ConfigDict(frozen=True, extra="forbid", title="Pass program", hide_input_in_errors=True)

    program: Name = Field(description="Name of the program, unique in the installation; never changes.")
    description: str = Field(default="", description="What the program is for, in a sentence.")
    owners: tuple[str, ...] = Field(default=(), description="Owners in Dagster: e-mail addresses or `team:name`.")
    tags: dict[str, str] = Field(default={}, description="Tags of the program's assets in Dagster.")
    shards: int = Field(
        default=1, ge=1, le=256, description="Partitions of `passes` and the wallets: 1, or a power of two up to 256."
    )
    source: SourceSettings = Field(description="The master system that owns the members.")
    members: MemberMapping = Field(description="Which source column is which member field.")
    lifecycle: Lifecycle = Field(default=Lifecycle(), description="How member status and dates become pass status.")
    template: Template = Field(description="The design of the passes, neutral to the wallet.")
    wallets: tuple[WalletSettings, ...] = Field(min_length=1, description="Where the passes live.")
    crms: tuple[CrmSettings, ...] = Field(default=(), description="Marketing systems that are told of events.")
    guard: Guard = Field(default=Guard(), description="Which operations wait for a person.")
    unknown_members: UnknownMembers = Field(
        default=UnknownMembers(), description="Policy for passes of members the source never showed."
    )
    flow_fields: tuple[str, ...] = Field(
        default=(), description="Member fields that flows and links may set; they survive the night in the overlay."
    )
    schedule: Schedule = Field(default=Schedule(), description="The nightly reconciliation.")
    watch: SourceWatch = Field(default=SourceWatch(), description="The sensor for changes at the source.")

    _base_dir: Path = PrivateAttr(default=Path())

    @property
    def base_dir(self) -> Path:
        """Folder that relative paths and ``file:`` secrets of this program resolve against."""
        return self._base_dir

    def at(self, base_dir: Path) -> Program:
        """This program, resolved against a folder."""
        self._base_dir = base_dir.resolve()
        return self

    @cached_property
    def design(self) -> CompiledTemplate:
        """The compiled template.

        Raises:
            TemplateError: it breaks a rule of a wallet, or names a member field that is not mapped.
        """
        return compile_template(self.template, self.members.fields)

    def subscribers(self, program: str, kind: EventKind) -> Sequence[str]:
        """Names of the CRMs that are told of an event of this kind."""
        return [crm.name for crm in self.crms if crm.wants(kind.value)]

    @model_validator(mode="after")
    def _check_whole(self) -> Program:
        if self.shards & (self.shards - 1):
            raise ValueError("`shards` must be a power of two (1, 2, 4 … 256), so that a shard is a fixed range of ids")
        self.lifecycle.check_fields(self.members.fields)
        known = set(self.members.fields)
        unknown = [name for name in self.flow_fields if name not in known]
        if unknown:
            raise ValueError(f"`flow_fields` names {unknown[0]!r}, which `members` does not map")
        types = [wallet.name for wallet in self.wallets]
        doubled = {name for name in types if types.count(name) > 1}
        if doubled:
            raise ValueError(f"`wallets` has {sorted(doubled)[0]!r} twice; one program issues into one wallet once")
        return self


@cache
def program_model() -> type[Program]:
    """The program model with the vendors of this installation in its ``source``, ``wallets`` and ``crms``."""
    from passflow.vendors import union

    def described(name: str, annotation: object) -> tuple[object, object]:
        return annotation, Program.model_fields[name]

    fields = {
        "source": described("source", union("sources")),
        "wallets": described("wallets", tuple[union("wallets"), ...]),  # type: ignore[misc]  # built at run time
        "crms": described("crms", tuple[crms, ...] if (crms := union("crms")) else tuple[()]),  # type: ignore[valid-type]  # built at run time
    }
    return create_model("PassProgram", __base__=Program, __doc__=Program.__doc__, **fields)  # type: ignore[call-overload,no-any-return]  # fields are built at run time
