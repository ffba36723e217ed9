"""The ``attributes:`` of a program file as Dagster sees them: rendered before they are validated, described as a schema.

Dagster validates what stands in the file before a component may look at it. So the model renders its own ``{{ … }}``
leaves first, and its JSON schema, which ``dg check yaml`` uses on the unrendered text, lets such a leaf stand anywhere.
"""

from __future__ import annotations

from functools import cache
from typing import Any, get_args

from pydantic import ModelWrapValidatorHandler, ValidationError, model_validator
from pydantic_core import InitErrorDetails
from pydantic_core.core_schema import ErrorType

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
    program = program_model()

    class PassProgram(program):  # type: ignore[misc, valid-type]  # its vendors are known at run time only
        __doc__ = Program.__doc__

        @model_validator(mode="wrap")
        @classmethod
        def _render(cls, attributes: Any, handler: ModelWrapValidatorHandler[Any]) -> Any:
            try:
                return handler(render_leaves(attributes))
            except ValidationError as error:
                raise ValidationError.from_exception_data(error.title, _known_to_dagster(error)) from None

        @classmethod
        def model_json_schema(cls, *args: Any, **kwargs: Any) -> dict[str, Any]:
            """The program's JSON schema, with its short forms, and an expression allowed for every single value."""
            return _widened(super().model_json_schema(*args, **kwargs))

    return PassProgram


def _known_to_dagster(error: ValidationError) -> list[InitErrorDetails]:
    """The same errors; Dagster rebuilds each from its type to add the line, and knows pydantic's own types only."""
    own = get_args(ErrorType)
    found: list[InitErrorDetails] = []
    for item in error.errors(include_url=False):
        known = item["type"] in own
        context = item.get("ctx", {}) if known else {"error": ValueError(item["msg"])}
        kind = item["type"] if known else "value_error"
        # a block may hold a secret that was written out; a single value that may is of a type of our own
        shown = item["input"] if known and not isinstance(item["input"], dict | list) else None
        found.append(InitErrorDetails(type=kind, loc=item["loc"], input=shown, ctx=context))
    return found


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
    if schema.get("type") == "array":
        schema = {"items": {}, **schema}  # Dagster makes an example of every type, and fails on a list of nothing
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
