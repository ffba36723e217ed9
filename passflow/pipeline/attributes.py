"""The ``attributes:`` of a program file as Dagster sees them: any mapping, described by the program's JSON schema.

Dagster validates what stands in the file before a component may look at it. It gets no more than a schema here, for
``dg check yaml`` and editors; the component reads the attributes with what the command line reads them with.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import BaseModel, ConfigDict

from passflow.errors import ProgramError
from passflow.pipeline.scaffold import example_attributes
from passflow.program import program_model
from passflow.project import InvalidProgram

Locate = Callable[[tuple[str | int, ...]], str]
"""Path inside the attributes → file and line."""

_LEAF = {"type": "string", "pattern": r"\{\{.*\}\}", "description": "An expression such as {{ env.NAME }}."}
_SHORT_FORMS = {
    "MemberField": {"type": "string", "description": "The column, taken as it is."},
    "Lifecycle.expires": {"type": "string", "description": "One member field."},
    "AssetSource.key": {"type": "string", "description": "The key's parts, joined by slashes."},
}
"""What a model also takes and its JSON schema does not say, by model or model.field."""

_TEXT_LIMITS = {"pattern", "format", "enum", "const", "minLength", "maxLength"}


class ProgramAttributes(BaseModel):
    """Attributes as they stand in the file, not yet rendered."""

    model_config = ConfigDict(extra="allow", frozen=True, title="Pass program")

    @property
    def raw(self) -> dict[str, Any]:
        """Everything that stands there."""
        return dict(self.model_extra or {})

    @classmethod
    def model_json_schema(cls, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """The program's JSON schema, with its short forms, and an expression allowed for every single value."""
        # Dagster would make an example of every setting there is; this one is shorter, and it loads
        examples = [example_attributes("members")]
        return {**_widened(program_model().model_json_schema(*args, **kwargs)), "examples": examples}


def located(error: ProgramError, locate: Locate) -> ProgramError:
    """The same error, with file and line of every problem."""
    if not isinstance(error, InvalidProgram):
        return ProgramError(f"{locate(())}: {error.message}", fix=error.fix, code=error.error_code)
    problems = [(path, f"{message} ({locate(path)})") for path, message in error.problems]
    return InvalidProgram(f"The program has {len(problems)} problem(s)", problems)


def _widened(schema: dict[str, Any]) -> dict[str, Any]:
    for name, short in _SHORT_FORMS.items():
        model, _, field = name.partition(".")
        place = schema["$defs"][model]["properties"] if field else schema["$defs"]
        place[field or model] = {"anyOf": [short, place[field or model]]}
    widened: dict[str, Any] = _with_leaves(schema)
    return widened


def _with_leaves(schema: Any, name: str = "") -> Any:
    if isinstance(schema, list):
        return [_with_leaves(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if name != "type" and _is_strict_leaf(schema):
        notes = {key: schema[key] for key in ("title", "description", "default") if key in schema}
        return {**notes, "anyOf": [{key: value for key, value in schema.items() if key not in notes}, _LEAF]}
    return {
        key: {field: _with_leaves(value, field) for field, value in item.items()}
        if key in ("properties", "$defs")
        else _with_leaves(item)
        if key in ("items", "prefixItems", "anyOf", "oneOf", "allOf", "additionalProperties")
        else item
        for key, item in schema.items()
    }


def _is_strict_leaf(schema: dict[str, Any]) -> bool:
    kind = schema.get("type")
    return kind in ("integer", "number", "boolean") or (kind == "string" and bool(_TEXT_LIMITS & schema.keys()))
