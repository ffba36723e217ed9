"""Wallets: where passes live. One file or folder per vendor, found by scanning this package."""
