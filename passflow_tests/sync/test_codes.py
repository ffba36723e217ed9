"""Every refusal has a code that people can look up, and every code can happen."""

import re
from pathlib import Path

import pytest

import passflow.sync
from passflow.sync.codes import ROW_CODES

SOURCES = "\n".join(
    path.read_text() for path in Path(passflow.sync.__path__[0]).glob("*.py") if path.name != "codes.py"
)


@pytest.mark.parametrize("code", ROW_CODES)
def test_each_code_is_used(code):
    assert f'"{code}"' in SOURCES


@pytest.mark.parametrize("code", ROW_CODES)
def test_each_code_says_why_and_what_to_do(code):
    explained = ROW_CODES[code]
    assert re.fullmatch(r"[a-z]+\.[a-z_]+", code)
    assert explained.cause.endswith(".") and len(explained.cause) > 20
    assert explained.fix.endswith(".") and len(explained.fix) > 20


def test_no_refusal_uses_a_code_of_its_own():
    groups = {code.split(".")[0] for code in ROW_CODES} - {"member"}
    used = set(re.findall(rf'"((?:{"|".join(groups)})\.[a-z_]+)"', SOURCES))
    assert used <= set(ROW_CODES)
