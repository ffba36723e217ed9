"""Templates: from a member to what a wallet shows.

A `Template` is read from the program file, compiled once against the member fields' declared types, and rendered for
every member. Nothing heavy is imported before something is rendered.
"""

from passflow.model import FieldType, Value
from passflow.template.apple import AppleEnvelope, render_apple
from passflow.template.compile import CompiledTemplate, compile_template, required_fields
from passflow.template.design import Template, read_template
from passflow.template.fields import (
    localisation,
    personal_images,
    render_fields,
    ringing_fields,
    rings,
    shared_images,
)

__all__ = [
    "AppleEnvelope",
    "CompiledTemplate",
    "FieldType",
    "Template",
    "Value",
    "compile_template",
    "localisation",
    "personal_images",
    "read_template",
    "render_apple",
    "render_fields",
    "required_fields",
    "ringing_fields",
    "rings",
    "shared_images",
]
