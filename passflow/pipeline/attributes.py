"""The ``attributes:`` of a program file as Dagster sees them: rendered before they are validated, described as a schema.

Dagster validates what stands in the file before a component may look at it. So the model renders its own ``{{ … }}``
leaves first, and its JSON schema, which ``dg check yaml`` uses on the unrendered text, lets such a leaf stand anywhere.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from pydantic import create_model, model_validator
from pydantic.json_schema import GenerateJsonSchema

from passflow.program import Program, program_model
from passflow.project import render_leaves

_LEAF = {"type": "string", "pattern": r"\{\{.*\}\}", "description": "An expression such as {{ env.NAME }}."}
_SHORT_FORMS = {
    "MemberField": {"type": "string", "description": "The column, taken as it is."},
    "Lifecycle.expires": {"type": "string", "description": "One member field."},
}
"""What a model also takes and its JSON schema does not say, by model or model.field."""

_TEXT_LIMITS = {"pattern", "format", "enum", "const", "minLength", "maxLength"}


@cache
def attributes_model() -> type[Program]:
    """The program model, rendering its leaves before it validates them; errors keep the path in the file."""
    return create_model("PassProgram", __base__=(_Rendered, program_model()), __doc__=Program.__doc__)


class _Rendered(Program):
    @model_validator(mode="before")
    @classmethod
    def _render(cls, attributes: Any) -> Any:
        return render_leaves(attributes)

    @classmethod
    def model_json_schema(cls, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """The program's JSON schema, with an expression allowed for every single value but a ``type``."""
        kwargs.setdefault("schema_generator", GenerateJsonSchema)
        schema = super().model_json_schema(*args, **kwargs)
        for name, short in _SHORT_FORMS.items():
            model, _, field = name.partition(".")
            place = schema["$defs"][model]["properties"] if field else schema["$defs"]
            place[field or model] = {"anyOf": [short, place[field or model]]}
        rendered: dict[str, Any] = _with_leaves(schema)
        return rendered


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
