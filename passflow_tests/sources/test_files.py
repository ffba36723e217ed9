"""Files as they come: encodings, delimiters, cuts, and what each of them proves."""

import csv
import gzip
import io
import json
import os
import random
import subprocess
import sys
from pathlib import Path

import fsspec
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from passflow.errors import IncompleteRead, SourceError
from passflow.ports import SourceContext
from passflow.security.secrets import SecretRef
from passflow.sources.files import FilesSource
from passflow.testing.sources import COLUMNS, SourceContract


def write_csv(path, members, columns=COLUMNS, **options):
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n", **options)
        writer.writeheader()
        writer.writerows(members)


class TestCsv(SourceContract):
    """CSV with a control file."""

    def place(self, members, folder):
        write_csv(folder / "members.csv", members)
        (folder / "members.csv.count").write_text(f"{len(members)} members.csv\n")
        return FilesSource(type="files", path="members.csv", control={"rows_file": "members.csv.count"})

    def broken(self, folder):
        return FilesSource(type="files", path="nothing.csv")


class TestCsvWithoutControl(TestCsv):
    """A CSV file alone may have been cut at a line end."""

    proves = False

    def place(self, members, folder):
        return super().place(members, folder).model_copy(update={"control": None})


class TestJsonLines(SourceContract):
    """JSON lines with a trailer."""

    def place(self, members, folder):
        lines = [json.dumps(dict(member), ensure_ascii=False) for member in members]
        (folder / "members.jsonl").write_text("\n".join([*lines, f"#rows={len(members)}"]) + "\n")
        return FilesSource(type="files", path="members.jsonl", control={"trailer": "^#rows=([0-9]+)$"})

    def broken(self, folder):
        (folder / "list.jsonl").write_text(f'["{self.secret}"]\n')
        return FilesSource(type="files", path="list.jsonl")


class TestParquet(SourceContract):
    """One Parquet file."""

    def place(self, members, folder):
        pl.DataFrame([dict(member) for member in members], schema=dict.fromkeys(COLUMNS, pl.String)).write_parquet(
            folder / "members.parquet", row_group_size=2
        )
        return FilesSource(type="files", path="members.parquet")

    def broken(self, folder):
        (folder / "broken.parquet").write_bytes(f"PAR1{self.secret}PAR1".encode())
        return FilesSource(type="files", path="broken.parquet")


class TestManyFiles(SourceContract):
    """A folder of compressed files, of which none may be missing."""

    def place(self, members, folder):
        for index in range(2):
            rows = members[index::2]
            write_csv(folder / "plain.csv", rows)
            (folder / f"part-{index}.csv.gz").write_bytes(gzip.compress((folder / "plain.csv").read_bytes(), mtime=0))
        (folder / "count").write_text(str(len(members)))
        return FilesSource(type="files", path="part-*.csv.gz", control={"rows_file": "count"})

    def broken(self, folder):
        (folder / "part-x.csv.gz").write_bytes(gzip.compress(b"member_no,name,points,valid_to\n" * 50)[:-10])
        return FilesSource(type="files", path="part-x.csv.gz")


def context(folder, *columns, rows=1000):
    return SourceContext(base_dir=folder, columns=columns or ("id", "v"), id_column="id", batch_rows=rows)


def read(folder, data, name="m.csv", columns=("id", "v"), **settings):
    """All rows of one file as tuples, and its proof."""
    (folder / name).write_bytes(data if isinstance(data, bytes) else data.encode())
    reading = FilesSource(type="files", path=name, **settings).open(context(folder, *columns))
    rows = [tuple(row.values()) for batch in reading for row in batch.to_pylist()]
    return rows, reading.proof()


def refusal(folder, data, name="m.csv", columns=("id", "v"), **settings):
    with pytest.raises(SourceError) as caught:
        read(folder, data, name, columns, **settings)
    assert caught.value.__cause__ is None
    return caught.value


def test_every_csv_value_stays_the_text_it_is(tmp_path):
    values = ["007", "1e5", "1.50", "+49151", "true", "NULL", "NaN", "", " x ", "2026-01-31", "99999999999999999999"]
    rows, _ = read(tmp_path, "id,v\n" + "".join(f"{index},{value}\n" for index, value in enumerate(values)))
    assert [value for _, value in rows] == values


