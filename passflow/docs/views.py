"""The reference of the SQL views."""

from __future__ import annotations

from typing import Final

from passflow.docs.markdown import GENERATED

HEAD: Final = """\
# SQL views

Read these from any tool that reads your store's database; they are the same on SQLite and PostgreSQL, and they stay when
tables change. Times are ISO 8601 in UTC, hashes are hexadecimal, and nothing here is sealed or personal.
"""


def views_page() -> str:
    """``docs/views.md``: every view with its columns."""
    from passflow.store.views import describe_views

    return "\n".join([GENERATED, HEAD, *describe_views()]).rstrip() + "\n"
