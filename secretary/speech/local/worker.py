"""A recogniser's worker process: jobs come by stdin, answers go by stdout. Started by `recogniser.py` only.

A message is 8 bytes (two big-endian lengths), a JSON object, and audio. End of stdin ends the process, so a node that
dies leaves no worker behind.
"""

from __future__ import annotations

import json
import os
import signal
import struct
import sys
from typing import Any, BinaryIO, Final

HEADER: Final = struct.Struct(">II")
MAX_JSON: Final = 4 * 2**20
MAX_AUDIO: Final = 4 * 2**20
"""More than two minutes at 8 kHz."""


def pack(message: dict[str, Any], audio: bytes = b"") -> bytes:
    """One message as bytes."""
    text = json.dumps(message).encode()
    return HEADER.pack(len(text), len(audio)) + text + audio


def read(stream: BinaryIO) -> tuple[dict[str, Any], bytes] | None:
    """The next message, or None at the end. Raises ValueError for one that is too long."""
    head = stream.read(HEADER.size)
    if len(head) < HEADER.size:
        return None
    json_bytes, audio_bytes = HEADER.unpack(head)
    if json_bytes > MAX_JSON or audio_bytes > MAX_AUDIO:
        raise ValueError("a message longer than any job")
    return json.loads(stream.read(json_bytes)), stream.read(audio_bytes)


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the node's: it closes our stdin
    os.nice(5)  # the audio clock on the same cores comes first
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not get between our answers

    from secretary.speech.local.engine import Engine
    from secretary.speech.local.grammar import GrammarSpec

    engine = Engine()
    answers.write(pack({"ready": True}))
    answers.flush()
    while (job := read(sys.stdin.buffer)) is not None:
        message, audio = job
        answer: dict[str, Any] = {"id": message["id"]}
        try:
            if message["do"] == "dictate":
                answer["text"] = engine.dictate(audio)
            else:
                spec = GrammarSpec(message["language"], tuple(tuple(ways) for ways in message["names"]))
                if message["do"] == "prepare":
                    engine.prepare(spec)
                else:
                    what = engine.understand(spec, audio, answer=message["answer"])
                    answer.update(intent=what.intent, text=what.text, confidence=what.confidence, place=what.place)
        except Exception as error:  # The job's caller is told; the worker lives on for the next call.
            answer["error"] = f"{type(error).__name__}: {error}"
        answers.write(pack(answer))
        answers.flush()


if __name__ == "__main__":
    main()
