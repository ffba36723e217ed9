"""The Dagster component: one program file gives the whole pipeline of one program."""

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

import dagster as dg
from pydantic import BaseModel

from passflow.errors import ProgramError, SourceError
from passflow.pipeline import names
from passflow.pipeline.apply import Context, build_passes, build_wallet
from passflow.pipeline.approve import build_approve_job
from passflow.pipeline.attributes import ProgramAttributes, located
from passflow.pipeline.plan import build_plan_assets
from passflow.pipeline.resources import IO_MANAGER, RESOURCE, installation_resource, refusing_io
from passflow.pipeline.scaffold import PassProgramScaffolder
from passflow.pipeline.specs import build_spec, kinds_of
from passflow.pipeline.triggers import Job, build_schedule, build_start_apply, build_watch
from passflow.pipeline.wallet_checks import build_wallet_checks
from passflow.ports import DetectsChange, NeedsUpstream, Read, WalletSettings
from passflow.program import Program
from passflow.project import parse_program

if TYPE_CHECKING:
    from passflow.installation import Installation
    from passflow.model import Kind, Plan, Withholding
    from passflow.ports import Rung
    from passflow.sync.apply import Applied
    from passflow.sync.converge import Converged
    from passflow.sync.progress import Progress


@dg.scaffold_with(PassProgramScaffolder)
class PassProgram(dg.Component):
    """Keeps the Apple and Google Wallet passes of one program true to its master system.

    Gives the assets `members`, `pass_plan`, `passes` and one per wallet, with their checks; the jobs plan, apply and
    approve; the nightly schedule; a sensor that applies each new plan; and a sensor for changes at the source.

    To change what a step does, subclass it: `get_asset_spec` shapes the assets, the `execute_…` methods do the work.
    """

    def __init__(self, program: Program) -> None:
        self.program = program

    @classmethod
    def get_spec(cls) -> dg.ComponentTypeSpec:
        """Who keeps this component, and how the UI files it."""
        return dg.ComponentTypeSpec(
            description=cls.__doc__,
            owners=["team:passflow"],
            tags=["wallet", "passes", "reverse-etl"],
            produces=["asset", "asset_check", "job", "schedule", "sensor"],
        )

    @classmethod
    def get_model_cls(cls) -> type[BaseModel]:
        """The attributes' schema, for `dg check yaml` and editors."""
        return ProgramAttributes

    @classmethod
    def load(cls, attributes: BaseModel | None, context: dg.ComponentLoadContext) -> "PassProgram":
        """The component of one document of a program file; paths and secrets resolve against the file's folder.

        Raises:
            ProgramError: the document does not hold together; names file, line, path and fix of every problem.
        """
        raw = attributes.raw if isinstance(attributes, ProgramAttributes) else {}
        try:
            return cls(parse_program(raw, context.path))
        except ProgramError as error:
            raise located(error, partial(_position, context)) from None

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """Everything the program has in Dagster."""
        program = self.program
        wallets = [build_wallet(self, wallet) for wallet in program.wallets]
        plan_job, apply_job = self._plan_job(), self._apply_job()
        watch = build_watch(self, plan_job)
        return dg.Definitions(
            assets=[*self._external_specs(), build_plan_assets(self), build_passes(self), *wallets],
            asset_checks=[build_wallet_checks(self, wallet) for wallet in program.wallets],
            jobs=[plan_job, apply_job, build_approve_job(self)],
            schedules=[build_schedule(self, plan_job)],
            sensors=[build_start_apply(self, apply_job), *([watch] if watch else [])],
            resources={RESOURCE: installation_resource, IO_MANAGER: refusing_io},
        )

    def get_asset_spec(self, kind: str) -> dg.AssetSpec:
        """The spec of one asset; override it to change owners, tags, metadata.

        Args:
            kind: last part of its key: `source`, `members`, `pass_plan`, `passes` or `<wallet>_wallet`.
        """
        return build_spec(self.program, kind)

    def run_tags(self) -> Mapping[str, str]:
        """Tags of every run of the program.

        A run whose process died is started again and goes on where it stopped; a step that failed said why, and is not.
        """
        return {
            "passflow/program": self.program.program,
            "dagster/max_retries": "2",
            "dagster/retry_on_asset_or_op_failure": "false",
        }

    def read_mark(self) -> str:
        """What the source says of its present state; equal marks mean nothing new.

        Raises:
            SourceError: the source cannot be reached, or cannot tell.
        """
        from passflow.sync.plan import source_context

        if not isinstance(self.program.source, DetectsChange):
            raise SourceError(f"The source of {self.program.program!r} cannot tell whether it changed.")
        return self.program.source.mark(source_context(self.program))

    def execute_plan(
        self,
        context: dg.AssetExecutionContext,
        installation: "Installation",
        *,
        read: Read | None,
        progress: "Progress",
    ) -> "Plan":
        """Reads the source and saves the plan with the guard's verdict."""
        from passflow.sync.plan import make_plan

        return make_plan(self.program, installation.store, read=read, progress=progress)

    def execute_apply(
        self, context: Context, installation: "Installation", plan_id: str, *, low: int, high: int, progress: "Progress"
    ) -> "Applied":
        """Applies one range of a plan."""
        from passflow.sync.apply import apply_plan

        return apply_plan(
            self.program, installation.store, plan_id, low=low, high=high, holder=_holder(context), progress=progress
        )

    def execute_wallet(
        self,
        context: Context,
        installation: "Installation",
        wallet: WalletSettings,
        *,
        low: int,
        high: int,
        progress: "Progress",
    ) -> "Converged":
        """Brings one range of a wallet up to date."""
        from passflow.sync.converge import converge

        return converge(
            self.program,
            installation.store,
            wallet,
            low=low,
            high=high,
            holder=_holder(context),
            base_url=installation.settings.base_url,
            progress=progress,
        )

    def execute_push(
        self, context: Context, installation: "Installation", wallet: WalletSettings, *, progress: "Progress"
    ) -> "Rung":
        """Tells the phones that have not yet been told."""
        from passflow.sync.push import push

        return push(self.program, installation.store, wallet, progress=progress)

    def execute_approve(
        self, context: Context, installation: "Installation", plan_id: str, kind: "Kind", count: int, *, actor: str
    ) -> "Withholding":
        """Releases withheld operations of a plan."""
        from passflow.sync.approve import approve

        return approve(installation.store, plan_id, kind, count, actor=actor)

    def _external_specs(self) -> list[dg.AssetSpec]:
        if isinstance(self.program.source, NeedsUpstream):
            return []
        return [self.get_asset_spec(names.SOURCE)]

    def _plan_job(self) -> Job:
        program = self.program
        return dg.define_asset_job(
            names.job(program, "plan"),
            selection=dg.AssetSelection.assets(names.key(program, names.MEMBERS), names.key(program, names.PLAN)),
            description=f"Reads the members of {program.program!r} and plans what their passes need; changes nothing.",
            executor_def=dg.in_process_executor,
            tags={**self.run_tags(), "passflow/plan": program.program},
        )

    def _apply_job(self) -> Job:
        program = self.program
        applied = [names.key(program, kind) for kind in kinds_of(program, applied_only=True)]
        return dg.define_asset_job(
            names.job(program, "apply"),
            selection=dg.AssetSelection.assets(*applied),
            description=f"Applies a plan of {program.program!r}, signs, publishes and tells the phones.",
            executor_def=dg.in_process_executor,
            tags=dict(self.run_tags()),
        )


def _position(context: dg.ComponentLoadContext, path: tuple[str | int, ...]) -> str:
    tree = context.resolution_context.source_position_tree
    if tree is None:
        return str(context.path)
    position, _ = tree.lookup_closest_and_path(["attributes", *path], None)
    return str(position)


def _holder(context: Context) -> str:
    return f"dagster run {context.run.run_id}"
