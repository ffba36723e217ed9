"""Apple Wallet: signed passes: package, signature, certificates, verification and push."""

from passflow.wallets.apple.wallet import AppleWallet

__all__ = ["AppleWallet"]
