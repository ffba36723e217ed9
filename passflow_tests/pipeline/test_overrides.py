"""What a user may change: a subclass of the component, named in the same file."""

import dagster as dg
from sqlalchemy import select

from passflow.pipeline import PassProgram
from passflow.store.tables import audit
from passflow_tests.pipeline.club import Project, Run, members

SUBCLASS = """\
from passflow.pipeline import PassProgram


class Careful(PassProgram):
    def execute_apply(self, context, installation, plan_id, *, low, high, progress):
        context.log.info(f"asked before applying {plan_id}")
        return super().execute_apply(context, installation, plan_id, low=low, high=high, progress=progress)

    def execute_push(self, context, installation, wallet, *, progress):
        from passflow.ports import Rung

        return Rung(told=41)
"""


def test_a_subclass_beside_the_file_does_the_work(project: Project, run: Run) -> None:
    folder = project.add("club", rows=members(4))
    (project.programs / "careful.py").write_text(SUBCLASS)
    text = (folder / "defs.yaml").read_text()
    (folder / "defs.yaml").write_text(text.replace("passflow.pipeline.PassProgram", "programs.careful.Careful"))
    assert run("club_plan").success
    applied = run("club_apply")
    told = applied.asset_materializations_for_node("club__apple_wallet")[-1].metadata
    assert told["passflow/pushed"].value == 41
    assert told["passflow/signed"].value == 4


def test_the_public_name_is_the_component() -> None:
    import passflow.pipeline

    assert passflow.pipeline.__all__ == ["PassProgram"]
    assert issubclass(PassProgram, dg.Component)


def test_an_approval_names_who_gave_it(project: Project, run: Run) -> None:
    project.add("club", first_load=False, rows=members(4))
    plan = run("club_plan").asset_materializations_for_node("club__pass_plan")[-1]
    plan_id = plan.metadata["passflow/plan_id"].value
    for_run = {"plan_id": plan_id, "kind": "create", "count": 4}
    result = run("club_approve", run_config={"ops": {"club__approve": {"config": for_run}}})
    with project.open() as installation, installation.store.read() as conn:
        actors = set(conn.execute(select(audit.c.actor).where(audit.c.subject == plan_id)).scalars())
    assert actors == {f"dagster run {result.run_id}"}
