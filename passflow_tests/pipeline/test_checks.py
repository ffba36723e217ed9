"""Checks of the read, of the plan and of the wallet, and what makes each of them fail."""

from collections.abc import Callable

import dagster as dg
import pytest
from sqlalchemy import select, update

from passflow.model import Counts, Kind, Plan, PlanStatus, Proof, Withholding
from passflow.pipeline.checks import guard_sentence, plan_check_results, plan_checks
from passflow.program import Program
from passflow.project import load_programs
from passflow.store.tables import wallet_states
from passflow_tests.pipeline.club import Project, Run, members

Look = Callable[..., dict[str, dg.AssetCheckEvaluation]]


@pytest.fixture
def club(project: Project) -> Program:
    project.add("club", rows=members(8))
    return load_programs(project.programs)["club"]


def plan(**changes: object) -> Plan:
    given: dict[str, object] = {
        "plan_id": "0123456789abcdef", "program": "club", "status": PlanStatus.READY, "observed_at": 1,
        "template_revision": "r", "template_changed": False, "proof": Proof(True, 8, "8 rows"),
        "counts": Counts(rows=8), "refusals": {}, "withheld": (), **changes,
    }  # fmt: skip
    return Plan(**given)  # type: ignore[arg-type]  # as given


def verdicts(program: Program, of: Plan) -> dict[str, dg.AssetCheckResult]:
    return {str(result.check_name): result for result in plan_check_results(program, of)}


def test_a_clean_plan_passes_every_check(club: Program) -> None:
    found = verdicts(club, plan())
    assert all(result.passed for result in found.values())
    assert found["guard"].description == "Nothing is withheld."


def test_every_check_that_is_announced_is_evaluated(club: Program) -> None:
    """One without a result would let whatever depends on it go on."""
    announced = {(spec.asset_key, spec.name) for spec in plan_checks(club)}
    assert {(result.asset_key, result.check_name) for result in plan_check_results(club, plan())} == announced


def test_no_check_blocks(club: Program) -> None:
    """A blocking check would stop what the guard lets pass, and hold no other run back anyway."""
    assert not any(spec.blocking for spec in plan_checks(club))


def test_an_unproved_read_warns_with_its_reason(club: Program) -> None:
    result = verdicts(club, plan(proof=Proof(False, 8, "the control file says 9")))["source_complete"]
    assert not result.passed
    assert result.severity is dg.AssetCheckSeverity.WARN
    assert result.description == "the control file says 9"


@pytest.mark.parametrize(
    ("refusals", "passed"),
    [({}, True), ({"date.unreadable": 3}, True), ({"id.duplicate": 2}, False), ({"id.case_variant": 1}, False)],
)
def test_only_ids_count_against_unique_ids(club: Program, refusals: dict[str, int], passed: bool) -> None:
    result = verdicts(club, plan(refusals=refusals))["ids_unique"]
    assert result.passed is passed


def test_the_guard_says_how_to_release_what_it_withheld(club: Program) -> None:
    withheld = (
        Withholding(Kind.DELETE, "deletes.share", 12, "10 and 10 %", "12 of 100 live passes would be deleted."),
        Withholding(Kind.CREATE, "creates.share", 200, "100 and 50 %", "200 new passes."),
    )
    found = plan(withheld=withheld)
    result = verdicts(club, found)["guard"]
    assert not result.passed
    assert result.severity is dg.AssetCheckSeverity.ERROR
    sentence = guard_sentence(club, found)
    assert "12 of 100 live passes would be deleted." in sentence
    assert "club_approve with plan_id 0123456789abcdef" in sentence
    assert "kind delete, count 12" in sentence
    assert "kind create, count 200" in sentence


@pytest.fixture
def look(project: Project, instance: dg.DagsterInstance) -> Look:
    """Executes checks of the wallet alone, as the button on its page does."""

    def execute(*names: str) -> dict[str, dg.AssetCheckEvaluation]:
        keys = {dg.AssetCheckKey(dg.AssetKey(["club", "apple_wallet"]), name) for name in names}
        job = project.definitions().get_repository_def().get_implicit_global_asset_job_def()
        result = job.get_subset(asset_selection=set(), asset_check_selection=keys).execute_in_process(instance=instance)
        return {evaluation.check_name: evaluation for evaluation in result.get_asset_check_evaluations()}

    return execute


def test_one_check_can_be_executed_alone(club: Program, run: Run, look: Look) -> None:
    run("club_plan")
    run("club_apply")
    found = look("up_to_date")
    assert set(found) == {"up_to_date"}
    assert found["up_to_date"].passed


def test_before_anything_is_signed_nothing_is_wrong(club: Program, look: Look) -> None:
    found = look("certificates_valid", "signatures_verified", "up_to_date")
    assert all(check.passed for check in found.values())
    assert found["certificates_valid"].description == "Nothing is signed yet."


def test_a_wallet_behind_says_by_how_much_and_why(project: Project, club: Program, run: Run, look: Look) -> None:
    run("club_plan")
    run("club_apply")
    with project.open() as installation, installation.store.begin() as conn:
        some = select(wallet_states.c.serial).limit(3)
        conn.execute(
            update(wallet_states)
            .where(wallet_states.c.serial.in_(some))
            .values(behind=True, error_code="image.unreachable")
        )
    found = look("up_to_date")["up_to_date"]
    assert not found.passed
    assert found.severity is dg.AssetCheckSeverity.WARN
    assert found.metadata["passflow/behind"].value == 3
    (row,) = found.metadata["passflow/codes"].records  # type: ignore[union-attr]  # a table
    assert row.data == {"code": "image.unreachable", "count": 3}


@pytest.mark.parametrize("column", ["signature", "manifest_hash"])
def test_a_package_that_was_tampered_with_is_found(
    project: Project, club: Program, run: Run, look: Look, column: str
) -> None:
    run("club_plan")
    run("club_apply")
    with project.open() as installation, installation.store.begin() as conn:
        for row in conn.execute(select(wallet_states.c.serial, wallet_states.c[column])).all():
            flipped = bytes([row[1][0] ^ 1]) + bytes(row[1][1:])
            conn.execute(update(wallet_states).where(wallet_states.c.serial == row.serial).values({column: flipped}))
    found = look("signatures_verified")["signatures_verified"]
    assert not found.passed
    assert found.severity is dg.AssetCheckSeverity.ERROR
    assert found.metadata["passflow/verified"].value == 5


def test_an_expired_certificate_is_an_error(project: Project, club: Program, run: Run, look: Look) -> None:
    from passflow.store.tables import certificates

    run("club_plan")
    run("club_apply")
    with project.open() as installation, installation.store.begin() as conn:
        day = 86_400_000_000
        conn.execute(update(certificates).values(not_after=installation.store.now(conn) - 2 * day))
    found = look("certificates_valid")["certificates_valid"]
    assert not found.passed
    assert found.severity is dg.AssetCheckSeverity.ERROR
