"""Telling phones after publication, for the wallets whose phones must be told."""

from __future__ import annotations

from passflow.ports import RingsPhones, Rung, WalletSettings
from passflow.program import Program
from passflow.store.engine import Store
from passflow.sync.progress import Progress, silent


def push(program: Program, store: Store, wallet: WalletSettings, *, progress: Progress = silent) -> Rung:
    """Tells every phone that holds a pass with newer bytes; nothing to do for wallets that tell their phones themselves.

    Raises:
        PushError: the push service refuses our request or credentials, or cannot be reached.
    """
    if not isinstance(wallet, RingsPhones):
        return Rung()
    return wallet.ring(store, program, progress)
