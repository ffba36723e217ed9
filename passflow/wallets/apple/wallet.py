"""Apple Wallet as a wallet of a program: renders, signs, and says what must be stored to hand the pass out again."""

from __future__ import annotations

import hashlib
import os
import ssl
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final, Literal, Self

from pydantic import Field, model_validator

from passflow.errors import FetchError, PassflowError
from passflow.ports import Brought, Desired, Rung, WalletContext, WalletSettings
from passflow.security.secrets import SecretRef
from passflow.wallets.apple.personal import kept, noted, packaged

if TYPE_CHECKING:
    from passflow.program import Program
    from passflow.store.engine import Store
    from passflow.sync.progress import Progress
    from passflow.wallets.apple.assets import AssetSet
    from passflow.wallets.apple.certificates import Identity
    from passflow.wallets.apple.push_transport import PushTransport


FEW: Final = 16
"""Passes that are worth a thread."""


class AppleWallet(WalletSettings):
    """Passes for Apple Wallet, signed with a Pass Type ID certificate."""

    label: ClassVar[str] = "Apple Wallet"
    docs_url: ClassVar[str] = "https://developer.apple.com/documentation/walletpasses"
    name: ClassVar[str] = "apple"

    type: Literal["apple"] = Field("apple", description="Apple Wallet.")
    pass_type: str = Field(
        pattern=r"^pass\.[A-Za-z0-9.-]{1,200}$", description="Pass type identifier, such as pass.com.example.gold."
    )
    team: str = Field(pattern=r"^[A-Z0-9]{10}$", description="Team identifier of the Apple developer account.")
    certificate: SecretRef = Field(description="Pass Type ID certificate: PEM, or PKCS#12 with its key.")
    key: SecretRef | None = Field(None, description="Private key, PEM; not needed where the certificate brings it.")
    key_password: SecretRef | None = Field(None, description="Password of the key or of the PKCS#12 file.")
    intermediate: SecretRef | None = Field(
        None, description="Intermediate certificate, PEM or DER; Apple's WWDR G4 is built in."
    )
    apns_host: str = Field("api.push.apple.com", description="APNs host; passes know the production host only.")
    apns_port: int = Field(443, ge=1, le=65535, description="APNs port: 443 or 2197.")
    apns_authority: SecretRef | None = Field(
        None, description="Certificate authority of the APNs host, PEM, where it is not a public one (tests, proxies)."
    )
    apns_token_key: SecretRef | None = Field(
        None,
        description="Key for token authentication (.p8, PEM) instead of the certificate; must be of the same team.",
    )
    apns_token_key_id: str | None = Field(
        None, pattern=r"^[A-Z0-9]{10}$", description="Key ID of `apns_token_key`, from the developer account."
    )
    pushes_per_second: int = Field(
        2000, ge=1, description="Pace of pushes: the phones come back at once and the gateway must answer them."
    )

    @model_validator(mode="after")
    def _check_token(self) -> Self:
        if (self.apns_token_key is None) != (self.apns_token_key_id is None):
            raise ValueError("`apns_token_key` and `apns_token_key_id` come together or not at all")
        return self

    def open(self, context: WalletContext) -> SigningWallet:
        """Loads the certificate and the shared files.

        Raises:
            CertificateError, SecretError: what it signs with does not fit or cannot be read.
        """
        from passflow.template import localisation
        from passflow.wallets.apple.assets import AssetSet

        files = {**context.files.shared(), **localisation(context.design)}
        assets = AssetSet.of(files)
        context.files.keep(assets.hash, files)
        identity = self.identity()
        context.files.keep_certificate(
            identity.certificate_id,
            pass_type=self.pass_type,
            team=self.team,
            leaf=identity.certificates.leaf,
            chain=identity.certificates.chain,
            not_after=identity.certificates.certificate.not_valid_after_utc,
        )
        return SigningWallet(self, context, assets, identity)

    def identity(self) -> Identity:
        """The certificate and key, checked against pass type, team and today's date.

        Raises:
            CertificateError, SecretError: it does not fit or cannot be read.
        """
        from passflow.wallets.apple.identity import load_identity

        return load_identity(
            self.certificate.reveal().data,
            self.key.reveal().data if self.key else None,
            pass_type_identifier=self.pass_type,
            team_identifier=self.team,
            now=datetime.now(UTC),
            passphrase=self.key_password.reveal().data if self.key_password else None,
            intermediate=self.intermediate.reveal().data if self.intermediate else None,
        )

    def ring(self, store: Store, program: Program, progress: Progress) -> Rung:
        """Pushes to every device that holds a pass of the program with newer bytes.

        Raises:
            PushError: APNs refuses our request or credentials, or cannot be reached.
            CertificateError, SecretError: the certificate cannot be used.
        """
        from passflow.wallets.apple.ring import ring_phones

        return ring_phones(
            store,
            program.program,
            self._transport(),
            pace_per_second=self.pushes_per_second,
            subscribers=program.subscribers,
            progress=progress,
        )

    def _transport(self) -> PushTransport:
        """To APNs, with the pass certificate (which is also the push certificate) or with a token."""
        from passflow.wallets.apple.h2_transport import H2Transport, TransportSettings
        from passflow.wallets.apple.push_auth import ProviderToken, client_context

        settings = TransportSettings(host=self.apns_host, port=self.apns_port)
        trust = self.apns_authority.reveal().data if self.apns_authority else None
        if self.apns_token_key is not None and self.apns_token_key_id is not None:
            key = self.apns_token_key.reveal().data
            token = ProviderToken(key, key_id=self.apns_token_key_id, team_id=self.team)
            return H2Transport(client_context(trust=trust), settings, bearer=token)
        certificate, private = self._push_certificate()
        return H2Transport(client_context(certificate, private, trust=trust), settings)

    def _push_certificate(self) -> tuple[bytes, bytes]:
        """Certificate with its chain, and its key, as PEM, however they were given."""
        from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

        identity = self.identity()
        chain = (identity.certificates.leaf, *identity.certificates.intermediates)
        return (
            b"".join(ssl.DER_cert_to_PEM_cert(der).encode() for der in chain),
            identity.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        )

    def mark(self, base_dir: Path) -> str:
        """Id of the certificate in use: passes signed with another one are signed again."""
        return self.identity().certificate_id