@pytest.mark.parametrize(
    ("data", "options"),
    [
        ("id,v\n1,é\n".encode("utf-8-sig"), {}),
        ("id,v\r\n1,é\r\n".encode(), {}),
        ("id;v\n1;é\n".encode(), {"delimiter": ";"}),
        ("id|v\n1|é\n".encode("cp1252"), {"delimiter": "|", "encoding": "cp1252"}),
        ("id,v\n1,é\n".encode("utf-16"), {"encoding": "utf-16"}),
        ("id,v\n1,é\n".encode("utf-16-le"), {"encoding": "utf-16-le"}),
        ("'id','v'\n1,'é'\n".encode(), {"quote": "'"}),
        ("id,v\n1,é\n".encode(), {"quote": None}),
        ("1,é\n".encode(), {"header": False, "column_names": ["id", "v"]}),
        ("\n\nid,v\n\n1,é\n\n".encode(), {}),
        ("v,other,id\né,x,1\n".encode(), {}),
    ],
)
def test_one_row_in_many_dialects(tmp_path, data, options):
    rows, proof = read(tmp_path, data, **options)
    assert rows == [("1", "é")]
    assert not proof.complete and "cut at a line end" in proof.reason


def test_tabs_by_ending(tmp_path):
    assert read(tmp_path, "id\tv\n1\ta,b\n", "m.tsv")[0] == [("1", "a,b")]
    assert read(tmp_path, gzip.compress(b"id\tv\n1\ta,b\n"), "m.tsv.gz")[0] == [("1", "a,b")]


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_another_delimiter_is_named(tmp_path, delimiter):
    error = refusal(tmp_path, f"id{delimiter}v\n1{delimiter}2\n")
    assert error.error_code == "source.delimiter"
    assert {";": "`;`", "\t": "tab", "|": "`|`"}[delimiter] in error.fix


@pytest.mark.parametrize(
    ("data", "options", "code"),
    [
        (b"", {}, "source.empty"),
        (b"\n\n", {}, "source.empty"),
        (b"id,w\n1,2\n", {}, "source.column_missing"),
        (b"id,v,v\n1,2,3\n", {}, "source.column_ambiguous"),
        (b"id,v\n1,2,3\n", {}, "source.row_unreadable"),
        (b"id,v\n1\n", {}, "source.row_unreadable"),
        ("id,v\n1,é\n".encode("cp1252"), {}, "source.encoding"),
        ("id,v\n1,é\n".encode("utf-16"), {}, "source.encoding"),
        (b"id,v\n1,\x81\n", {"encoding": "cp1252"}, "source.encoding"),
        (b'id,v\n1,"' + b"x" * 300_000 + b"\n2,3\n" * 50_000, {"max_row_bytes": 65_536}, "source.row_too_long"),
        (b"id,v\n1," + b"x" * 10_000_000 + b"\n", {}, "source.row_too_long"),
    ],
)
def test_what_is_wrong_with_a_csv_file(tmp_path, data, options, code):
    assert refusal(tmp_path, data, **options).error_code == code


def test_a_ragged_row_is_placed_and_not_quoted(tmp_path):
    error = refusal(tmp_path, "id,v\n1,a\n2,secret@example.org,c\n")
    assert "3 cells where 2" in error.message
    assert "secret@example.org" not in str(error)


def test_a_cell_of_ten_megabytes_is_allowed_on_purpose(tmp_path):
    rows, _ = read(tmp_path, b"id,v\n1," + b"x" * 10_000_000 + b"\n", max_row_bytes=1 << 24)
    assert len(rows[0][1]) == 10_000_000


def test_nul_bytes_are_kept_for_the_mapping_to_refuse(tmp_path):
    assert read(tmp_path, b"id,v\n1,a\x00b\n")[0] == [("1", "a\x00b")]


def test_line_ends_and_delimiters_inside_quotes(tmp_path):
    assert read(tmp_path, 'id,v\n1,"a\nb, ""c"""\n2,d\n')[0] == [("1", 'a\nb, "c"'), ("2", "d")]


def test_null_values_are_nulls_unless_quoted(tmp_path):
    rows, _ = read(tmp_path, 'id,v\n1,NULL\n2,"NULL"\n3,\n', null_values=["NULL"])
    assert rows == [("1", None), ("2", "NULL"), ("3", "")]


CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00\r"), max_size=8)


