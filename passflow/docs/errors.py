"""``docs/errors.md``: the tree of errors, every code with what it says, and why rows are refused."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import passflow.errors as tree
from passflow.docs.markdown import GENERATED, code, first_sentence, table
from passflow.errors import PassflowError
from passflow.sync.codes import ROW_CODES

PACKAGE = Path(tree.__file__).parent

INTRODUCTION = """# Errors

Every error has a stable code, says what happened to what, and names the next step. The command line prints all three
and ends with status 1. Codes stay; messages may become clearer.
"""


@dataclass(frozen=True, slots=True, order=True)
class Raised:
    """One place where an error with a code of its own is made; ``…`` stands for what is filled in."""

    code: str
    message: str
    fix: str


def errors_page() -> str:
    """The page as Markdown."""
    drawn = (tree.__doc__ or "").split("::\n", 1)[1].split("\nEach class", 1)[0].strip("\n")
    classes = table(
        ("class", "code", "what it means", "next step"),
        (
            (code(each.__name__), code(each.code), first_sentence(each.__doc__ or ""), each.default_fix)
            for each in family()
        ),
    )
    precise = table(
        ("code", "what it says", "next step"), ((code(each.code), each.message, each.fix) for each in raised_codes())
    )
    rows = table(
        ("code", "cause", "what to do"),
        ((code(name), each.cause, each.fix) for name, each in sorted(ROW_CODES.items())),
    )
    return (
        f"{GENERATED}\n{INTRODUCTION}\n```text\n{_dedent(drawn)}\n```\n\n{classes}\n"
        f"## Precise codes\n\nAn error may carry a code more precise than its class's.\n\n{precise}\n"
        "## Refused rows\n\nA row of the master system that cannot be used is refused: it changes nothing, deletes nothing, "
        f"and is kept, encrypted, with one of these codes.\n\n{rows}"
    )


def family(root: type[PassflowError] = PassflowError) -> Iterator[type[PassflowError]]:
    """The errors of ``passflow.errors``, a parent before its children."""
    yield root
    for child in root.__subclasses__():
        if child.__module__ == tree.__name__:
            yield from family(child)


def raised_codes(package: Path = PACKAGE) -> list[Raised]:
    """Every code that is given where an error is made, read from the source; the first place of a code speaks for it."""
    found: dict[str, Raised] = {}
    for path in sorted(package.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            raised = _raised(node)
            if raised is not None:
                found.setdefault(raised.code, raised)
    return sorted(found.values())


def _raised(node: ast.AST) -> Raised | None:
    names = {each.__name__ for each in family()}
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names and node.args):
        return None
    given = {keyword.arg: keyword.value for keyword in node.keywords}
    value = given.get("code")
    if not (isinstance(value, ast.Constant) and isinstance(value.value, str)):
        return None
    default = getattr(tree, node.func.id).default_fix
    return Raised(value.value, _text(node.args[0]), _text(given["fix"]) if "fix" in given else default)


def _text(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part) if isinstance(part, ast.Constant) else "…" for part in node.values)
    return "…"


def _dedent(text: str) -> str:
    return "\n".join(line.removeprefix("    ") for line in text.splitlines())
