"""Collecting what is wrong with a template, so that one run names every fault."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from passflow.errors import TemplateError


class Problems:
    """The faults found so far: (path in the program file, what is wrong, how to mend it)."""

    def __init__(self) -> None:
        self.found: list[tuple[str, str, str]] = []

    def add(self, path: str, what: str, fix: str) -> None:
        """Note one fault; the same fault at the same path is noted once."""
        if (path, what, fix) not in self.found:
            self.found.append((path, what, fix))

    def take(self, error: TemplateError) -> None:
        """Note the faults of an error that was raised deeper down."""
        for path, what, fix in error.problems:
            self.add(path, what, fix)

    def finish(self) -> None:
        """Raise everything found.

        Raises:
            TemplateError: when at least one fault was noted.
        """
        if self.found:
            raise TemplateError(self.found)


def closest(name: str, options: Iterable[str]) -> str:
    """Give the sentence that suggests the nearest known name, or lists the known ones."""
    known = sorted(options)
    match = get_close_matches(name, known, n=1, cutoff=0.6)
    if match:
        return f"Did you mean `{match[0]}`?"
    shown = ", ".join(f"`{option}`" for option in known[:12]) + (" …" if len(known) > 12 else "")
    return f"Use one of {shown}." if known else "None is declared here."


def value_error(path: str, what: str, fix: str) -> TemplateError:
    """Build the error for one member's value that a sound template cannot show.

    Its ``error_code`` is ``template.value``, so that a caller can refuse the member and keep the program going.
    Neither ``what`` nor ``fix`` may hold the value itself.
    """
    error = TemplateError([(path, what, fix)])
    error.error_code = "template.value"
    return error
