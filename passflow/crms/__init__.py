"""CRMs: marketing systems that are told of events. One file per vendor, found by scanning this package."""
