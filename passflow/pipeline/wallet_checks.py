"""Checks of a wallet: certificates last, nothing is behind, signatures hold for an independent reader.

They are steps of their own, so that they can also be run alone, at any time, from the asset's page.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import dagster as dg

from passflow.pipeline import names
from passflow.pipeline.faults import reported
from passflow.pipeline.metadata import codes_table, table
from passflow.pipeline.resources import RESOURCE
from passflow.ports import WalletSettings

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from passflow.pipeline.component import PassProgram
    from passflow.store.engine import Store

VALID = "certificates_valid"
CURRENT = "up_to_date"
VERIFIED = "signatures_verified"

PACKAGED = "apple"
"""The wallet whose packages we sign ourselves; a hosted provider signs its own."""

VALID_DAYS = 30
SAMPLE = 5
"""Passes taken for verification, the last published ones: verifying one takes some 10 ms."""

_DAY = 86_400_000_000


@dataclass(frozen=True)
class _Checked:
    """One check to evaluate: where it stands, and what it may read."""

    component: "PassProgram"
    wallet: WalletSettings
    store: "Store"

    @property
    def program(self) -> str:
        return self.component.program.program


def build_wallet_checks(component: "PassProgram", wallet: WalletSettings) -> dg.AssetChecksDefinition:
    """The checks of one wallet's asset."""
    program, kind = component.program, names.wallet_kind(wallet.name)
    asset = names.key(program, kind)
    evaluations = {VALID: _certificates, CURRENT: _behind}
    if wallet.name == PACKAGED:
        evaluations[VERIFIED] = _signatures
    descriptions = {
        VALID: f"Every certificate that signs these passes is valid for another {VALID_DAYS} days.",
        CURRENT: "Every pass shows its newest revision.",
        VERIFIED: "A sample of packages, as they are handed out, holds for a reader that shares no code with the signer.",
    }

    @dg.multi_asset_check(
        name=names.step(program, f"{kind}_checks"),
        specs=[dg.AssetCheckSpec(name, asset=asset, description=descriptions[name]) for name in evaluations],
        can_subset=True,
        required_resource_keys={RESOURCE},
    )
    def checks(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        wanted = {key.name for key in context.selected_asset_check_keys}
        with reported(context.log), context.resources.passflow.open() as installation:
            checked = _Checked(component, wallet, installation.store)
            results = [(name, evaluate(checked)) for name, evaluate in evaluations.items() if name in wanted]
        for name, result in results:
            yield result._replace(asset_key=asset, check_name=name)

    return checks


def _certificates(checked: _Checked) -> dg.AssetCheckResult:
    from sqlalchemy import select

    from passflow.store.tables import certificates, wallet_states

    used = (
        select(wallet_states.c.certificate_id)
        .where(wallet_states.c.program == checked.program, wallet_states.c.wallet == checked.wallet.name)
        .distinct()
    )
    query = select(certificates.c.pass_type, certificates.c.not_after).where(certificates.c.certificate_id.in_(used))
    with checked.store.read() as conn:
        now = checked.store.now(conn)
        rows = conn.execute(query.order_by(certificates.c.not_after)).all()
    days = [(row.pass_type, (row.not_after - now) // _DAY) for row in rows]
    soonest = min((left for _, left in days), default=None)
    return dg.AssetCheckResult(
        passed=soonest is None or soonest >= VALID_DAYS,
        severity=dg.AssetCheckSeverity.ERROR if soonest is not None and soonest < 0 else dg.AssetCheckSeverity.WARN,
        description="Nothing is signed yet." if soonest is None else f"The first one ends in {soonest} days.",
        metadata=_present({"passflow/certificates": table({"pass_type": "string", "days_left": "int"}, days)}),
    )


def _behind(checked: _Checked) -> dg.AssetCheckResult:
    from sqlalchemy import func, select

    from passflow.store.tables import wallet_states

    states = wallet_states.c
    query = (
        select(func.coalesce(states.error_code, "waiting").label("code"), func.count().label("n"))
        .where(states.program == checked.program, states.wallet == checked.wallet.name, states.behind)
        .group_by("code")
    )
    with checked.store.read() as conn:
        codes = {row.code: row.n for row in conn.execute(query)}
    behind = sum(codes.values())
    return dg.AssetCheckResult(
        passed=behind == 0,
        severity=dg.AssetCheckSeverity.WARN,  # the next run goes on where this one stopped
        description=f"{behind:,} passes are behind." if behind else "Nothing is behind.",
        metadata=_present({"passflow/behind": behind, "passflow/codes": codes_table(codes)}),
    )


def _signatures(checked: _Checked) -> dg.AssetCheckResult:
    from datetime import UTC, datetime

    from passflow.errors import PackageError, StoreError
    from passflow.wallets.apple.stored import read_package
    from passflow.wallets.apple.verify import verify

    # a private authority (tests, development) is not among the roots that phones trust
    roots = () if getattr(checked.wallet, "intermediate", None) else None
    codes: Counter[str] = Counter()
    with checked.store.read() as conn:
        serials = _last_published(checked, conn)
        for serial in serials:
            try:
                package = read_package(conn, checked.store.keyring, serial)
            except (PackageError, StoreError) as error:
                codes[error.error_code] += 1
                continue
            codes.update({finding.code for finding in verify(package, roots=roots, now=datetime.now(UTC)).errors})
    return dg.AssetCheckResult(
        passed=not codes,
        severity=dg.AssetCheckSeverity.ERROR,
        description=f"{len(serials)} packages read." if serials else "Nothing is signed yet.",
        metadata=_present({"passflow/verified": len(serials), "passflow/codes": codes_table(codes)}),
    )


def _last_published(checked: _Checked, conn: "Connection") -> Sequence[str]:
    from sqlalchemy import select

    from passflow.store.tables import wallet_states

    states = wallet_states.c
    query = (
        select(states.serial)
        .where(states.program == checked.program, states.wallet == checked.wallet.name, states.published.is_not(None))
        .where(states.behind.is_(False))
        .order_by(states.published.desc(), states.serial)
        .limit(SAMPLE)
    )
    return conn.execute(query).scalars().all()


def _present(metadata: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in metadata.items() if value is not None}
