"""Verification: openssl-made passes are clean, each kind of tampering has its own finding, hostility never raises."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from hypothesis import example, given, settings
from hypothesis import strategies as st

from passflow.wallets.apple.assets import AssetSet
from passflow.wallets.apple.bundle import bundle_passes
from passflow.wallets.apple.certificates import shipped_intermediate
from passflow.wallets.apple.package import rebuild_package, sign_package
from passflow.wallets.apple.verify import verify

from .forge import clock_authority, credentials, judge, manifest_of, openssl_sign, pack, stranger_files
from .helpers import NOW, PASS_TYPE, authority, encode, images, png, store_card

Files = dict[str, bytes]


@pytest.fixture(scope="module")
def genuine() -> Files:
    return stranger_files()


def resign(files: Files, *options: str, **changes: object) -> Files:
    plain = {name: content for name, content in files.items() if name not in ("manifest.json", "signature")}
    manifest = manifest_of(plain)
    return {**plain, "manifest.json": manifest, "signature": openssl_sign(manifest, *options, **changes)}  # type: ignore[arg-type]  # changes of that very helper


def test_a_pass_made_by_openssl_and_zipfile_has_no_finding(genuine: Files) -> None:
    assert judge(genuine).findings == ()


def test_our_own_pass_has_no_finding() -> None:
    identity = authority().identity()
    assets = AssetSet.of(images())
    signed = sign_package(identity, assets, encode(store_card()), NOW)
    archive = rebuild_package(signed, identity.certificates, assets)
    assert verify(archive, roots=[authority().root_der], now=NOW).findings == ()
    intermediate = authority().intermediate.public_bytes(Encoding.DER)
    assert verify(archive, roots=[intermediate], now=NOW).ok
    assert verify(archive, roots=(), now=NOW).codes == {"signature.trust_unchecked"}


def test_without_roots_only_apples_intermediate_is_trusted(genuine: Files) -> None:
    report = verify(pack(genuine), now=datetime.now(UTC))
    assert {each.code for each in report.errors} == {"signature.untrusted"}
    # the intermediate alone is no signer: a certificate that merely names it stays untrusted
    assert verify(pack(genuine), roots=[shipped_intermediate()], now=datetime.now(UTC)).errors


def drop(name: str) -> Callable[[Files], Files]:
    return lambda files: {key: value for key, value in files.items() if key != name}


def put(name: str, content: bytes) -> Callable[[Files], Files]:
    return lambda files: {**files, name: content}


def change_manifest(change: Callable[[dict[str, str]], dict[str, str]]) -> Callable[[Files], Files]:
    def apply(files: Files) -> Files:
        manifest = json.dumps(change(json.loads(files["manifest.json"]))).encode()
        return {**files, "manifest.json": manifest, "signature": openssl_sign(manifest)}

    return apply


TAMPERING: list[tuple[str, Callable[[Files], Files], set[str]]] = [
    ("image changed", put("icon@2x.png", png(76, 76)[:-12] + b"\0" * 12), {"manifest.hash", "image.invalid"}),
    ("pass.json changed", put("pass.json", encode(store_card(serialNumber="x"))), {"manifest.hash"}),
    ("localised file changed", put("de.lproj/pass.strings", b'"points" = "Meilen";'), {"manifest.hash"}),
    ("file added", put("logo.pdf", b"%PDF-1.7"), {"manifest.unlisted"}),
    ("localised file added", put("de.lproj/logo.pdf", b"%PDF-1.7"), {"manifest.unlisted"}),
    ("file removed", drop("logo@3x.png"), {"manifest.extra"}),
    ("localised file removed", drop("fr.lproj/pass.strings"), {"manifest.extra"}),
    ("manifest removed", drop("manifest.json"), {"manifest.missing"}),
    ("signature removed", drop("signature"), {"signature.missing"}),
    ("pass.json removed", drop("pass.json"), {"pass.missing", "manifest.extra"}),
    ("manifest changed", put("manifest.json", b"{}"), {"signature.digest", "manifest.unlisted"}),
    ("entry left out", change_manifest(lambda m: {k: v for k, v in m.items() if k != "icon.png"}), {"manifest.unlisted"}),
    ("entry too many", change_manifest(lambda m: {**m, "ghost.png": "0" * 40}), {"manifest.extra"}),
    ("entry of itself", change_manifest(lambda m: {**m, "manifest.json": "0" * 40}), {"manifest.extra"}),
    ("entry not hex", change_manifest(lambda m: {**m, "icon.png": "zz"}), {"manifest.hash"}),
    ("SHA-256 entries", change_manifest(lambda m: dict.fromkeys(m, "0" * 64)), {"manifest.hash"}),
    ("signature of another manifest", lambda f: {**f, "signature": openssl_sign(b"{}")}, {"signature.digest"}),
    ("attached", lambda f: resign(f, "-binary", "-nodetach"), {"signature.attached"}),
    ("no attributes", lambda f: resign(f, "-binary", "-noattr"), {"signature.time_missing"}),
    ("no certificates", lambda f: resign(f, "-binary", "-nocerts"), {"signature.signer_missing"}),
    ("no intermediate", lambda f: resign(f, chain=False), {"signature.intermediate_missing", "signature.untrusted"}),
    ("text mode", lambda f: resign(f, "-crlfeol"), {"signature.digest"}),
    ("PEM", lambda f: {**f, "signature": b"-----BEGIN CMS-----\nMIIB\n"}, {"signature.unreadable"}),
    ("empty signature", put("signature", b""), {"signature.unreadable"}),
    ("pass.json a list", lambda f: resign({**f, "pass.json": b"[]"}), {"pass.type"}),
    ("no icon", lambda f: resign({n: c for n, c in f.items() if not n.startswith("icon")}), {"image.icon_missing"}),
]  # fmt: skip


@pytest.mark.parametrize(("change", "codes"), [case[1:] for case in TAMPERING], ids=[case[0] for case in TAMPERING])
def test_each_kind_of_tampering_is_named(genuine: Files, change: Callable[[Files], Files], codes: set[str]) -> None:
    report = judge(change(genuine))
    assert codes == {each.code for each in report.errors}
    assert all(each.fix and each.message and each.where for each in report.findings)


def test_sha1_signatures_are_accepted_with_a_warning(genuine: Files) -> None:
    """Apple's own samples of 2015 are signed with SHA-1."""
    report = judge(resign(genuine, "-binary", "-md", "sha1"))
    assert report.ok
    assert report.codes == {"signature.sha1"}


