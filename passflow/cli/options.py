"""Arguments and options that several verbs share, so that they read the same everywhere."""

from __future__ import annotations

from typing import Annotated

import typer

ProgramName = Annotated[
    str | None,
    typer.Argument(metavar="[PROGRAM]", help="Name of the program; may be left out where there is only one."),
]
ProgramOption = Annotated[
    str | None, typer.Option("--program", "-p", metavar="PROGRAM", help="Name of the program, where there are several.")
]
ExternalId = Annotated[str, typer.Argument(metavar="ID", help="The member's external id in the master system.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]
ShowValues = Annotated[
    bool, typer.Option("--show-values", help="Show members' data in clear; needs a terminal and is audited.")
]
"""Members' data is masked unless a person at a terminal asks for it."""
