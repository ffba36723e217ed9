"""Master systems: one file per vendor, found by scanning this package."""