@pytest.mark.parametrize("digest", ["sha384", "sha512"])
def test_longer_digests_are_accepted(genuine: Files, digest: str) -> None:
    assert judge(resign(genuine, "-binary", "-md", digest)).findings == ()


def test_key_identifiers_and_ec_keys_are_understood(genuine: Files) -> None:
    assert judge(resign(genuine, "-binary", "-keyid")).findings == ()
    curve = clock_authority().issue_pass_certificate(curve=ec.SECP256R1())
    assert judge(resign(genuine, "-binary", issued=curve)).findings == ()


def test_the_python_builder_without_its_binary_option_is_explained(genuine: Files) -> None:
    """PKCS7SignatureBuilder turns line ends into CR LF unless told not to, which compact JSON hides."""
    issued = credentials()
    builder = pkcs7.PKCS7SignatureBuilder().set_data(genuine["manifest.json"])
    builder = builder.add_signer(issued.certificate, issued.key, hashes.SHA256())
    builder = builder.add_certificate(issued.chain[0])
    wrong = builder.sign(Encoding.DER, [pkcs7.PKCS7Options.DetachedSignature])
    right = builder.sign(Encoding.DER, [pkcs7.PKCS7Options.DetachedSignature, pkcs7.PKCS7Options.Binary])
    (problem,) = judge({**genuine, "signature": wrong}).errors
    assert problem.code == "signature.digest"
    assert "line ends" in problem.message
    assert judge({**genuine, "signature": right}).findings == ()


