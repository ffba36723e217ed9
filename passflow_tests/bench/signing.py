"""Passes as the signing rows build them: rendered from the club's template and signed, archive and all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Final

import orjson
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.hashes import SHA256

from passflow.model import Values
from passflow.program import Program
from passflow.sync.mapping import decode
from passflow.template import AppleEnvelope, localisation, render_apple
from passflow.testing.authority import CLUB_TYPE, TEAM, TestAuthority
from passflow.wallets.apple.assets import AssetSet
from passflow.wallets.apple.package import assemble_package, build_manifest
from passflow.wallets.apple.signature import assemble_signature, sign
from passflow_tests.bench.club import ArrowRead, make_club

if TYPE_CHECKING:
    import pyarrow as pa

MEMBERS: Final = 4_000
"""Different members in turn; their amounts and dates repeat as those of a real club do."""

_PNGS: Final = [f"{name}{scale}.png" for name in ("icon", "logo", "strip", "thumbnail") for scale in ("", "@2x")]
_PNG_BYTES: Final = 12_500


class Signer:
    """Builds and signs one pass after the other.

    Args:
        program: the club.
        batch: members, in the source's columns.
    """

    def __init__(self, program: Program, batch: pa.RecordBatch) -> None:
        self.identity = TestAuthority().identity()
        self._design = program.design
        images = {name: os.urandom(_PNG_BYTES) for name in _PNGS}
        self._assets = AssetSet.of({**images, **localisation(self._design)})
        frame = program.members.map_batch(batch, 1).frame
        self._members = [decode(row, program.members.fields) for row in frame.iter_rows(named=True)]
        self._moment = datetime.now(UTC)

    def values(self) -> Iterator[Values]:
        """The members, for ever in turn; one iterator per thread."""
        return cycle(self._members)

    def build(self, values: Values) -> bytes:
        """A member's signed archive."""
        envelope = AppleEnvelope(CLUB_TYPE, TEAM, "9f" * 20, "0123456789abcdef" * 2, "https://passes.example.com/apple")
        pass_json = orjson.dumps(render_apple(self._design, values, envelope))
        manifest = build_manifest(self._assets, pass_json)
        signature = sign(self.identity, manifest, self._moment)
        cms = assemble_signature(self.identity.certificates, signature, manifest, self._moment)
        return assemble_package(self._assets, pass_json, manifest, cms)

    def sign_bare(self) -> bytes:
        """The RSA operation alone, with the same key."""
        return self.identity.key.sign(b"x" * 107, padding.PKCS1v15(), SHA256())  # type: ignore[union-attr,call-arg,arg-type]  # an RSA key


def make_signer(folder: str) -> Signer:
    """A signer over some of last night's members.

    Args:
        folder: where the snapshots are.
    """
    batch = next(iter(ArrowRead(Path(folder) / "old.arrow", in_memory=False)))
    return Signer(make_club(Path(folder)), batch.slice(0, MEMBERS))
