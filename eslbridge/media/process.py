"""What a process that must keep a 20 ms clock asks of Python."""

from __future__ import annotations

import gc
import sys
from typing import Final

SWITCH_INTERVAL_S: Final = 0.0005
"""How long another thread may keep the interpreter while the loop wants it. Python's 5 ms would be a phase for every
hand-over: writing recordings in a thread then delays frames by tens of milliseconds."""
_YOUNG: Final = 20_000


def tune() -> None:
    """Call once, when everything is imported and set up, and before the first call.

    What lives by now lives to the end: the collector need not look at it again, and looks at the rest less often.
    """
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, 20, 50)
