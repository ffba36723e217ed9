"""Secrets, encryption, safe fetching, redaction and erasure."""
