"""`python -m eslbridge.simulator`: a stand-in switch from the command line, with or without calls of its own."""

from __future__ import annotations

import sys

from eslbridge.simulator.cli import main

if __name__ == "__main__":
    sys.exit(main())
