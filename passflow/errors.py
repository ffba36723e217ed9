"""Every error passflow raises, as one tree.

::

    PassflowError                 anything passflow says no to
    ├── ConfigError               the program file, a secret or a setting is wrong
    │   ├── ProgramError          the program file does not hold together (path and fix)
    │   ├── TemplateError         the template breaks a rule of a wallet (path and fix)
    │   ├── SecretError           a secret is literal, missing or unreadable
    │   └── CertificateError      a certificate or key does not fit
    ├── SourceError               the master system could not be read
    │   └── IncompleteRead        the read stopped early: nothing may be concluded from what is missing
    ├── StoreError                the store refused
    │   ├── StoreVersionError     migrations are missing, or the store is newer than this passflow
    │   ├── StoreBusy             locked, full or out of reach: try again
    │   ├── LeaseHeld             another run works on the same passes
    │   └── LeaseLost             this run's lease went to another: its transaction was rolled back
    ├── PlanError                 a plan is unknown, stale, unfinished or not approved
    ├── PackageError              a pass archive could not be built, read or verified
    ├── FetchError                a URL was refused or could not be fetched
    ├── PushError                 APNs refused in a way that stops the batch
    └── CryptoError               something could not be encrypted, decrypted or unwrapped

Each class has a stable ``code`` (docs/errors.md lists them) and each instance says what happened, to what,
and what to do next.
"""

from __future__ import annotations

from typing import ClassVar


class PassflowError(Exception):
    """Base of all errors; ``str()`` gives message and next step on two lines.

    Args:
        message: what happened, and to which record, file or field. Never holds personal data or a secret.
        fix: the next step, as an imperative sentence.
        code: a stable code more precise than the class's own, such as ``source.column_missing``.
    """

    code: ClassVar[str] = "passflow.error"
    default_fix: ClassVar[str] = "Run `passflow doctor` and follow what it says."

    def __init__(self, message: str, *, fix: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix or self.default_fix
        self.error_code = code or self.code

    def __str__(self) -> str:
        return f"{self.message}\n  → {self.fix}"


class ConfigError(PassflowError):
    """The program file, a secret or a setting is wrong."""

    code = "config.invalid"
    default_fix = "Correct the setting and run `passflow doctor`."


class ProgramError(ConfigError):
    """The program file does not hold together."""

    code = "program.invalid"
    default_fix = "Correct the program file and run `passflow doctor`."


class TemplateError(ConfigError):
    """The template breaks a rule of a wallet.

    Args:
        problems: (path in the program file, what is wrong, how to mend it), all that were found.
    """

    code = "template.invalid"
    default_fix = "Correct the paths named above in the program file."

    def __init__(self, problems: list[tuple[str, str, str]]) -> None:
        self.problems = problems
        lines = [f"{path}: {what}. {fix}" for path, what, fix in problems]
        found = "\n  ".join(lines)
        super().__init__(f"The template has {len(problems)} problem(s):\n  {found}")


class SecretError(ConfigError):
    """A secret is literal, missing or unreadable."""

    code = "secret.invalid"
    default_fix = "Use a reference: `env:NAME` or `file:/path`."


class CertificateError(ConfigError):
    """A certificate or key does not fit the pass type, the team or the date."""

    code = "certificate.invalid"
    default_fix = "Run `passflow doctor` to see which certificate each program uses."


class SourceError(PassflowError):
    """The master system could not be read."""

    code = "source.failed"
    default_fix = "Correct the source and run the plan again; no pass was changed."


class IncompleteRead(SourceError):
    """The read stopped early, so nothing may be concluded from what is missing."""

    code = "source.incomplete"


class StoreError(PassflowError):
    """The store refused."""

    code = "store.failed"


class StoreVersionError(StoreError):
    """Migrations are missing, or the store was written by a newer passflow."""

    code = "store.version"
    default_fix = (
        "Run `passflow init`, which brings the store up to date; if a newer passflow wrote it, install that one."
    )


class StoreBusy(StoreError):
    """The store is locked, full or out of reach; nothing was changed."""

    code = "store.busy"
    default_fix = "Free the disk or the lock, then run the same command again: it continues where it stopped."


class LeaseHeld(StoreError):
    """Another run works on the same passes."""

    code = "lease.held"
    default_fix = "Wait for the other run, or let its lease expire."


class LeaseLost(StoreError):
    """This run's lease went to another; its open transaction was rolled back."""

    code = "lease.lost"
    default_fix = "Run it again: it continues where it stopped."


class PlanError(PassflowError):
    """A plan is unknown, stale, unfinished or not approved."""

    code = "plan.invalid"
    default_fix = "Make a new plan with `passflow plan`."


class PackageError(PassflowError):
    """A pass archive could not be built, read or verified."""

    code = "package.invalid"
    default_fix = "Run `passflow verify FILE` for all findings."


class FetchError(PassflowError):
    """A URL was refused or could not be fetched."""

    code = "fetch.refused"
    default_fix = "Use a public https address that serves the image itself."


class PushError(PassflowError):
    """APNs refused in a way that stops the batch."""

    code = "push.refused"
    default_fix = "Check the push certificate with `passflow doctor`; phones not yet told stay queued."


class CryptoError(PassflowError):
    """Something could not be encrypted, decrypted or unwrapped."""

    code = "crypto.failed"
    default_fix = "Check PASSFLOW_MEMBERS_KEY and PASSFLOW_PACKAGES_KEY with `passflow keys status`."