@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=20), st.sampled_from([",", ";", "\t"]), st.booleans())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)
def test_reads_what_the_csv_module_writes(tmp_path, rows, delimiter, lines):
    text = io.StringIO()
    quoting = csv.QUOTE_ALL if lines else csv.QUOTE_MINIMAL
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n", quoting=quoting)
    writer.writerows([("id", "v"), *rows])
    if not text.getvalue().splitlines()[1:]:
        return
    assert read(tmp_path, text.getvalue(), delimiter=delimiter)[0] == rows


@given(st.binary(max_size=300))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=200)
def test_any_bytes_give_rows_or_a_source_error(tmp_path, data):
    for name, start in (("m.csv", b"id,v\n"), ("m.jsonl", b""), ("m.parquet", b"PAR1"), ("m.csv.gz", b"")):
        try:
            read(tmp_path, start + data, name)
        except SourceError as error:
            assert error.__cause__ is None


@pytest.mark.parametrize("cut", [*range(1, 60, 3), -1])
def test_a_cut_csv_is_never_proved(tmp_path, cut):
    whole = b"id,v\n" + b"".join(b"%d,value\n" % index for index in range(8))
    control = {"rows_file": "count"}
    (tmp_path / "count").write_text("8")
    assert read(tmp_path, whole, control=control)[1].complete
    try:
        _, proof = read(tmp_path, whole[:-cut] if cut > 0 else whole[:cut], control=control)
    except SourceError:
        return
    assert not proof.complete
    assert not read(tmp_path, whole[:-cut] if cut > 0 else whole[:cut])[1].complete


@pytest.mark.parametrize(
    ("count", "reason"),
    [("3", "counts 3 rows, 2 were read"), ("", "missing or holds no number"), ("two", "no number"), ("2.5", "no number"), (None, "missing")],
)  # fmt: skip
def test_a_control_file_that_disagrees(tmp_path, count, reason):
    if count is not None:
        (tmp_path / "count").write_text(count)
    _, proof = read(tmp_path, "id,v\n1,a\n2,b\n", control={"rows_file": "count"})
    assert not proof.complete
    assert reason in proof.reason


def test_a_trailer_counts_and_is_no_row(tmp_path):
    control = {"trailer": r"^TRAILER;([0-9]+)"}
    rows, proof = read(tmp_path, "id,v\n1,a\n2,b\nTRAILER;2;x\r\n", control=control)
    assert rows == [("1", "a"), ("2", "b")]
    assert proof.complete
    assert not read(tmp_path, "id,v\n1,a\nTRAILER;2\n", control=control)[1].complete
    _, missing = read(tmp_path, "id,v\n1,a\n2,b\n", control=control)
    assert "lack the trailer" in missing.reason


def test_a_trailer_is_found_after_many_chunks(tmp_path):
    body = "id,v\n" + "".join(f"{index},{'x' * 50}\n" for index in range(60_000))
    rows, proof = read(tmp_path, f"{body}#60000\n", control={"trailer": "^#([0-9]+)$"})
    assert len(rows) == 60_000
    assert proof.complete


def test_a_header_without_rows_proves_nothing(tmp_path):
    (tmp_path / "count").write_text("0")
    rows, proof = read(tmp_path, "id,v\n", control={"rows_file": "count"})
    assert rows == []
    assert not proof.complete and "no rows" in proof.reason


def test_no_last_line_end_proves_nothing(tmp_path):
    (tmp_path / "count").write_text("1")
    _, proof = read(tmp_path, "id,v\n1,a", control={"rows_file": "count"})
    assert not proof.complete and "line end" in proof.reason


def test_a_file_that_changes_during_the_read_proves_nothing(tmp_path):
    pl.DataFrame({"id": ["1", "2"], "v": ["a", "b"]}).write_parquet(tmp_path / "m.parquet")
    reading = FilesSource(type="files", path="m.parquet").open(context(tmp_path))
    assert sum(batch.num_rows for batch in reading) == 2
    again = FilesSource(type="files", path="m.parquet").open(context(tmp_path))
    for _ in again:
        os.utime(tmp_path / "m.parquet", ns=(1, 1))
    assert reading.proof().complete
    assert "changed while" in again.proof().reason