WRONG_CERTIFICATES = [
    ({"team_identifier": "ZZZZZ99999"}, {"certificate.team"}),
    ({"pass_type_identifier": "pass.example.other"}, {"certificate.pass_type", "certificate.extension"}),
    ({"extension": "Club"}, {"certificate.extension"}),
    (
        {"valid_from": datetime(2020, 1, 1, tzinfo=UTC), "valid_until": datetime(2021, 1, 1, tzinfo=UTC)},
        {"certificate.dates"},
    ),
]


@pytest.mark.parametrize(("options", "codes"), WRONG_CERTIFICATES)
def test_certificates_that_do_not_fit_the_pass(genuine: Files, options: dict[str, object], codes: set[str]) -> None:
    issued = clock_authority().issue_pass_certificate(**options)  # type: ignore[arg-type]  # options of that very method
    assert {each.code for each in judge(resign(genuine, issued=issued)).errors} == codes


def test_a_missing_extension_is_a_warning(genuine: Files) -> None:
    issued = clock_authority().issue_pass_certificate(extension=None)
    report = judge(resign(genuine, issued=issued))
    assert report.ok
    assert report.codes == {"certificate.extension"}


def test_a_certificate_of_another_authority_is_untrusted(genuine: Files) -> None:
    stranger = authority().issue_pass_certificate(valid_until=datetime.now(UTC) + timedelta(days=300))
    report = judge(resign(genuine, issued=stranger))
    # both authorities share their cached keys, so the chain holds; the stranger's own root has to be left out of it
    assert report.ok
    rootless = verify(pack(genuine), roots=[shipped_intermediate()], now=datetime.now(UTC))
    assert "signature.untrusted" in rootless.codes


def test_a_swapped_certificate_does_not_verify(genuine: Files) -> None:
    """A certificate with the same issuer and serial number but another key, put where the signer's was."""
    original = credentials().certificate
    other = clock_authority().issue_pass_certificate(key_name="stranger").certificate
    from cryptography import x509

    twin = (
        x509.CertificateBuilder(original.issuer, original.subject, other.public_key(), original.serial_number)
        .not_valid_before(original.not_valid_before_utc)
        .not_valid_after(original.not_valid_after_utc)
    )
    for extension in original.extensions:
        twin = twin.add_extension(extension.value, extension.critical)
    swapped = twin.sign(clock_authority()._intermediate_key, hashes.SHA256()).public_bytes(Encoding.DER)
    before = original.public_bytes(Encoding.DER)
    assert len(swapped) == len(before)
    signature = genuine["signature"].replace(before, swapped)
    assert signature != genuine["signature"]
    assert {each.code for each in judge({**genuine, "signature": signature}).errors} == {"signature.invalid"}


def test_dates_at_signing_and_now(genuine: Files) -> None:
    data, roots = pack(genuine), [clock_authority().root_der]
    later = verify(data, roots=roots, now=datetime.now(UTC) + timedelta(days=400))
    assert later.ok
    assert later.codes == {"certificate.expired"}
    before = verify(data, roots=roots, now=datetime.now(UTC) - timedelta(days=3))
    assert {each.code for each in before.errors} == {"signature.time"}


def test_every_bit_of_the_signature_counts(genuine: Files) -> None:
    """Flip a bit at many places of the CMS: nothing raises, and nothing that the signature covers stays unnoticed."""
    original = genuine["signature"]
    silent = 0
    for position in range(0, len(original), 7):
        broken = bytearray(original)
        broken[position] ^= 0x01
        silent += judge({**genuine, "signature": bytes(broken)}).ok
    # what may change unseen is what nobody signs: algorithm parameters, S/MIME capabilities are covered, versions are not
    assert silent <= 8


