"""The server of `bench esl`: the outbound server of the voice node, and nothing else."""

from __future__ import annotations

import gc
import os
import time
from typing import Any

from eslbridge.esl.call import OutboundCall
from eslbridge.esl.events import Event
from eslbridge.esl.outbound import OutboundServer
from secretary.bench.esl_pipe import Answer, serve


class Counter:
    """Counts the events of every call, and between which moments they came."""

    def __init__(self) -> None:
        self.events = 0
        self.first = self.last = 0.0

    def count(self, event: Event) -> None:
        """One event: what a node does with one that is not for it."""
        self.events += 1
        if not self.events % 500:
            self.last = time.monotonic()
        elif not self.first:
            self.first = time.monotonic()


async def main(config: dict[str, Any]) -> Answer:
    counter = Counter()
    calls: set[OutboundCall] = set()

    def received(call: OutboundCall) -> None:
        call.variables["domain_uuid"]
        call.add_raw_listener(counter.count)
        calls.add(call)

    server = OutboundServer(received, port=0, max_connections=config["connections"] + 100)
    await server.start()

    async def answer(message: dict[str, Any]) -> dict[str, Any]:
        if not message.get("measure"):
            return {"port": server.port}
        gc.collect()
        pages = int(open("/proc/self/statm").read().split()[1])  # noqa: ASYNC230 - a moment, between two phases
        result = {
            "rss_kb": pages * os.sysconf("SC_PAGE_SIZE") // 1024,
            "cpu_s": time.process_time(),
            "open": server.connections,
            "events": counter.events,
            "busy_s": counter.last - counter.first,
        }
        counter.first = counter.last = 0.0
        return result

    return answer


if __name__ == "__main__":
    serve(main)
