"""Members from files: CSV, JSON lines or Parquet, here or in any store that fsspec reaches.

Every CSV and JSON value is read as the text it is, so that leading zeros and long numbers survive; the mapping gives it a
type. A read is proved complete when nothing changed while it ran, the last line is whole, and a control count agrees; a
single Parquet file proves itself by its footer.
"""

from __future__ import annotations

import codecs
import hashlib
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from passflow.errors import SourceError
from passflow.model import Proof
from passflow.ports import Read, SourceContext, SourceSettings
from passflow.security.secrets import SecretRef
from passflow.sources._formats import CsvDialect, Wanted, read_csv, read_header, read_parquet, read_schema
from passflow.sources._json_lines import read_json_lines, read_keys
from passflow.sources._locations import Location, find_files
from passflow.sources._read import CountedRead, require_columns
from passflow.sources._streams import TextStream

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Control", "FilesSource"]

Format = Literal["csv", "jsonl", "parquet"]

_SUFFIXES: Final[dict[str, Format]] = {
    ".csv": "csv", ".tsv": "csv", ".txt": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet", ".pq": "parquet",
}  # fmt: skip
_SECRET_NAME: Final = re.compile(r"secret|password|passwd|token|credential|connection_string|(^|_)key$", re.IGNORECASE)