def test_many_files_need_to_be_counted(tmp_path):
    for index in range(3):
        pl.DataFrame({"id": [str(index)], "v": ["x"]}).write_parquet(tmp_path / f"p{index}.parquet")

    def proof(**control):
        reading = FilesSource(type="files", path="p*.parquet", control=control or None).open(context(tmp_path))
        assert [row["id"] for batch in reading for row in batch.to_pylist()] == ["0", "1", "2"]
        return reading.proof()

    assert not proof().complete and "missing would not be noticed" in proof().reason
    assert proof(files=3).complete
    assert "3 files where 4" in proof(files=4).reason


def test_one_parquet_file_cut_anywhere_is_refused(tmp_path):
    pl.DataFrame({"id": [str(index) for index in range(1000)], "v": ["x"] * 1000}).write_parquet(tmp_path / "w.parquet")
    whole = (tmp_path / "w.parquet").read_bytes()
    for end in (4, len(whole) // 2, len(whole) - 1):
        assert refusal(tmp_path, whole[:end], "m.parquet").error_code in ("source.row_unreadable", "source.failed")


def test_parquet_keeps_its_types(tmp_path):
    table = pa.table({"id": pa.array([1, 2]), "v": pa.array(["a", None]).dictionary_encode(), "w": [[1], [2]]})
    pq.write_table(table, tmp_path / "m.parquet")
    batch = next(iter(FilesSource(type="files", path="m.parquet").open(context(tmp_path))))
    assert batch.schema.names == ["id", "v"]
    assert batch.schema.field("id").type == pa.int64()


def test_compressed_data_that_stops_is_incomplete(tmp_path):
    data = gzip.compress(b"id,v\n" + b"".join(b"%d,%d\n" % (i, random.getrandbits(64)) for i in range(5000)))
    with pytest.raises(IncompleteRead):
        read(tmp_path, data[:-20], "m.csv.gz")


JSON_LINES = [
    ('{"id": "1", "v": "007"}', "007"),
    ('{"id": "1", "v": 7}', "7"),
    ('{"id": "1", "v": 1.50}', "1.50"),
    ('{"id": "1", "v": 1e5}', "1e5"),
    ('{"id": "1", "v": -0}', "-0"),
    ('{"id": "1", "v": 123456789012345678901234567890}', "123456789012345678901234567890"),
    ('{"id": "1", "v": true}', "true"),
    ('{"id": "1", "v": null}', None),
    ('{"id": "1", "v": NaN}', "NaN"),
    ('{"id": "1", "v": "a\\u0000b"}', "a\x00b"),
    ('{"id": "1", "v": "\\ud83d\\ude00"}', "😀"),
    ('{"id": "1", "v": "first", "v": "last"}', "last"),
]


@pytest.mark.parametrize(("line", "value"), JSON_LINES)
def test_json_values_keep_their_literal_text(tmp_path, line, value):
    lines = ['{"id": "0", "v": "x"}', "", line, "  "]
    assert read(tmp_path, "\n".join(lines) + "\n", "m.jsonl")[0] == [("0", "x"), ("1", value)]


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda inner: st.lists(inner, max_size=2)
    )
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)
def test_any_json_value_is_its_literal_or_refused(tmp_path, value):
    line = json.dumps({"id": "1", "v": value})
    try:
        rows, _ = read(tmp_path, line + "\n", "m.jsonl")
    except SourceError:
        assert isinstance(value, list) or "\\ud" in line
        return
    if isinstance(value, str | None):
        assert rows[0][1] == value
    else:
        assert rows[0][1] == line.removeprefix('{"id": "1", "v": ').removesuffix("}")


def test_json_paths_and_missing_keys(tmp_path):
    lines = [
        '{"id": 1, "v": {"a": {"b": "deep"}}}',
        '{"id": 2}',
        '{"id": 3, "v": {"a": null}}',
        '{"id": 4, "v": {"a": {"b": 1.0}}}',
    ]
    rows, _ = read(tmp_path, "\n".join(lines) + "\n", "m.jsonl", ("id", "v.a.b"))
    assert rows == [("1", "deep"), ("2", None), ("3", None), ("4", "1.0")]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ('{"id": "1", "w": 2}\n', "source.column_missing"),
        ('{"id": "1", "v": {"a": 1}}\n', "source.column_type"),
        ('{"id": "1", "v": [1]}\n', "source.column_type"),
        ('{"id": "1", "v": "\\ud800"}\n', "source.column_type"),
        ('[{"id": "1"}]\n', "source.row_unreadable"),
        ('{"id": "1", "v": "2"}\n{"id": "2", "v"\n', "source.row_unreadable"),
        ("[" * 100_000 + "\n", "source.row_unreadable"),
        ('{"id": "1", "v": "%s"}\n' % ("x" * 5_000_000), "source.row_too_long"),
        (b'{"id": "1", "v": "\xff"}\n', "source.encoding"),
    ],
)
def test_what_is_wrong_with_json_lines(tmp_path, data, code):
    assert refusal(tmp_path, data, "m.jsonl").error_code == code


