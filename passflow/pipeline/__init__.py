"""passflow inside Dagster: one component, :class:`PassProgram`, per program file."""

from passflow.pipeline.component import PassProgram

__all__ = ["PassProgram"]
