"""One telephone conversation: a sans-I/O machine that decides, and a thin session that does what it says."""
