"""Mistakes in the ``members:`` block are named when the file is read."""

import subprocess
import sys

import pytest
from pydantic import ValidationError

from passflow.sync.fields import MemberField
from passflow.sync.mapping import MemberMapping

WRONG = [
    ({"points": {"column": "p", "value": "1"}}, "either a `column` or a fixed `value`"),
    ({"points": {}}, "either a `column` or a fixed `value`"),
    ({"points": {"value": "many"}}, "'many', which is not decimal"),
    ({"points": {"value": "NaN"}}, "not a number"),
    ({"points": {"value": 1.5}}, "valid string"),
    ({"currency": {"value": "Euro"}}, "ISO 4217"),
    ({"currency": {"column": "c", "type": "integer"}}, "always text"),
    ({"given_name": {"value": ""}}, "empty"),
    ({"tier": {"value": "gold", "table": {"a": "b"}}}, "needs no `table`"),
    ({"tier": {"column": "t", "table": {True: "b"}}}, "valid string"),
    ({"tier": {"column": "t", "unknown": "guess"}}, "'keep' or 'refuse'"),
    ({"tier": {"column": "t", "formats": ["%Y-%m-%d"]}}, "`formats` is for date and datetime only"),
    ({"expires_at": {"column": "e", "formats": ["%d.%m"]}}, "does not name a day, a month and a year"),
    ({"expires_at": {"column": "e", "formats": ["%Q"]}}, "%Q, which is not one of"),
    ({"expires_at": {"column": "e", "formats": ["%Y-%m-%d%"]}}, "is not one of"),
    ({"expires_at": {"column": "e", "formats": ["%Y-%m-%d %H"]}}, "hour without minutes"),
    ({"expires_at": {"column": "e", "time_zone": "Berlin"}}, "'Berlin' is not an IANA time zone"),
    ({"expires_at": {"column": "e", "time_zone": "../../etc/passwd"}}, "is not an IANA time zone"),
    ({"expires_at": {"column": "e", "unit": "s", "formats": ["%Y-%m-%d"]}}, "exclude each other"),
    ({"expires_at": {"column": "e", "unit": "minor"}}, "for decimal only"),
    ({"updated_at": {"column": "u", "formats": ["%Y-%m-%d"]}}, "needs a time of day"),
    ({"points": {"column": "p", "unit": "ms"}}, "for date and datetime only"),
    ({"points": {"column": "p", "type": "integer", "decimal_mark": ","}}, "`decimal_mark` is for decimal only"),
    ({"points": {"column": "p", "thousands": "."}}, "same character"),
    ({"balance": {"column": "b", "unit": "minor"}}, "needs `currency`"),
    ({"email": {"column": "e", "calling_code": "+49"}}, "for `phone` only"),
    ({"phone": {"column": "p", "trunk_prefix": "0"}}, "needs `calling_code`"),
    ({"phone": {"column": "p", "calling_code": "49"}}, "pattern"),
    ({"external_id": {"value": "1"}}, "comes from a column"),
    ({"external_id": {"column": "id", "table": {"a": "b"}}}, "comes from a column"),
    ({"external_id": ""}, "at least 1 character"),
    ({"nickname": "n"}, "Extra inputs are not permitted"),
    ({"extra": {"email": "e"}}, "a name of passflow's own"),
    ({"extra": {"id_hash": "e"}}, "a name of passflow's own"),
    ({"extra": {"Home-Store": "e"}}, "small letters"),
    ({"points": {"column": "p", "typ": "integer"}}, "Extra inputs are not permitted"),
]


@pytest.mark.parametrize(("fields", "message"), WRONG)
def test_a_mistake_is_named(fields, message):
    with pytest.raises(ValidationError, match=message):
        MemberMapping.model_validate({"external_id": "id", **fields})


def test_the_id_is_required():
    with pytest.raises(ValidationError, match="external_id"):
        MemberMapping.model_validate({"given_name": "g"})


def test_columns_are_named_once_and_the_id_first():
    given = MemberMapping.model_validate({"external_id": "b", "given_name": "a", "extra": {"again": "b"}})
    assert given.columns == ("b", "a")


def test_an_id_is_never_longer_than_a_store_may_hold():
    assert MemberField(column="id", max_length=5_000).longest("external_id") == 120
    assert MemberField(column="id", max_length=20).longest("external_id") == 20


def test_every_setting_is_described():
    for model in (MemberField, MemberMapping):
        assert all(field.description for field in model.model_fields.values())
        assert model.model_config["frozen"] and model.model_config["extra"] == "forbid"


def test_a_mapping_is_equal_to_itself_read_again():
    block = {"external_id": "id", "points": {"column": "p", "type": "integer"}, "extra": {"a": "b"}}
    one, other = MemberMapping.model_validate(block), MemberMapping.model_validate(block)
    assert one.fields and one == other
    assert MemberMapping.model_validate(one.model_dump(exclude_defaults=True)) == one


def test_reading_a_program_file_loads_no_data_frame_library():
    program = (
        "import sys; from passflow.sync.mapping import MemberMapping; from passflow.sync.lifecycle import Lifecycle;"
        "from passflow.sync.diff import diff; from passflow.sync.spill import Spill; import passflow.sync.fingerprint;"
        "MemberMapping.model_validate({'external_id': 'a', 'currency': {'value': 'EUR'}}).fields;"
        "print(sorted({'polars', 'pyarrow', 'pandas', 'numpy', 'dagster', 'sqlalchemy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
