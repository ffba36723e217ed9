"""The command line: one module per verb; everything that takes time to import is imported by the verb that needs it."""

from passflow.cli.app import main

__all__ = ["main"]
