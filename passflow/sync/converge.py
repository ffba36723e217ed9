"""Convergence: every pass whose wallet state is behind is brought up to date, batch by batch.

Driven by what the store says is behind, never by what a run remembers: after a crash the next run sees the same gap.
What a wallet did is recorded in one transaction per batch, under one published number.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from passflow.files import open_files
from passflow.ports import Brought, Desired, Wallet, WalletContext, WalletSettings
from passflow.program import Program
from passflow.security.encryption import DataKey
from passflow.store.engine import Store
from passflow.store.keys import authentication_token, load_keys
from passflow.store.leases import Lease, acquire, release
from passflow.store.records import open_overlay, open_record
from passflow.store.wallet_states import (
    Behind,
    count_behind,
    mark_resign,
    open_state,
    read_behind,
    read_behind_one,
    record_brought,
)
from passflow.sync.design import Design, load_design
from passflow.sync.points import reach
from passflow.sync.progress import Progress, silent

BATCH = 256
"""Passes in one transaction: about 60 ms of signing on one core."""


@dataclass
class Converged:
    """What bringing a wallet up to date did."""

    wallet: str
    brought: int = 0
    published: int = 0
    signed_again: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    notices: Counter[str] = field(default_factory=Counter)
    behind: int = 0


def converge(
    program: Program,
    store: Store,
    wallet: WalletSettings,
    *,
    low: int = 0,
    high: int = 256,
    holder: str = "",
    base_url: str | None = None,
    progress: Progress = silent,
) -> Converged:
    """Brings one wallet up to date for a range of a program's passes.

    Args:
        wallet: one of the program's wallets.
        low: first byte of the first id hash of the range.
        high: one past the last first byte.
        holder: who works, shown to whoever waits for the lease.
        base_url: public address of the gateway, written into passes; None leaves it out.

    Raises:
        LeaseHeld, LeaseLost: another run works on the same passes.
        PassflowError: nothing can go on (certificate, secret, configuration).
    """
    lease = acquire(store, program.program, low=low, high=high, holder=holder or f"converge-{secrets.token_hex(4)}")
    run = _Run(program, store, wallet, lease, base_url)
    try:
        run.go(lease, progress)
    finally:
        release(store, lease)
    with store.read() as conn:
        run.done.behind = count_behind(conn, program.program, wallet.name)
    return run.done


def converge_one(
    program: Program, store: Store, wallet: WalletSettings, id_hash: bytes, *, base_url: str | None = None
) -> Converged:
    """Brings one pass up to date at once; needs no lease, because an older revision never overwrites a newer one.

    Raises:
        PassflowError: it cannot go on (certificate, secret, configuration).
    """
    run = _Run(program, store, wallet, None, base_url)
    run.go_one(id_hash)
    return run.done


class _Run:
    def __init__(
        self, program: Program, store: Store, wallet: WalletSettings, lease: Lease | None, base_url: str | None
    ) -> None:
        self.program, self.store, self.settings, self.lease = program, store, wallet, lease
        self.base_url = base_url
        self.done = Converged(wallet.name)
        self._opened: dict[str, tuple[Design, Wallet]] = {}

    def go_one(self, id_hash: bytes) -> None:
        """Brings one pass, if it is behind."""
        with self.store.read() as conn:
            batch = read_behind_one(conn, self.program.program, self.settings.name, id_hash)
        for behind in batch:
            self._bring(behind.template_revision, [behind])

    def go(self, lease: Lease, progress: Progress) -> None:
        """Brings every pass of the lease's range that is behind."""
        self._mark_resign(lease)
        for batch in self._batches(lease):
            # a batch may hold passes of two template revisions: each is rendered with its own
            for revision in sorted({behind.template_revision for behind in batch}):
                self._bring(revision, [behind for behind in batch if behind.template_revision == revision])
            progress(self.settings.name, self.done.brought, None)

    def _mark_resign(self, lease: Lease) -> None:
        with self.store.begin(lease) as conn:
            mark = self.settings.mark(self.program.base_dir)
            if mark is not None:
                mark_resign(conn, self.program.program, self.settings.name, mark, low=lease.low, high=lease.high)

    def _batches(self, lease: Lease) -> Iterator[list[Behind]]:
        after = b""
        while True:
            with self.store.read() as conn:
                batch = read_behind(
                    conn,
                    self.program.program,
                    self.settings.name,
                    low=lease.low,
                    high=lease.high,
                    after=after,
                    limit=BATCH,
                    now=self.store.now(conn),
                )
            if not batch:
                return
            reach("converge.batch_read")
            yield batch
            after = batch[-1].id_hash

    def _bring(self, revision: str, batch: Sequence[Behind]) -> None:
        design, wallet = self._open(revision)
        with self.store.read() as conn:
            keys = load_keys(self.store, conn, self.program.program, [behind.id_hash for behind in batch])
        wanted: list[Desired] = []
        package_keys: dict[str, DataKey | None] = {}
        for behind in batch:
            desired, package_keys[behind.state["serial"]] = self._desired(design, behind, keys)
            wanted.append(desired)
        brought = {result.serial: result for result in wallet.bring(wanted)}
        reach("converge.brought")
        found = [(behind, package_keys[behind.state["serial"]], brought[behind.state["serial"]]) for behind in batch]
        self._record(found)

    def _desired(self, design: Design, behind: Behind, keys: Mapping[bytes, DataKey]) -> tuple[Desired, DataKey | None]:
        state = behind.state
        package_key, content, personal = open_state(self.store.keyring, state)
        key = keys.get(behind.id_hash)
        values = None
        if key is not None and behind.record_sealed is not None:
            record = open_record(self.program.program, behind.id_hash, key, behind.record_sealed)
            overlay = open_overlay(self.program.program, behind.id_hash, key, behind.overlay_sealed)
            values = design.values(record, overlay)
        desired = Desired(
            serial=state["serial"],
            revision=state["target_revision"],
            status=behind.status,
            values=values,
            token=authentication_token(self.store, state["serial"]),
            current={**state, "content": content, "personal": personal},
            resign_only=state["revision"] == state["target_revision"],
        )
        return desired, package_key

    def _record(self, found: Sequence[tuple[Behind, DataKey | None, Brought]]) -> None:
        with self.store.begin(self.lease) as conn:
            recorded, _ = record_brought(conn, self.store, found, now=self.store.now(conn))
            reach("converge.recorded")
        reach("converge.committed")
        self.done.brought += recorded
        self.done.published += sum(result.publishes for _, _, result in found if result.code is None)
        self.done.signed_again += sum(not result.publishes for _, _, result in found if result.code is None)
        self.done.failed.update(result.code for _, _, result in found if result.code is not None)
        self.done.notices.update(result.notice for _, _, result in found if result.notice is not None)

    def _open(self, revision: str) -> tuple[Design, Wallet]:
        if revision not in self._opened:
            with self.store.read() as conn:
                design = load_design(conn, revision)
            context = WalletContext(
                program=self.program.program,
                base_dir=self.program.base_dir,
                design=design.compiled,
                base_url=self.base_url,
                files=open_files(self.store, design),
            )
            self._opened[revision] = design, self.settings.open(context)
        return self._opened[revision]