class SigningWallet:
    """Apple Wallet opened for one design of one program.

    Args:
        settings: the wallet's block of the program file.
        context: program, design and files.
        assets: the shared files, hashed and laid out once.
        identity: the checked certificate and key.
    """

    def __init__(self, settings: AppleWallet, context: WalletContext, assets: AssetSet, identity: Identity) -> None:
        self._settings = settings
        self._context = context
        self._assets = assets
        self._identity = identity

    def bring(self, batch: Sequence[Desired]) -> list[Brought]:
        """Renders and signs every pass of the batch; threads sign in parallel, because the key work frees the GIL."""
        moment = datetime.now(UTC).replace(microsecond=0)
        threads = min(os.cpu_count() or 1, max(1, len(batch) // FEW))
        if threads == 1:
            return [self._sign(desired, moment) for desired in batch]
        parts = [batch[start::threads] for start in range(threads)]
        with ThreadPoolExecutor(threads) as pool:
            signed = pool.map(lambda part: [self._sign(desired, moment) for desired in part], parts)
            return [brought for part in signed for brought in part]

    def _sign(self, desired: Desired, moment: datetime) -> Brought:
        from passflow.wallets.apple.package import sign_package

        try:
            content, personal, notice = self._content(desired)
            signed = sign_package(self._identity, self._assets, content, moment, packaged(personal))
        except PassflowError as error:
            return Brought(desired.serial, desired.revision, code=error.error_code, permanent=True)
        return Brought(
            serial=desired.serial,
            revision=desired.revision,
            content=content,
            personal=personal,
            columns={
                "pass_type": self._settings.pass_type,
                "token_hash": hashlib.sha256(desired.token.encode()).digest(),
                "signature": bytes(signed.signature),
                "signed_at": int(signed.signing_time.timestamp()),
                "certificate_id": signed.certificate_id,
                "asset_set": signed.asset_set,
                "package_format": signed.format,
                "manifest_hash": signed.manifest_hash,
            },
            publishes=not desired.resign_only,
            notice=notice,
        )

    def _content(self, desired: Desired) -> tuple[bytes, Mapping[str, bytes], str | None]:
        import orjson

        from passflow.template import AppleEnvelope, render_apple
        from passflow.template.blank import render_blank

        current = desired.current
        if desired.resign_only and isinstance(content := current["content"], bytes):
            personal = current["personal"]
            return content, personal if isinstance(personal, Mapping) else {}, None
        base_url = self._context.base_url
        envelope = AppleEnvelope(
            pass_type=self._settings.pass_type,
            team=self._settings.team,
            serial=desired.serial,
            authentication_token=desired.token if base_url else None,
            web_service_url=f"{base_url.rstrip('/')}/apple" if base_url else None,
            status=desired.status,
            at=datetime.now(UTC),
        )
        if desired.values is None:
            return orjson.dumps(render_blank(self._context.design, envelope)), {}, None
        files, notice = self._personal(desired)
        return orjson.dumps(render_apple(self._context.design, desired.values, envelope)), files, notice

    def _personal(self, desired: Desired) -> tuple[dict[str, bytes], str | None]:
        from passflow.template import personal_images

        before = desired.current["personal"]
        files: dict[str, bytes] = {}
        notice = None
        for name, reference in personal_images(self._context.design, desired.values or {}).items():
            same = kept(name, reference, before) if isinstance(before, Mapping) else None
            if same is not None:
                files.update(same)
                continue
            try:
                files.update(noted(name, reference, self._context.files.personal(name, reference)))
            except FetchError as error:
                # a pass without its picture is right in all else; the code is shown and the next revision tries again
                notice = error.error_code
        return files, notice
