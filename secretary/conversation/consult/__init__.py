"""The colleague's side of a transfer: who is calling and why, and whether they take the call. No I/O, no clock."""
