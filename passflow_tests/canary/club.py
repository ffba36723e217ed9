"""A club whose every member field and every secret is a mark, on a real file, a real key with a password and a real push."""

from __future__ import annotations

import csv
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat
from sqlalchemy import select

from passflow.program import Program
from passflow.security.keyring import Keyring
from passflow.sources.files import FilesSource
from passflow.store.engine import Store
from passflow.store.keys import STORE_KEYS, authentication_token, load_keys, store_key
from passflow.store.tables import member_keys, passes
from passflow.testing.authority import TestAuthority
from passflow.testing.programs import make_program
from passflow.wallets.apple.wallet import AppleWallet
from passflow_tests.canary.marks import Search, new_mark

PASS_TYPE, TEAM = "pass.example.club", "ABCDE12345"
COLUMNS = ("number", "given", "family", "shown", "mail", "phone", "points", "tier", "state", "note")
FIELDS = {
    "external_id": "number", "given_name": "given", "family_name": "family", "display_name": "shown", "email": "mail",
    "phone": "phone", "points": {"column": "points", "type": "integer"}, "tier": "tier", "status": "state",
    "extra": {"shoe_size": "note"},
}  # fmt: skip


def new_member(**changes: str) -> dict[str, str]:
    """A member of whom every field can be told from any other in the world."""
    marks = {name: new_mark(name) for name in COLUMNS}
    marks["phone"] = f"+49{secrets.randbelow(10**12):012}"
    marks["points"] = str(10**15 + secrets.randbelow(10**15))
    return {**marks, "state": "A", **changes}


@dataclass
class MarkedClub:
    """A program over ``members.csv``; whatever must stay inside is in :meth:`marks`."""

    folder: Path
    store: Store
    keyring: Keyring
    authority: TestAuthority
    members: list[dict[str, str]] = field(default_factory=list)
    wallet: dict[str, Any] = field(default_factory=dict)
    blocks: dict[str, Any] = field(default_factory=dict)
    key_password: str = field(default_factory=lambda: new_mark("password"))
    extra: dict[str, str | bytes] = field(default_factory=dict)

    def prepare(self, *, apns_port: int = 443) -> None:
        """Writes certificate and key, the key under a password."""
        private = self.folder / "private"
        paths = self.authority.write(private, PASS_TYPE, TEAM)
        key = self.authority.issue_pass_certificate(PASS_TYPE, TEAM).key
        sealed = BestAvailableEncryption(self.key_password.encode())
        paths["key"].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, sealed))
        (private / "password").write_text(self.key_password)
        (private / "password").chmod(0o600)
        files = {role: f"file:{paths[role]}" for role in ("certificate", "key", "intermediate")}
        self.wallet = {
            "pass_type": PASS_TYPE, "team": TEAM, **files, "key_password": f"file:{private / 'password'}",
            "apns_host": "127.0.0.1", "apns_port": apns_port, "apns_authority": f"file:{paths['root']}",
        }  # fmt: skip
        for number in (key.private_numbers().p, key.private_numbers().d):
            self.extra[f"RSA {number.bit_length()} bits"] = number.to_bytes((number.bit_length() + 7) // 8, "big")[8:40]

    def write(self) -> None:
        """The night's export."""
        private = self.folder / "private"
        with (private / "members.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(self.members)
        (private / "rows.txt").write_text(f"{len(self.members)}\n")

    def program(self) -> Program:
        """The program as its file says now."""
        source = FilesSource(type="files", path="private/members.csv", control={"rows_file": "private/rows.txt"})
        template = {
            "style": "storeCard", "organization": "Club", "description": "Card",
            "header": [{"key": "points", "label": "Points", "value": "{points:,}", "change_message": "Now %@"}],
            "secondary": [{"key": "name", "label": "Name", "value": "{display_name}"}],
            "back": [{"key": "mail", "label": "Mail", "value": "{email} {phone} {given_name} {family_name} {shoe_size}"}],
            "barcodes": [{"format": "qr", "message": "{external_id}"}],
            "images": {"icon": "icon.png"},
        }  # fmt: skip
        blocks = {"template": template, "members": FIELDS, "wallets": [AppleWallet(**self.wallet)], **self.blocks}
        return make_program(self.folder, [], source=source, **blocks)

    def marks(self) -> dict[str, str | bytes]:
        """Everything that may be nowhere in clear."""
        found: dict[str, str | bytes] = {
            f"{name} of member {number}": value
            for number, one in enumerate(self.members)
            for name, value in one.items()
            if name != "state"
        }
        found["key password"] = self.key_password
        for role in ("members", "packages"):
            found[f"master key {role}"] = getattr(self.keyring, role)[0].key.raw
        for name in STORE_KEYS:
            found[f"store key {name}"] = store_key(self.store, name)
        with self.store.read() as conn:
            rows = conn.execute(select(passes.c.serial, passes.c.id_hash)).all()
            owned = list(conn.execute(select(member_keys.c.id_hash)).scalars())
            keys = load_keys(self.store, conn, "gold", owned)
        for row in rows:
            found[f"token of {row.serial[:6]}"] = authentication_token(self.store, row.serial)
        for id_hash, key in keys.items():
            found[f"member key {id_hash.hex()[:6]}"] = key.raw
        return {**found, **self.extra}

    def search(self) -> Search:
        """A search for all marks there are now."""
        return Search(self.marks())
