"""One response at a time: OpenAI answers only one for a conversation, and two voices at once are none.

What is wanted waits in line; what is asked for twice is asked for once. A response that was cancelled stays in the way
until the server says that it is over, but not for ever.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final, Literal

Kind = Literal["answer", "say"]
MOST: Final = 8
MOST_DROPPED: Final = 32


@dataclass(slots=True)
class Response:
    """One that was asked for, or that the server began by itself."""

    kind: Kind
    event: str = ""
    """What asks for it."""
    keep: bool = True
    response_id: str = ""
    cancelled: bool = False
    sounded: bool = False
    """Something came of it that cannot be taken back: sound, or the call of a tool."""
    tries: int = 0
    calls: set[str] = field(default_factory=set)
    """Tools it called that have no result yet."""


class Responses:
    """The one that is under way, and those that wait."""

    def __init__(self) -> None:
        self.active: Response | None = None
        self._waiting: deque[Response] = deque()
        self._dropped: deque[str] = deque(maxlen=MOST_DROPPED)

    @property
    def busy(self) -> bool:
        return self.active is not None or bool(self._waiting)

    def want(self, response: Response) -> None:
        """Put it in line. One answer is enough; sentences of the platform come before answers."""
        if response.kind == "answer":
            if all(other.kind != "answer" for other in self._waiting) and len(self._waiting) < MOST:
                self._waiting.append(response)
            return
        answers = [other for other in self._waiting if other.kind == "answer"]
        sentences = [other for other in self._waiting if other.kind == "say"][-(MOST - 1) :]
        self._waiting = deque([*sentences, response, *answers])

    def hold(self) -> None:
        """No answer yet: the response under way calls for another tool, whose result it needs as well."""
        self._waiting = deque(response for response in self._waiting if response.kind != "answer")

    def again(self, response: Response) -> None:
        """It did not come about: the next one, once more."""
        response.response_id, response.cancelled = "", False
        self._waiting.appendleft(response)

    def next(self) -> Response | None:
        """The one to ask for now, if nothing is under way."""
        if self.active is not None or not self._waiting:
            return None
        self.active = self._waiting.popleft()
        return self.active

    def began(self, response_id: str) -> Response:
        """The server has begun a response: the one that was asked for, or one of its own."""
        if self.active is None or (self.active.response_id and self.active.response_id != response_id):
            self.active = Response("answer")
        self.active.response_id = response_id
        return self.active

    def over(self, response_id: str) -> Response | None:
        """The server is done with a response; which one it was, if it was the one under way."""
        active = self.active
        if active is None or (active.response_id and active.response_id != response_id):
            return None
        self.active = None
        return active

    def put_off(self) -> None:
        """The server would not begin what was asked for: it has one of its own under way, which ends first."""
        active = self.active
        if active is None:
            return
        self.again(Response(active.kind, active.event, active.keep))
        self.active = Response("answer", response_id=active.response_id)

    def drop(self, response_id: str) -> None:
        """Nothing of this response is wanted any more."""
        if response_id:
            self._dropped.append(response_id)

    def is_dropped(self, response_id: str) -> bool:
        return response_id in self._dropped

    def clear(self) -> None:
        """Forget all: there is a new session. Sentences that nobody heard yet are still to be said."""
        if self.active is not None and self.active.kind == "say" and not self.active.sounded:
            self.again(self.active)
        self._waiting = deque(response for response in self._waiting if response.kind == "say")
        self.active = None
        self._dropped.clear()
