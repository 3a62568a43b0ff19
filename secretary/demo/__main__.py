"""`python -m secretary.demo`, which script/demo runs."""

from __future__ import annotations

import sys

from secretary.demo.options import parse
from secretary.demo.run import demo
from secretary.embedded import EmbeddedError


def main() -> int:
    """Exit status: 0 the expected outcome, 1 another one, 2 wrong usage or a set-up that failed, 130 Ctrl-C."""
    options = parse(sys.argv[1:])
    try:
        return demo(options)
    except EmbeddedError as error:
        sys.stderr.write(f"\n{error}\n")
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