def test_json_lines_that_are_all_blank_have_no_rows(tmp_path):
    rows, proof = read(tmp_path, "\n \n", "m.jsonl")
    assert rows == [] and not proof.complete


def test_files_in_another_store_by_url():
    store = fsspec.filesystem("memory")
    store.pipe_file("/bucket/members.csv", b"id,v\n1,a\n")
    source = FilesSource(type="files", path="memory://bucket/members.csv")
    here = context(Path("/nonexistent"))
    reading = source.open(here)
    assert [batch.to_pylist() for batch in reading] == [[{"id": "1", "v": "a"}]]
    before = source.mark(here)
    store.pipe_file("/bucket/members.csv", b"id,v\n1,b\n")
    assert source.mark(here) != before
    store.rm("/bucket", recursive=True)
    with pytest.raises(SourceError, match="no file"):
        source.open(here)


def test_a_store_that_is_not_installed_or_out_of_reach(tmp_path):
    with pytest.raises(SourceError) as caught:
        FilesSource(type="files", path="nosuchscheme://x/y.csv").open(context(tmp_path))
    assert caught.value.__cause__ is None
    with pytest.raises(SourceError):
        FilesSource(type="files", path=".", format="csv").open(context(tmp_path))


def test_secret_options_are_references(tmp_path, monkeypatch):
    monkeypatch.setenv("STORE_SECRET", "abc-very-secret")
    source = FilesSource(type="files", path="memory://x.csv", storage_secrets={"secret": "env:STORE_SECRET"})
    assert source.storage_secrets["secret"] == SecretRef("env:STORE_SECRET")
    assert "very-secret" not in repr(source) + source.model_dump_json()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"path": "m.xlsx"}, "does not tell its format"),
        ({"path": "ftp://u:pw-pw-pw@host/m.csv"}, "holds a password"),
        ({"path": "m.csv", "encoding": "base64"}, "not a text encoding"),
        ({"path": "m.csv", "encoding": "klingon"}, "not a text encoding"),
        ({"path": "m.csv", "header": False}, "column_names"),
        ({"path": "m.csv", "column_names": ["a"]}, "column_names"),
        ({"path": "m.csv", "delimiter": ";;"}, "at most 1"),
        ({"path": "m.csv", "control": {"trailer": "rows"}}, "group"),
        ({"path": "m.csv", "control": {"trailer": "("}}, "regular expression"),
        ({"path": "m.parquet", "control": {"trailer": "(x)"}}, "text files"),
        ({"path": "m.csv", "storage_options": {"secret": "x"}}, "storage_secrets"),
        ({"path": "m.csv", "storage_options": {"account_key": "x"}}, "storage_secrets"),
        ({"path": "m.csv", "storage_secrets": {"secret": "literal"}}, "reference"),
        ({"path": "m.csv", "max_row_bytes": 10}, "65536"),
    ],
)
def test_mistakes_in_the_settings_are_named(options, message):
    with pytest.raises(ValidationError, match=message):
        FilesSource(type="files", **options)


def test_memory_stays_bounded_however_long_the_file(tmp_path):
    row = "x" * 190
    with gzip.open(tmp_path / "big.csv.gz", "wt", compresslevel=1) as file:
        file.write("id,v\n")
        file.writelines(f"{index},{row}\n" for index in range(600_000))
    program = (
        "import resource, sys; from pathlib import Path; from passflow.ports import SourceContext;"
        "import pyarrow.csv; from passflow.sources.files import FilesSource;"
        "c = SourceContext(base_dir=Path(sys.argv[1]), columns=('id', 'v'), id_column='id');"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss;"
        "rows = sum(b.num_rows for b in FilesSource(type='files', path='big.csv.gz').open(c));"
        "print(rows, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True, timeout=120
    )
    rows, megabytes = map(int, done.stdout.split())
    assert rows == 600_000
    assert megabytes < 120  # the text has 120 MB; several blocks of 4 MiB and the allocator's reserve are what is held
