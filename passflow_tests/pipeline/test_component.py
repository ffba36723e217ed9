"""One document of a program file as a component: what it says of mistakes, what it defines, how it is overridden."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import jsonschema
import pytest
import yaml
from dagster.components.core.package_entry import discover_entry_point_package_objects
from dagster.components.core.snapshot import get_package_entry_snap
from dagster.components.testing import create_defs_folder_sandbox
from dagster_shared.serdes.objects import EnvRegistryKey

from passflow.pipeline import PassProgram
from passflow.pipeline.attributes import ProgramAttributes
from passflow.pipeline.scaffold import write_program
from passflow_tests.pipeline.club import Project, members


class Renamed(PassProgram):
    """An override, as a user would write it."""

    def get_asset_spec(self, kind: str) -> dg.AssetSpec:
        return super().get_asset_spec(kind).replace_attributes(owners=["team:elsewhere"])


@pytest.fixture
def attributes(tmp_path: Path) -> dict[str, object]:
    """Attributes of the scaffolded program."""
    text = write_program(tmp_path / "club", type_name="x").read_text()
    return yaml.safe_load(text)["attributes"]


@contextmanager
def loaded(
    attributes: dict[str, object], cls: type[PassProgram] = PassProgram
) -> Iterator[tuple[PassProgram, dg.Definitions]]:
    with create_defs_folder_sandbox() as sandbox:
        folder = sandbox.scaffold_component(
            component_cls=PassProgram,
            defs_path="club",
            defs_yaml_contents={"type": name_of(cls), "attributes": attributes},
        )
        with sandbox.load_component_and_build_defs(folder) as (component, defs):
            assert isinstance(component, cls)
            yield component, defs


def name_of(cls: type[PassProgram]) -> str:
    return "passflow.pipeline.PassProgram" if cls is PassProgram else f"{cls.__module__}.{cls.__qualname__}"


def test_what_is_scaffolded_loads(attributes: dict[str, object]) -> None:
    with loaded(attributes) as (_, defs):
        keys = {key.to_user_string() for key in defs.resolve_asset_graph().get_all_asset_keys()}
        assert keys == {"club/source", "club/members", "club/pass_plan", "club/passes", "club/apple_wallet"}


def test_an_override_of_the_specs_reaches_every_asset(attributes: dict[str, object]) -> None:
    with loaded(attributes, Renamed) as (_, defs):
        graph = defs.resolve_asset_graph()
        owners = {tuple(graph.get(key).owners) for key in graph.get_all_asset_keys()}
    assert owners == {("team:elsewhere",)}


def test_text_stays_text(attributes: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> None:
    """Dagster's own rendering makes a number of such a text; ids and codes must keep theirs."""
    monkeypatch.setenv("CARD_PREFIX", "3388000000022000000")
    template = attributes["template"]
    assert isinstance(template, dict)
    template["organization"] = "1e5"
    template["description"] = "{{ env.CARD_PREFIX }}"
    with loaded(attributes) as (component, _):
        pass
    assert component.program.template.organization == "1e5"
    assert component.program.template.description == "3388000000022000000"


def test_a_number_may_come_from_the_environment(attributes: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHARDS", "4")
    with loaded({**attributes, "shards": "{{ env.SHARDS }}"}) as (_, defs):
        graph = defs.resolve_asset_graph()
        partitions = graph.get(dg.AssetKey(["club", "passes"])).partitions_def
    assert partitions is not None
    assert partitions.get_partition_keys() == ["000", "001", "002", "003"]


def test_an_unset_variable_is_an_error_that_names_it(attributes: dict[str, object]) -> None:
    with (
        pytest.raises(Exception, match="loading") as caught,
        loaded({**attributes, "description": "{{ env.NOT_SET }}"}),
    ):
        pass
    assert "NOT_SET" in chain_of(caught.value)


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("shards",), 3, "power of two"),
        (("wallets", 0, "pass_typ"), "x", "no such setting"),
        (("members", "points"), {"column": "p", "type": "money"}, "members.points"),
        (("wallets", 0, "key"), "-----BEGIN PRIVATE KEY-----", "secret"),
    ],
)
def test_a_mistake_is_named_with_file_line_and_path(
    attributes: dict[str, object], path: tuple[str | int, ...], value: object, said: str
) -> None:
    place: object = attributes
    for part in path[:-1]:
        place = place[part]  # type: ignore[index]  # plain data
    place[path[-1]] = value  # type: ignore[index]  # plain data
    with pytest.raises(Exception, match="loading") as caught, loaded(attributes):
        pass
    text = chain_of(caught.value)
    assert said in text
    assert "defs.yaml:" in text
    assert "BEGIN PRIVATE KEY" not in text


def chain_of(error: BaseException | None) -> str:
    texts = []
    while error is not None:
        texts.append(str(error))
        error = error.__cause__ or error.__context__
    return "\n".join(texts)


def test_the_schema_takes_what_loading_takes(attributes: dict[str, object]) -> None:
    schema = ProgramAttributes.model_json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    assert [error.message for error in validator.iter_errors(attributes)] == []
    assert [error.message for error in validator.iter_errors(schema["examples"][0])] == []
    short = {"source": {"type": "asset", "key": "crm/members"}, "lifecycle": {"expires": "expires_at"}}
    assert [error.message for error in validator.iter_errors({**attributes, **short})] == []
    for leaf in ({"shards": "{{ env.SHARDS }}"}, {"schedule": {"cron": "{{ env.CRON }}", "running": "{{ env.RUN }}"}}):
        assert list(validator.iter_errors({**attributes, **leaf})) == []
    wrong = (
        {"shards": "many"},
        {"program": "Gold Club"},
        {"wallets": []},
        {"colour": "red"},
        {"watch": {"running": "no"}},
    )
    for mistake in wrong:
        assert list(validator.iter_errors({**attributes, **mistake})), mistake


def test_every_registered_type_of_this_environment_has_a_schema() -> None:
    """One type without would break `dg` for every project here."""
    objects = discover_entry_point_package_objects()
    objects[EnvRegistryKey("passflow.pipeline", "PassProgram")] = PassProgram
    snaps = {key.to_typename(): get_package_entry_snap(key, found) for key, found in objects.items()}
    ours = snaps["passflow.pipeline.PassProgram"]
    assert ours.owners == ["team:passflow"]
    assert "wallet" in ours.tags
    assert ours.summary.startswith("Keeps the Apple and Google Wallet passes")  # type: ignore[union-attr]  # it has one


def test_post_processing_in_the_file_reaches_the_assets(project: Project) -> None:
    folder = project.add("club", rows=members(1))
    text = (folder / "defs.yaml").read_text()
    (folder / "defs.yaml").write_text(
        text + "post_processing: {assets: [{target: 'key:club/passes', attributes: {tags: {cost_centre: '7'}}}]}\n"
    )
    graph = project.definitions().resolve_asset_graph()
    assert graph.get(dg.AssetKey(["club", "passes"])).tags["cost_centre"] == "7"
    assert "cost_centre" not in graph.get(dg.AssetKey(["club", "members"])).tags


def test_several_programs_in_one_file(project: Project) -> None:
    first = project.add("club")
    second = (first / "defs.yaml").read_text().replace("program: club", "program: gift")
    (first / "defs.yaml").write_text((first / "defs.yaml").read_text() + "---\n" + second)
    graph = project.definitions().resolve_asset_graph()
    assert {key.path[0] for key in graph.get_all_asset_keys()} == {"club", "gift"}
