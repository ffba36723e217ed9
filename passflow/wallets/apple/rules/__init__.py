"""Apple's rules for pass.json, shared by template loading and verification.

From https://developer.apple.com/documentation/walletpasses/pass, the archived PassKit Package Format Reference, and the
validator of https://github.com/apple/pass-builder; the tables of keys are in `keys`.
"""

from passflow.wallets.apple.rules.document import check_pass

__all__ = ["check_pass"]
