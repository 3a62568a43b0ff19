"""Rehearsals: a caller who speaks by script, the product's own conversation, and what must hold at the end.

Each `*.yaml` beside this file is one call. `script.py` reads it, `run.py` plays it, `judge.py` says what did not hold.
With the stand-in provider a call of a minute takes a second: `virtual_time.py` has a clock that jumps.
"""