class Control(BaseModel):
    """What proves that files are whole, beside their own content."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rows_file: str | None = Field(default=None, description="File whose first number is the row count of all files.")
    trailer: str | None = Field(
        default=None,
        description="Pattern of the last line, whose first group is the file's row count; it is not a row.",
    )
    files: int | None = Field(
        default=None, ge=1, description="How many files belong to a read, where `path` is a pattern."
    )

    @model_validator(mode="after")
    def _check(self) -> Control:
        if self.trailer is not None:
            try:
                groups = re.compile(self.trailer).groups
            except re.error:
                raise ValueError("`trailer` is not a regular expression") from None
            if not groups:
                raise ValueError("`trailer` needs a group for the row count, such as `^#rows=([0-9]+)$`")
        return self


@dataclass(slots=True)
class _Tally:
    """What was noticed on the way."""

    whole: bool = True
    trailer_rows: int = 0
    trailers: int = 0


class FilesSource(SourceSettings):
    """CSV, JSON lines or Parquet files."""

    label: ClassVar[str] = "Files"
    docs_url: ClassVar[str] = "https://filesystem-spec.readthedocs.io/"

    type: Literal["files"] = Field(description="Files: CSV, JSON lines or Parquet.")
    path: str = Field(
        min_length=1, description="Path or URL, with `*` for several files; relative to the program file."
    )
    format: Format | None = Field(default=None, description="Format, where the file's ending does not tell.")
    delimiter: str | None = Field(
        default=None, min_length=1, max_length=1, description="CSV delimiter; a comma, in .tsv a tab."
    )
    quote: str | None = Field(
        default='"', min_length=1, max_length=1, description="CSV quote character; null for none."
    )
    encoding: str = Field(default="utf-8", description="Encoding of the text, as Python names it: `cp1252`, `utf-16`.")
    header: bool = Field(default=True, description="Whether the first CSV row holds the column names.")
    column_names: tuple[str, ...] = Field(default=(), description="Column names of a CSV file without header.")
    null_values: tuple[str, ...] = Field(
        default=(), description="Unquoted CSV cells that mean nothing, such as `NULL`."
    )
    max_row_bytes: int = Field(default=4 << 20, ge=1 << 16, le=1 << 26, description="Longest row, in bytes.")
    control: Control | None = Field(default=None, description="What proves that the files are whole.")
    storage_options: dict[str, str | int | bool] = Field(default={}, description="Options of the fsspec file system.")
    storage_secrets: dict[str, SecretRef] = Field(default={}, description="Its secret options, as references.")

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, name: str) -> str:
        try:
            codecs.getincrementaldecoder(name)().decode(b"")
            "".encode(name)
        except (LookupError, AttributeError, ValueError):
            raise ValueError(f"`encoding` {name!r} is not a text encoding; try utf-8, cp1252 or utf-16") from None
        return name

    @field_validator("path")
    @classmethod
    def _no_password(cls, path: str) -> str:
        if "://" in path and "@" in path and urlsplit(path).password:
            raise ValueError("`path` holds a password; put it under `storage_secrets` as a reference")
        return path

    @model_validator(mode="after")
    def _check_whole(self) -> FilesSource:
        for name in self.storage_options:
            if _SECRET_NAME.search(name):
                raise ValueError(f"`storage_options` holds {name!r}; put it under `storage_secrets` as a reference")
        if self.header == bool(self.column_names):
            raise ValueError("`column_names` goes with `header: false`, and only with it")
        if self.kind == "parquet" and self.control is not None and self.control.trailer is not None:
            raise ValueError("`control: trailer` is for text files; a Parquet file has its own row count")
        return self

    @property
    def kind(self) -> Format:
        """The format of the files.

        Raises:
            ValueError: neither ``format`` nor the path's ending tells.
        """
        if self.format is not None:
            return self.format
        plain = re.sub(r"\.(gz|bz2|xz|zst)$", "", self.path, flags=re.IGNORECASE)
        found = _SUFFIXES.get(posixpath.splitext(plain)[1].lower())
        if found is None:
            raise ValueError("the ending of `path` does not tell its format; set `format: csv`, jsonl or parquet")
        return found

    def open(self, context: SourceContext) -> Read:
        """Starts a read of all files, in the order of their names."""
        files = self._files(context)
        if self.kind == "csv":
            for file in files:
                require_columns(context.columns, self._columns(file, context), file.name)
        tally = _Tally()
        return CountedRead(self._batches(files, context, tally), lambda rows: self._prove(files, context, tally, rows))

    def check(self, context: SourceContext) -> tuple[str, ...]:
        """Names of the columns that the first file has; of JSON lines, the keys of the first."""
        file = self._files(context)[0]
        if self.kind == "csv":
            return self._columns(file, context)
        if self.kind == "parquet":
            return read_schema(file.open(), file.name)
        with self._text(file) as stream:
            return read_keys(stream, self._wanted(file, context))

    def mark(self, context: SourceContext) -> str:
        """Size, version, head and tail of every file, and the control count, as one hash."""
        digest = hashlib.sha256()
        for file in self._files(context):
            digest.update(f"{file.path}\0{file.stamp}\0".encode() + file.sample())
        digest.update(str(self._control_rows(context)).encode())
        return digest.hexdigest()

    def _files(self, context: SourceContext, path: str | None = None) -> list[Location]:
        secrets = {name: ref.reveal().value for name, ref in self.storage_secrets.items()}
        return find_files(path or self.path, context.base_dir, {**self.storage_options, **secrets})

    def _wanted(self, file: Location, context: SourceContext) -> Wanted:
        return Wanted(file.name, context.columns, context.batch_rows, self.max_row_bytes)

    def _dialect(self, file: Location) -> CsvDialect:
        delimiter = self.delimiter or ("\t" if ".tsv" in file.name.lower() else ",")
        return CsvDialect(delimiter, self.quote, self.column_names, self.null_values)

    def _columns(self, file: Location, context: SourceContext) -> tuple[str, ...]:
        with self._text(file) as stream:
            found = read_header(stream, self._wanted(file, context), self._dialect(file))
        return found if self.header else self.column_names

    def _text(self, file: Location) -> TextStream:
        trailer = self.control.trailer if self.control is not None else None
        return TextStream(file.open(), encoding=self.encoding, trailer=re.compile(trailer) if trailer else None)

    def _batches(self, files: list[Location], context: SourceContext, tally: _Tally) -> Iterator[pa.RecordBatch]:
        for file in files:
            wanted = self._wanted(file, context)
            if self.kind == "parquet":
                with file.open() as opened:
                    yield from read_parquet(opened, wanted)
                continue
            with self._text(file) as stream:
                if self.kind == "csv":
                    yield from read_csv(stream, wanted, self._dialect(file))
                else:
                    yield from read_json_lines(stream, wanted)
                tally.whole = tally.whole and stream.ends_with_newline
                if stream.trailer_rows is not None:
                    tally.trailers += 1
                    tally.trailer_rows += stream.trailer_rows

    def _prove(self, files: list[Location], context: SourceContext, tally: _Tally, rows: int) -> Proof:
        """Whether anything of the files may be missing."""
        if [(file.path, file.stamp) for file in self._files(context)] != [(file.path, file.stamp) for file in files]:
            return Proof(False, rows, "the files changed while they were read")
        if not rows:
            return Proof(False, rows, "there are no rows, which is more often a failed export than an empty business")
        if not tally.whole:
            return Proof(False, rows, "the last line has no line end, as in a file that was cut off")
        control = self.control or Control()
        if control.files is not None and len(files) != control.files:
            return Proof(False, rows, f"there are {len(files)} files where {control.files} are expected")
        if control.trailer is not None and tally.trailers != len(files):
            return Proof(False, rows, f"{len(files) - tally.trailers} of {len(files)} files lack the trailer line")
        counts = [("the trailer", tally.trailer_rows)] if control.trailer is not None else []
        if control.rows_file is not None:
            counted = self._control_rows(context)
            if counted is None:
                return Proof(False, rows, "the control file is missing or holds no number")
            counts.append(("the control file", counted))
        for where, count in counts:
            if count != rows:
                return Proof(False, rows, f"{where} counts {count} rows, {rows} were read")
        return self._judge(files, rows, [where for where, _ in counts])

    def _judge(self, files: list[Location], rows: int, counted_by: list[str]) -> Proof:
        control = self.control or Control()
        several = len(files) > 1 or "*" in self.path or "?" in self.path
        if several and "the control file" not in counted_by and control.files is None:
            return Proof(
                False, rows, "a file that is missing would not be noticed; set `control: files` or `rows_file`"
            )
        if counted_by:
            return Proof(True, rows, f"{' and '.join(counted_by)} counts {rows} rows, as many as were read")
        if self.kind == "parquet":
            return Proof(True, rows, "the Parquet footer counts as many rows as were read")
        return Proof(False, rows, "no control count is set, and a file that was cut at a line end looks whole")

    def _control_rows(self, context: SourceContext) -> int | None:
        """The count in the control file, or None where there is none."""
        if self.control is None or self.control.rows_file is None:
            return None
        try:
            with self._files(context, self.control.rows_file)[0].open() as opened:
                found = re.match(rb"\s*([0-9]{1,18})(\s|$)", opened.read(1_000))
        except (SourceError, OSError, EOFError):
            return None
        return int(found[1]) if found else None
