"""The contract of every source: inherit :class:`SourceContract` in a vendor's own test file.

::

    class TestAcme(SourceContract):
        def place(self, members, folder):
            ...                                  # put the members where the source finds them
            return AcmeSource(type="acme", ...)

The suite needs pytest. A source that can more (one member by id, a mark of changes) is tested for that too.
"""

# ruff: noqa: S101 - a contract suite asserts

from __future__ import annotations

import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import pytest

from passflow.errors import IncompleteRead, SourceError
from passflow.ports import DetectsChange, ReadsOne, SourceContext, SourceSettings
from passflow.vendors import find, type_name

Row = Mapping[str, str | None]

COLUMNS = ("member_no", "name", "points", "valid_to")
MEMBERS: tuple[Row, ...] = (
    {"member_no": "0007", "name": "Zoë Ångström", "points": "1200", "valid_to": "2026-12-31"},
    {"member_no": "12345678901234567890", "name": 'says "hi", twice', "points": "0", "valid_to": None},
    {"member_no": "A-1", "name": "two\nlines", "points": "-5", "valid_to": "2026-02-28"},
    {"member_no": "a-1", "name": "👩‍👩‍👧", "points": None, "valid_to": "1999-01-01"},
    {"member_no": "x:y%z", "name": "it's", "points": "99999", "valid_to": None},
)
"""Members with what goes wrong most: leading zeros, long numbers, quotes, line ends, case, emoji, nothing."""


class SourceContract(ABC):
    """What passflow relies on in every source.

    Attributes:
        proves: a read of what ``place`` put there can prove itself complete.
        secret: a text that stands for a password in ``broken``; no message may hold it.
    """

    proves: ClassVar[bool] = True
    secret: ClassVar[str] = "hunter2-hunter2"  # noqa: S105 - stands for a password, opens nothing

    @abstractmethod
    def place(self, members: Sequence[Row], folder: Path) -> SourceSettings:
        """Puts members where a source finds them, replacing those that were there, and gives the source.

        Columns are ``COLUMNS``; a value is text or None.
        """

    @abstractmethod
    def broken(self, folder: Path) -> SourceSettings:
        """A source that cannot be read: nothing is there, or it refuses."""

    @pytest.fixture
    def context(self, tmp_path: Path) -> SourceContext:
        """The mapping's columns, in batches of two rows."""
        return SourceContext(base_dir=tmp_path, columns=COLUMNS, id_column="member_no", batch_rows=2)

    def test_is_found_by_its_type(self, tmp_path: Path) -> None:
        """The vendor scan knows the settings class."""
        kind = type(self.place(MEMBERS, tmp_path))
        name = type_name(kind)
        assert name is not None
        assert find("sources")[name] is kind

    def test_settings_are_frozen_strict_and_described(self, tmp_path: Path) -> None:
        """Settings say what they are, and refuse what they are not."""
        kind = type(self.place(MEMBERS, tmp_path))
        assert kind.model_config.get("frozen")
        assert kind.model_config.get("extra") == "forbid"
        assert all(field.description for field in kind.model_fields.values())
        assert kind.label
        assert kind.model_json_schema()["additionalProperties"] is False

    def test_loading_it_loads_nothing_heavy(self, tmp_path: Path) -> None:
        """Dagster loads every vendor when it loads its code; data libraries come with the read."""
        module = type(self.place(MEMBERS, tmp_path)).__module__
        heavy = "{'polars', 'pyarrow', 'pandas', 'numpy', 'sqlalchemy', 'fsspec', 'httpx', 'dlt', 'dagster'}"
        program = f"import sys, {module}; print(*sorted({heavy} & set(sys.modules)))"
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)  # noqa: S603 - this very Python
        assert done.stdout.split() == []

    def test_gives_every_member_as_it_is(self, tmp_path: Path, context: SourceContext) -> None:
        """All rows once, text unchanged, no batch larger than asked for."""
        read = self.place(MEMBERS, tmp_path).open(context)
        rows: list[dict[str, object]] = []
        for batch in read:
            assert 0 < batch.num_rows <= context.batch_rows
            assert set(batch.schema.names) >= set(COLUMNS)
            rows += batch.select(list(COLUMNS)).to_pylist()
        shown = [{name: None if value in (None, "") else str(value) for name, value in row.items()} for row in rows]
        assert sorted(map(str, shown)) == sorted(map(str, map(dict, MEMBERS)))
        proof = read.proof()
        assert proof.rows == len(MEMBERS)
        assert proof.reason
        assert proof.complete is self.proves

    def test_an_abandoned_read_proves_nothing(self, tmp_path: Path, context: SourceContext) -> None:
        """Neither before the first row nor in the middle."""
        read = self.place(MEMBERS, tmp_path).open(context)
        with pytest.raises(IncompleteRead):
            read.proof()
        for _ in read:
            break
        with pytest.raises(IncompleteRead):
            read.proof()

    def test_a_read_is_gone_through_once(self, tmp_path: Path, context: SourceContext) -> None:
        """A second pass would look like an empty master system."""
        read = self.place(MEMBERS, tmp_path).open(context)
        assert list(read)
        with pytest.raises(SourceError):
            list(read)

    def test_a_column_that_is_not_there_is_named(self, tmp_path: Path, context: SourceContext) -> None:
        """Before any row is used."""
        wanted = context.model_copy(update={"columns": (*COLUMNS, "no_such_column")})
        with pytest.raises(SourceError, match="no_such_column") as caught:
            list(self.place(MEMBERS, tmp_path).open(wanted))
        assert caught.value.error_code == "source.column_missing"

    def test_what_cannot_be_read_is_an_error_and_not_empty(self, tmp_path: Path, context: SourceContext) -> None:
        """With a next step, and without a secret or a chain of causes that shows one."""
        with pytest.raises(SourceError) as caught:
            list(self.broken(tmp_path).open(context))
        assert caught.value.fix
        assert self.secret not in str(caught.value)
        assert caught.value.__cause__ is None
        assert self.secret not in repr(self.broken(tmp_path))

    def test_check_names_the_columns(self, tmp_path: Path, context: SourceContext) -> None:
        """Without reading the rows."""
        assert set(COLUMNS) <= set(self.place(MEMBERS, tmp_path).check(context))

    def test_reads_one_member_by_id(self, tmp_path: Path, context: SourceContext) -> None:
        """Where the source can: exactly that one, whatever characters its id has."""
        source = self.place(MEMBERS, tmp_path)
        if not isinstance(source, ReadsOne):
            pytest.skip("this source cannot read one member")
        for member in MEMBERS:
            batch = source.read_one(context, member["member_no"] or "")
            assert batch is not None
            assert batch.select(list(COLUMNS)).to_pylist() == [dict(member)]
        for unknown in ("nobody", "7", "' OR 1=1 --", "%", ""):
            assert source.read_one(context, unknown) is None

    def test_a_mark_changes_with_the_members_only(self, tmp_path: Path, context: SourceContext) -> None:
        """Where the source can tell: equal marks mean nothing new."""
        source = self.place(MEMBERS, tmp_path)
        if not isinstance(source, DetectsChange):
            pytest.skip("this source cannot tell whether anything changed")
        before = source.mark(context)
        assert source.mark(context) == before
        more = {"member_no": "new", "name": "New", "points": "1", "valid_to": "2099-12-31"}
        changed = self.place([*MEMBERS, more], tmp_path)
        assert isinstance(changed, DetectsChange)
        assert changed.mark(context) != before
