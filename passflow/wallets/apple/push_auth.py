"""How a push connection proves who it is: the pass certificate over TLS (documented), or a provider token (.p8)."""

from __future__ import annotations

import secrets
import ssl
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from passflow.errors import CertificateError

# APNs refuses tokens older than an hour, and tokens renewed more often than every 20 minutes:
# https://developer.apple.com/documentation/usernotifications/establishing-a-token-based-connection-to-apns
TOKEN_LIFETIME = 40 * 60.0
"""Seconds a provider token is used before the next is made."""


def client_context(
    certificate: bytes | None = None,
    key: bytes | None = None,
    *,
    passphrase: bytes | None = None,
    trust: bytes | None = None,
) -> ssl.SSLContext:
    """Returns a TLS 1.2+ context with ALPN ``h2`` that trusts APNs and presents a client certificate.

    Args:
        certificate: PEM of the certificate that signs the passes, with its chain if there is one; None for token auth.
        key: PEM of its private key.
        passphrase: of `key`.
        trust: PEM of roots to trust instead of the system's, for a proxy or a local server.

    Raises:
        CertificateError: a PEM cannot be read, or key and certificate do not belong together.
    """
    try:
        context = ssl.create_default_context(cadata=trust.decode("ascii") if trust else None)
    except (ssl.SSLError, UnicodeDecodeError) as exc:
        raise CertificateError("The trusted roots for APNs are not PEM certificates.") from exc
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["h2"])
    if (certificate is None) != (key is None):
        raise CertificateError("A push certificate needs its private key, and a key its certificate.")
    if certificate is not None and key is not None:
        load_certificate(context, certificate, key, passphrase)
    return context


def load_certificate(context: ssl.SSLContext, certificate: bytes, key: bytes, passphrase: bytes | None = None) -> None:
    """Puts a PEM certificate and key into a TLS context, without the key ever lying readable in a file.

    Raises:
        CertificateError: a PEM cannot be read, or key and certificate do not belong together.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import (
        BestAvailableEncryption,
        Encoding,
        PrivateFormat,
        load_pem_private_key,
    )

    # OpenSSL's loader takes files only, so the key is encrypted with a passphrase that never leaves memory:
    # a file that outlives a crash is worth nothing.
    once = secrets.token_urlsafe(32)
    try:
        private = load_pem_private_key(key, passphrase)
        sealed = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(once.encode()))
    except (ValueError, TypeError, UnsupportedAlgorithm) as exc:
        # from None: the library's message may quote the material
        del exc
        raise CertificateError("The push certificate's private key cannot be read as PEM.") from None
    with tempfile.TemporaryDirectory(prefix="passflow-") as folder:
        path = Path(folder, "identity.pem")
        path.touch(mode=0o600)
        path.write_bytes(sealed + b"\n" + certificate)
        try:
            context.load_cert_chain(path, password=once)
        except ssl.SSLError as exc:
            why = "do not belong together" if exc.reason == "KEY_VALUES_MISMATCH" else "cannot be read as PEM"
            raise CertificateError(f"The push certificate and its private key {why}.") from None


class ProviderToken:
    """Makes and renews the ES256 token of token-based authentication.

    Apple does not document tokens for passes; they work for pass types of the key's own team, by report.

    Args:
        key: PEM of the .p8 key (EC P-256).
        key_id: ten characters, from the developer account.
        team_id: ten characters; the team that owns the pass type.
        clock: seconds since 1970.

    Raises:
        CertificateError: `key` is not a P-256 private key.
    """

    def __init__(self, key: bytes, *, key_id: str, team_id: str, clock: Callable[[], float] = time.time) -> None:
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        try:
            private = load_pem_private_key(key, None)
        except (ValueError, TypeError):
            private = None
        if not isinstance(private, ec.EllipticCurvePrivateKey) or not isinstance(private.curve, ec.SECP256R1):
            raise CertificateError("The APNs token key is not a P-256 private key in PEM (.p8).") from None
        self._key, self._key_id, self._team_id, self._clock = private, key_id, team_id, clock
        self._issued = float("-inf")
        self._header = ""

    def __repr__(self) -> str:
        return f"ProviderToken(key_id={self._key_id!r}, team_id={self._team_id!r})"

    def __call__(self) -> str:
        """Returns the value of the ``authorization`` header, renewed when it is 40 minutes old."""
        now = self._clock()
        if not 0 <= now - self._issued < TOKEN_LIFETIME:
            import jwt

            claims = {"iss": self._team_id, "iat": int(now)}
            token = jwt.encode(claims, self._key, algorithm="ES256", headers={"kid": self._key_id})
            self._issued, self._header = now, f"bearer {token}"
        return self._header
