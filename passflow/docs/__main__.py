"""Writes the generated references: ``python -m passflow.docs [FOLDER]``, by default ``docs``."""

from __future__ import annotations

import sys
from pathlib import Path

from passflow.docs.pages import write_pages

for path in write_pages(Path(sys.argv[1] if len(sys.argv) > 1 else "docs")):
    sys.stdout.write(f"{path}\n")
