"""Puts several passes into one download (``.pkpasses``).

Limits and media type: https://developer.apple.com/documentation/walletpasses/distributing-and-updating-a-pass
"""

from __future__ import annotations

from collections.abc import Sequence

from passflow.errors import PackageError
from passflow.wallets.apple.archive import encode_entries, join_entries

MEDIA_TYPE = "application/vnd.apple.pkpasses"
MAX_PASSES = 10
MAX_BYTES = 150_000_000


def bundle_passes(passes: Sequence[bytes]) -> bytes:
    """Write one archive that holds 1 to 10 passes and at most 150 MB; Wallet adds them together.

    Args:
        passes: ``.pkpass`` archives, in the order in which they should appear.

    Raises:
        PackageError: when there are none or too many, they are too large, or one is not an archive.
    """
    if not 1 <= len(passes) <= MAX_PASSES:
        raise PackageError(
            f"A bundle holds 1 to {MAX_PASSES} passes, not {len(passes)}.",
            fix="Offer several bundles.",
            code="package.bundle",
        )
    if any(not each.startswith(b"PK\3\4") for each in passes):
        raise PackageError("A bundle may hold .pkpass archives only.", fix="Give signed passes.", code="package.bundle")
    archive = join_entries(encode_entries((f"pass{n:02}.pkpass", each) for n, each in enumerate(passes, 1)))
    if len(archive) > MAX_BYTES:
        raise PackageError(
            f"The bundle has more than {MAX_BYTES // 1_000_000} MB.",
            fix="Offer several bundles.",
            code="package.bundle",
        )
    return archive
