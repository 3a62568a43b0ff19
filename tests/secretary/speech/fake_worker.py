"""A recogniser's worker that misbehaves as it is told, by the name of the job's first place."""

from __future__ import annotations

import os
import sys
import time

from secretary.speech.local.worker import pack, read


def main() -> None:
    out = sys.stdout.buffer
    out.write(pack({"ready": True}))
    out.flush()
    while (job := read(sys.stdin.buffer)) is not None:
        message, audio = job
        order = message["names"][0][0] if message.get("names") else ""
        if order == "die":
            os._exit(9)
        if order == "hang":
            time.sleep(60)
        if order == "slow":
            time.sleep(0.2)
        if order == "garbage":
            out.write(b"\xff" * 64)
        elif order == "error":
            out.write(pack({"id": message["id"], "error": "ValueError: on purpose"}))
        else:
            out.write(
                pack(
                    {
                        "id": message["id"],
                        "intent": "place",
                        "text": str(os.getpid()),
                        "confidence": 1.0,
                        "place": len(audio),
                    }
                )
            )
        out.flush()


if __name__ == "__main__":
    main()
