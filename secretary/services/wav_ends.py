"""Whether a WAV file is complete. Whoever writes one puts its length into the header at the end, as FreeSWITCH does."""

from __future__ import annotations

from pathlib import Path
from typing import Final

_HEADER: Final = 8
"""`RIFF` and the length of what follows."""
_LONGEST_HEAD: Final = 4_096
"""In which the `data` chunk begins."""


def has_end(path: Path) -> bool:
    """Whether the header tells the length that the file has. Raises OSError."""
    with path.open("rb") as file:
        head = file.read(_HEADER)
        size = file.seek(0, 2)
    return head[:4] == b"RIFF" and int.from_bytes(head[4:8], "little") + _HEADER == size


def give_end(path: Path) -> None:
    """Write the length into a file whose writer did not come to it. Nothing where there is no sound. Raises OSError."""
    with path.open("r+b") as file:
        at = file.read(_LONGEST_HEAD).find(b"data")
        size = file.seek(0, 2)
        for place, length in ((4, size - _HEADER), (at + 4, size - at - 8)):
            if at > 0 and 0 < length < 1 << 32:
                file.seek(place)
                file.write(length.to_bytes(4, "little"))
