"""The program that is measured: a loyalty card with numbers, money and dates in four languages, and its store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from passflow.model import Proof
from passflow.program import Program
from passflow.security.keyring import Keyring, MasterKey
from passflow.store.engine import Store
from passflow.testing.programs import ICON, MemorySource, MemoryWallet

if TYPE_CHECKING:
    import pyarrow as pa

MEMBERS: Final[dict[str, Any]] = {
    "external_id": "member_no",
    "given_name": "first_name",
    "family_name": "last_name",
    "email": "email",
    "phone": "mobile",
    "points": {"column": "points", "type": "integer"},
    "balance": {"column": "credit_cents", "unit": "minor"},
    "currency": {"value": "EUR"},
    "tier": {"column": "tier", "table": {"S": "silver", "G": "gold", "P": "platinum"}},
    "status": "state",
    "expires_at": "valid_to",
    "locale": "language",
    "extra": {"joined": {"column": "joined", "type": "date"}},
}

TEMPLATE: Final[dict[str, Any]] = {
    "style": "storeCard",
    "organization": "Gold Club",
    "description": {
        "en": "Gold Club card",
        "de": "Gold-Club-Karte",
        "fr": "Carte Gold Club",
        "es": "Tarjeta Gold Club",
    },
    "colors": {"background": "#102a24", "foreground": "#faeccc", "label": "#deb460"},
    "currency": "EUR",
    "time_zone": "Europe/Berlin",
    "header": [
        {
            "key": "points",
            "label": {"en": "Points", "de": "Punkte", "fr": "Points", "es": "Puntos"},
            "value": "{points:,}",
            "change_message": {"en": "You now have %@ points.", "de": "Sie haben jetzt %@ Punkte."},
        }
    ],
    "secondary": [
        {"key": "member", "label": {"en": "Member", "de": "Mitglied"}, "value": "{given_name} {family_name}"},
        {"key": "tier", "label": {"en": "Level", "de": "Stufe"}, "value": "{tier:lookup(tiers)}"},
        {"key": "credit", "label": {"en": "Credit", "de": "Guthaben"}, "value": "{balance:money}"},
    ],
    "back": [
        {"key": "number", "label": {"en": "Card number", "de": "Kartennummer"}, "value": "{external_id:groups(4)}"},
        {"key": "since", "label": {"en": "Member since", "de": "Mitglied seit"}, "value": "{joined:date:long}"},
        {"key": "valid", "label": {"en": "Valid until", "de": "Gültig bis"}, "value": "{expires_at:date:long}"},
    ],
    "links": [
        {
            "key": "account",
            "label": {"en": "Your account", "de": "Ihr Konto"},
            "url": "https://gold.example/account?card={external_id}",
            "text": "gold.example",
        }
    ],
    "barcodes": [{"format": "qr", "message": "{external_id}", "alt": "{external_id:groups(4)}"}],
    "lookups": {
        "tiers": {
            "silver": {"en": "Silver", "de": "Silber"},
            "gold": {"en": "Gold", "de": "Gold"},
            "platinum": {"en": "Platinum", "de": "Platin"},
            "*": "Club",
        }
    },
    "expires": "{expires_at}",
    "images": {"icon": "icon.png"},
}


def make_club(folder: Path, **changes: Any) -> Program:
    """The program, its icon in a folder; keywords replace blocks of the program file."""
    (folder / "icon.png").write_bytes(ICON)
    blocks = {
        "program": "gold",
        "source": MemorySource(rows=()),
        "members": MEMBERS,
        "lifecycle": {"statuses": {"active": ["A"], "voided": ["B"], "deleted": ["X"]}, "time_zone": "Europe/Berlin"},
        "template": TEMPLATE,
        "wallets": [MemoryWallet(held={}, refuses=set())],
        "guard": {"first_load": True},
    }
    return Program.model_validate({**blocks, **changes}).at(folder)


KEYS: Final = Keyring(
    (MasterKey(b"members of the benchmark".ljust(32)),), (MasterKey(b"packages of the benchmark".ljust(32)),)
)
"""Master keys that every process of one measurement has; they protect nobody."""


@contextmanager
def open_store(url: str) -> Iterator[Store]:
    """A store with the benchmark's keys."""
    store = Store.open(url, keyring=KEYS)
    try:
        yield store
    finally:
        store.dispose()


class ArrowRead:
    """A read of an Arrow file of batches.

    Args:
        path: the file.
        in_memory: read all batches now, before anybody looks at the clock; otherwise one at a time as they are asked for.
    """

    def __init__(self, path: Path, *, in_memory: bool) -> None:
        import pyarrow as pa

        self._reader = pa.ipc.open_file(pa.OSFile(str(path)))
        count = self._reader.num_record_batches
        self._held = [self._reader.get_batch(index) for index in range(count)] if in_memory else None
        self._rows = 0

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        for index in range(self._reader.num_record_batches):
            batch = self._reader.get_batch(index) if self._held is None else self._held[index]
            self._rows += batch.num_rows
            yield batch

    def proof(self) -> Proof:
        """Complete: a file of batches says how many it has."""
        return Proof(complete=True, rows=self._rows, reason="all batches")