def test_bundles_are_verified_pass_by_pass(genuine: Files) -> None:
    good, bad = pack(genuine), pack({**genuine, "icon.png": png(38, 38)[:-1]})
    assert judge(bundle_passes([good] * 10)).findings == ()
    report = judge(bundle_passes([good, bad]))
    assert {each.code for each in report.errors} == {"manifest.hash", "image.invalid"}
    assert all(each.where.startswith("pass02.pkpass: ") for each in report.findings)
    assert judge(pack({f"{number}.pkpass": good for number in range(11)})).codes == {"bundle.too_large"}
    assert judge(bundle_passes([pack({"pass.json": b"{}"})])).errors
    assert judge(pack({"a.pkpass": b"junk"})).codes == {"zip.unreadable"}


def test_personalisation_needs_nfc_a_service_and_a_logo(genuine: Files) -> None:
    form = encode({"description": "Join", "requiredPersonalizationFields": ["PKPassPersonalizationFieldName"]})
    report = judge(resign({**genuine, "personalization.json": form}))
    assert report.ok
    assert report.codes == {"personalisation.nfc", "personalisation.logo"}
    report = judge(resign({**genuine, "personalization.json": b'{"requiredPersonalizationFields": ["Name", 1]}'}))
    where = {each.where for each in report.errors}
    assert where == {
        "personalization.json: description",
        "personalization.json: requiredPersonalizationFields",
    }
    offline = encode(store_card(webServiceURL=None, authenticationToken=None))
    report = judge(resign({**genuine, "pass.json": offline, "personalization.json": form}))
    assert {each.code for each in report.errors} == {"personalisation.web_service"}
    assert "json.syntax" in judge(resign({**genuine, "personalization.json": b"{,}"})).codes


def test_findings_quote_no_values_of_the_pass() -> None:
    secret = "Ada Lovelace 4711"
    files = stranger_files(
        serialNumber=secret, voided=secret, backgroundColor=secret, authenticationToken="4711", expirationDate=secret,
        storeCard={"headerFields": [{"key": secret, "value": {"x": secret}}, {"key": secret, "dateStyle": secret}]},
        barcodes=[{"format": secret, "message": "€" + secret, "messageEncoding": "iso-8859-1"}],
        relevantDates=[{"date": secret}], locations=[{"latitude": 4711, "longitude": secret}],
    )  # fmt: skip
    report = judge(files)
    assert len(report.errors) >= 10
    assert not any("4711" in str(each) or "Lovelace" in str(each) for each in report.findings)


def test_a_hostile_manifest_does_not_flood_the_report() -> None:
    manifest = json.dumps({f"{number}.png": "0" * 40 for number in range(50_000)}).encode()
    report = judge({"pass.json": b"{}", "manifest.json": manifest, "signature": b"x"})
    assert len(report.findings) == 501
    assert "report.cut" in report.codes


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200))
@example(b"")
@example(b"PK\3\4")
@example(b"PK\5\6" + b"\0" * 18)
def test_any_bytes_give_a_report(data: bytes) -> None:
    assert not verify(data, now=NOW).ok


@settings(max_examples=120, deadline=None)
@given(st.data())
def test_any_damage_to_a_genuine_pass_gives_a_report(genuine: Files, data: st.DataObject) -> None:
    archive = bytearray(pack(genuine))
    for _ in range(data.draw(st.integers(1, 6))):
        archive[data.draw(st.integers(0, len(archive) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.one_of(st.none(), st.integers(0, len(archive))))
    judge(bytes(archive[:cut]))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(
    name=st.sampled_from(["pass.json", "manifest.json", "signature", "icon.png", "de.lproj/pass.strings"]),
    junk=st.data(),
)
def test_any_content_of_a_file_gives_a_report(genuine: Files, name: str, junk: st.DataObject) -> None:
    content = junk.draw(st.binary(max_size=80) | JSON.map(lambda value: json.dumps(value).encode()))
    files = {**genuine, name: content}
    report = judge(files)
    if hashlib.sha1(content).hexdigest() != hashlib.sha1(genuine[name]).hexdigest():
        assert report.errors
    assert PASS_TYPE in json.loads(genuine["pass.json"]).values()
