"""What the assets of a program say of themselves: columns, lineage, values they refuse, a picture of nobody."""

import base64
import io
from decimal import Decimal

import dagster as dg
import pytest
from PIL import Image

from passflow.errors import PlanError
from passflow.pipeline.lineage import column_lineage, column_schema, pass_fields
from passflow.pipeline.picture import specimen
from passflow.pipeline.resources import refusing_io
from passflow.program import Program
from passflow.project import load_programs
from passflow_tests.pipeline.club import Project, Run, members


@pytest.fixture
def club(project: Project) -> Program:
    project.add("club", rows=members(2))
    return load_programs(project.programs)["club"]


def deps(program: Program, kind: str) -> dict[str, list[tuple[str, str]]]:
    found = column_lineage(program, kind)["dagster/column_lineage"].deps_by_column
    return {name: [(dep.asset_key.to_user_string(), dep.column_name) for dep in each] for name, each in found.items()}


def test_a_pass_field_leads_back_to_the_source_column(club: Program) -> None:
    assert deps(club, "passes")["member"] == [("club/members", "given_name")]
    assert deps(club, "members")["given_name"] == [("club/source", "first_name")]
    assert deps(club, "passes")["barcode_qr"] == [("club/members", "external_id")]


def test_every_column_of_the_lineage_is_in_a_schema(club: Program) -> None:
    """A dangling name would draw an arrow to nowhere."""
    columns = {kind: {c.name for c in column_schema(club, kind).columns} for kind in ("source", "members", "passes")}
    for kind in ("members", "passes"):
        for name, upstream in deps(club, kind).items():
            assert name in columns[kind]
            for key, column in upstream:
                assert column in columns[key.removeprefix("club/")]


def test_ids_are_unique_and_people_are_tagged(club: Program) -> None:
    by_name = {column.name: column for column in column_schema(club, "members").columns}
    assert by_name["external_id"].constraints.unique
    assert not by_name["external_id"].constraints.nullable
    assert by_name["points"].type == "int"
    assert "personal" in by_name["given_name"].tags
    assert "personal" not in by_name["points"].tags


def test_a_template_that_does_not_parse_still_has_its_fields(club: Program) -> None:
    broken = club.template.secondary[0].model_copy(update={"value": "{given_name"})
    program = club.model_copy(update={"template": club.template.model_copy(update={"secondary": (broken,)})})
    assert dict(pass_fields(program))["member"] == ()


def test_a_returned_value_is_refused(project: Project) -> None:
    """Nothing of a member may be pickled into Dagster's files."""

    @dg.asset(io_manager_key="passflow_io")
    def leaking() -> dict[str, str]:
        return {"name": "Zoë"}

    @dg.asset(ins={"leaking": dg.AssetIn(input_manager_key="passflow_io")})
    def reading(leaking: object) -> None: ...

    resources = {"passflow_io": refusing_io}
    with pytest.raises(PlanError, match="returned a value"):
        dg.materialize([leaking], resources=resources)
    with pytest.raises(PlanError, match="no value to load"):
        dg.materialize([leaking, reading], selection=[reading], resources=resources)


def test_the_specimen_is_nobody_and_of_the_declared_types(club: Program) -> None:
    values = specimen(club)
    assert values["given_name"] == "Zoë"
    assert values["points"] == 1250
    assert type(values["points"]) is int
    assert set(values) == set(club.members.fields)
    assert not isinstance(values["points"], Decimal)


def test_the_plan_shows_a_picture_of_the_pass(project: Project, run: Run) -> None:
    project.add("club", rows=members(2, names="Przemysława"))
    result = run("club_plan")
    plan = result.asset_materializations_for_node("club__pass_plan")[-1]
    text = plan.metadata["passflow/preview"].value
    assert isinstance(text, str)
    head, _, data = text.partition("base64,")
    assert head == "![A pass with invented values](data:image/png;"
    picture = base64.b64decode(data.removesuffix(")"))
    assert len(picture) < 200_000
    with Image.open(io.BytesIO(picture)) as image:
        image.load()
        assert image.format == "PNG"
        assert image.width > 400
        assert (0x1B, 0x1F, 0x3B) in {pixel[:3] for _, pixel in image.convert("RGBA").getcolors(1 << 24) or []}


def test_the_sample_of_operations_masks_people(project: Project, run: Run) -> None:
    project.add("club", rows=members(30, names="Przemysława"))
    run("club_plan")
    run("club_apply")
    project.write_members("club", members(30, names="Przemysława", points=250))
    plan = run("club_plan").asset_materializations_for_node("club__pass_plan")[-1]
    sample = [dict(record.data) for record in plan.metadata["passflow/operations"].records]  # type: ignore[union-attr]  # table
    assert len(sample) == 11
    assert sample[0]["operation"] == "~ update 🔔"
    assert str(sample[0]["changes"]).startswith("points: ")
    assert sample[-1]["member"] == "and 20 more"
    assert "Przemys" not in str(sample)
    assert "000001" not in str(sample)
