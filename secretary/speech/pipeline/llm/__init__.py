"""Language models: one file a vendor, one contract."""
