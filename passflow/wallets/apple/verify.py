"""Verifies any ``.pkpass`` or ``.pkpasses``, ours or a stranger's, and says what is wrong with it.

The readers share no code with what writes passes: asn1crypto reads the signature, zipfile the archive.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain

from passflow.wallets.apple import bundle
from passflow.wallets.apple.archive_reader import read_archive
from passflow.wallets.apple.findings import Finding, Report, error, inside, shown
from passflow.wallets.apple.images import check_images
from passflow.wallets.apple.json_reader import read_json
from passflow.wallets.apple.localisation import check_localisation
from passflow.wallets.apple.manifest_reader import check_manifest
from passflow.wallets.apple.rules import check_pass
from passflow.wallets.apple.rules.personalisation import check_personalisation
from passflow.wallets.apple.signature_check import check_signature

__all__ = ["Finding", "Report", "check_pass", "verify"]


def verify(data: bytes, *, roots: Sequence[bytes] | None = None, now: datetime) -> Report:
    """Verify a pass or a bundle of passes.

    Args:
        data: the file.
        roots: DER of the certificates to trust; None trusts Apple's WWDR G4; an empty sequence checks no trust.
        now: aware datetime to judge dates by.

    Returns:
        All findings; whatever the file holds, none of it raises.
    """
    unpacked = read_archive(data)
    files = unpacked.files
    is_bundle = bool(files) and "pass.json" not in files and all(path.endswith(".pkpass") for path in files)
    findings = _check_bundle(data, files, roots, now) if is_bundle else _check_files(files, roots, now)
    unreadable = not files and any(each.level == "error" for each in unpacked.findings)
    return Report.of(unpacked.findings if unreadable else chain(unpacked.findings, findings))


def _check_bundle(
    data: bytes, passes: Mapping[str, bytes], roots: Sequence[bytes] | None, now: datetime
) -> Iterator[Finding]:
    if len(passes) > bundle.MAX_PASSES or len(data) > bundle.MAX_BYTES:
        message = f"It holds {len(passes)} passes in {len(data) // 1_000_000} MB; at most 10 and 150 MB are taken."
        yield error("bundle.too_large", "archive", message, "Split it.")
        return
    for path, each in passes.items():
        unpacked = read_archive(each)
        yield from inside(shown(path), unpacked.findings)
        if unpacked.files:
            yield from inside(shown(path), _check_files(unpacked.files, roots, now))


def _check_files(files: Mapping[str, bytes], roots: Sequence[bytes] | None, now: datetime) -> Iterator[Finding]:
    document: Mapping[str, object] = {}
    if "pass.json" not in files:
        yield error(
            "pass.missing", "pass.json", "The archive has no pass.json at its top.", "Pack the files, not their folder."
        )
    else:
        read = read_json("pass.json", files["pass.json"])
        yield from read.findings
        if isinstance(read.value, dict):
            document = read.value
            yield from inside("pass.json", check_pass(document, files))
        elif not read.findings:
            yield error("pass.type", "pass.json", "It must be an object.", "Write { … }.")
    if "personalization.json" in files:
        read = read_json("personalization.json", files["personalization.json"])
        yield from read.findings
        if not read.findings:
            logo = any(path.startswith("personalizationLogo") for path in files)
            yield from inside("personalization.json", check_personalisation(read.value, document, logo))
    yield from check_manifest(files)
    if "signature" not in files:
        yield error("signature.missing", "signature", "The pass is not signed.", "Sign it.")
    elif "manifest.json" in files:
        yield from check_signature(files["signature"], files["manifest.json"], document, roots, now)
    yield from check_images(files, document)
    yield from check_localisation(files)
