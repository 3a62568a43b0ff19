"""Speech to text: one file a vendor, one contract."""
