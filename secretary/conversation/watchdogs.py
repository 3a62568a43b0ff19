"""Deadlines of a conversation by name, and the counters that decide when patience ends."""

from __future__ import annotations

MOST_UNANSWERED = 1
"""How often in a row the provider may leave a turn unanswered before the caller is passed on."""


class Watchdogs:
    """Named deadlines on the call's clock (ms). Setting one again moves it."""

    def __init__(self, silence_prompts: int) -> None:
        self._at: dict[str, int] = {}
        self._silence_prompts = silence_prompts
        self._silences = 0
        self._unanswered = 0

    @property
    def next(self) -> int | None:
        return min(self._at.values(), default=None)

    def set(self, name: str, at: int) -> None:
        self._at[name] = at

    def set_earlier(self, name: str, at: int) -> None:
        """Set it, or move it forward; never back."""
        self._at[name] = min(at, self._at.get(name, at))

    def clear(self, name: str) -> None:
        self._at.pop(name, None)

    def only(self, name: str, at: int) -> None:
        """Forget every other deadline."""
        self._at = {name: at}

    def none(self) -> None:
        self._at.clear()

    def pending(self, name: str) -> bool:
        return name in self._at

    def any_of(self, *names: str) -> bool:
        return any(name in self._at for name in names)

    def due(self, now: int) -> list[str]:
        """Take out the deadlines that have come, earliest first."""
        names = sorted((name for name, at in self._at.items() if at <= now), key=self._at.__getitem__)
        for name in names:
            del self._at[name]
        return names

    def calm(self) -> None:
        """The caller made a sound or pressed a key: the silence is over."""
        self._silences = 0

    def understood(self) -> None:
        """The provider is alive."""
        self._unanswered = 0

    def silent_again(self) -> bool:
        """Count one more silence; True when the caller has been asked often enough."""
        self._silences += 1
        return self._silences > self._silence_prompts

    def unanswered_again(self) -> bool:
        self._unanswered += 1
        return self._unanswered > MOST_UNANSWERED
