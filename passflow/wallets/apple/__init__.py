"""Signed Apple passes: package, signature, certificates, verification and push."""
