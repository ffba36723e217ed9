"""``docs/program-file.md``: every setting of a program file, from the JSON schema of its model."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from passflow.docs.markdown import GENERATED, code, plain, table

Schema = Mapping[str, Any]

INTRODUCTION = """# The program file

One program, one kind of pass. The file is a Dagster `defs.yaml`, and the command line reads the same one:

```yaml
type: passflow.pipeline.PassProgram
attributes:
  program: gold
  source: …
```

Everything below stands under `attributes:`. A setting that is not listed here is refused, with the line and the path.
`{{ env.NAME }}`, `{{ env('NAME') }}` and `{{ env('NAME', 'default') }}` are filled in from the environment, as text; a
variable that is not set is an error. Secrets are references (`env:NAME`, `file:/path`), never values. Bold settings must be
given.
"""


def program_file_page() -> str:
    """The page as Markdown, with the vendors of this installation."""
    from passflow.program import program_model

    return render(program_model().model_json_schema())


def render(schema: Schema) -> str:
    """A page for a JSON schema whose definitions are objects; each gets a section, in the order of first use."""
    definitions = schema.get("$defs", {})
    parts = [_settings(schema, definitions)]
    for name in _in_order(schema, definitions):
        definition = definitions[name]
        about = plain(definition.get("description", "")).split("\n\n")[0]
        parts.append(f"## {name}\n\n{about}\n\n{_settings(definition, definitions)}")
    return f"{GENERATED}\n{INTRODUCTION}\n" + "\n".join(parts)


def _settings(schema: Schema, definitions: Mapping[str, Schema]) -> str:
    required = set(schema.get("required", ()))
    rows = [
        (
            f"**{code(name)}**" if name in required else code(name),
            _type(each),
            _default(each),
            plain(_description(each, definitions)).replace("\n\n", " "),
        )
        for name, each in schema.get("properties", {}).items()
    ]
    if rows:
        return table(("setting", "value", "default", "meaning"), rows)
    return f"Value: {_type(schema)}.\n"


def _description(schema: Schema, definitions: Mapping[str, Schema]) -> str:
    """What a setting is for; pydantic leaves it out where the model it refers to says the same."""
    if "description" in schema or "$ref" not in schema:
        return str(schema.get("description", ""))
    return plain(definitions[_name(schema["$ref"])].get("description", "")).split("\n\n")[0]


def _type(schema: Schema) -> str:
    if "$ref" in schema:
        name = _name(schema["$ref"])
        return f"[{name}](#{name.lower()})"
    for key in ("anyOf", "oneOf", "allOf"):
        if key in schema:
            return " or ".join(dict.fromkeys(_type(each) for each in schema[key] if each.get("type") != "null"))
    if "const" in schema:
        return code(json.dumps(schema["const"]))
    if "enum" in schema:
        return ", ".join(code(each) for each in schema["enum"])
    if schema.get("type") == "array":
        items = schema.get("items") or schema.get("prefixItems", [{}])[0]
        return f"list of {_type(items)}"
    if schema.get("type") == "object":
        inner = schema.get("additionalProperties")
        return f"mapping to {_type(inner)}" if isinstance(inner, Mapping) else "mapping"
    return _simple(schema)


def _simple(schema: Schema) -> str:
    words = {"string": "text", "integer": "whole number", "number": "number", "boolean": "`true` or `false`"}
    bounds = [
        f"{sign} {schema[key]}"
        for key, sign in (("minimum", "≥"), ("exclusiveMinimum", ">"), ("maximum", "≤"), ("exclusiveMaximum", "<"))
        if key in schema
    ]
    if "pattern" in schema and len(schema["pattern"]) <= 40:
        bounds.append(code(schema["pattern"]))
    kind = words.get(schema.get("type", ""), "any value")
    return f"{kind} {', '.join(bounds)}".strip()


def _default(schema: Schema) -> str:
    if "default" not in schema or schema["default"] in (None, "", [], {}):
        return ""
    text = json.dumps(schema["default"], ensure_ascii=False)
    return code(text) if len(text) <= 40 else "see there"


def _in_order(schema: Schema, definitions: Mapping[str, Schema]) -> Iterator[str]:
    seen: set[str] = set()
    queue = list(_references(schema.get("properties", {})))
    while queue:
        name = queue.pop(0)
        if name not in seen:
            seen.add(name)
            yield name
            queue[:0] = _references(definitions[name])


def _references(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        if isinstance(value.get("$ref"), str):
            yield _name(value["$ref"])
        for key, each in value.items():
            if key != "discriminator":
                yield from _references(each)
    elif isinstance(value, list):
        for each in value:
            yield from _references(each)


def _name(reference: str) -> str:
    return reference.rpartition("/")[2]
