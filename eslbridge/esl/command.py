"""What may be sent to FreeSWITCH: the value type that every command is, and the guards no command gets around.

FreeSWITCH reads commands as lines, splits arguments at spaces and quotes, expands `${…}` inside application arguments
(`${system …}` runs a program) and rewrites any line that names mod_event_socket together with "reload" into a reload
that cuts every connection (mod_event_socket.c, `parse_command`). So text never becomes a command by formatting: the
builders in `commands.py` check or escape each field, and `Command` itself checks the result once more.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from eslbridge.esl.errors import CommandRefused

MAX_COMMAND_BYTES: Final = 8192
"""The longest command sent, all lines together. Longer texts go another way."""

APPLICATIONS: Final = frozenset({
    "answer", "break", "hangup", "park", "playback", "pre_answer", "record_session", "send_dtmf", "sleep",
    "stop_record_session", "unset",
})  # fmt: skip
"""Dialplan applications that may be executed. FreeSWITCH hangs the caller up for a name it does not know."""

API_COMMANDS: Final = frozenset({
    "callcenter_config", "module_exists", "originate", "sched_api", "sched_del", "show", "sofia_contact", "status",
    "user_data", "user_exists", "uuid_audio_fork", "uuid_audio_stream", "uuid_break", "uuid_bridge", "uuid_broadcast",
    "uuid_exists", "uuid_getvar", "uuid_kill", "uuid_record", "uuid_send_dtmf", "uuid_setvar", "uuid_transfer",
})  # fmt: skip
"""API commands that may be called."""

_VERBS: Final = frozenset({
    "api", "auth", "bgapi", "connect", "divert_events", "event", "exit", "filter", "linger", "myevents", "nixevent",
    "noevents", "resume", "sendmsg",
})  # fmt: skip
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_UUID = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")
_HEADER_NAME = re.compile(r"[A-Za-z][A-Za-z-]{0,40}")


@dataclass(frozen=True, slots=True)
class Command:
    """One command: its first line and header lines. Checked when it is made, so one that exists may be sent.

    Raises CommandRefused (a ValueError) for control characters, more than MAX_COMMAND_BYTES, an unknown verb,
    API command or application, and for the words that reload mod_event_socket.
    """

    line: str
    headers: tuple[tuple[str, str], ...] = ()
    secret: bool = field(default=False, compare=False)
    """Whether logs must not show it."""

    def __post_init__(self) -> None:
        texts = [self.line, *(value for _, value in self.headers)]
        for text in texts:
            if _CONTROL.search(text):
                raise CommandRefused(f"a control character in {self.name}")
        for name, _ in self.headers:
            if not _HEADER_NAME.fullmatch(name):
                raise CommandRefused(f"not a header name: {name!r}")
        words = self.line.split(" ")
        if words[0] not in _VERBS:
            raise CommandRefused(f"not a command: {words[0]!r}")
        if words[0] in ("api", "bgapi") and (len(words) < 2 or words[1] not in API_COMMANDS):
            raise CommandRefused(f"not an API command we use: {self.line[:40]!r}")
        for name, value in self.headers:
            if name == "execute-app-name" and value not in APPLICATIONS:
                raise CommandRefused(f"not an application we use: {value!r}")
        everything = " ".join(texts).lower()
        if "mod_event_socket" in everything and ("reload" in everything or "unload" in everything):
            raise CommandRefused("these words would make FreeSWITCH reload its event socket")
        if len(self.wire()) > MAX_COMMAND_BYTES:
            raise CommandRefused(f"{self.name} is longer than {MAX_COMMAND_BYTES} bytes")

    @property
    def name(self) -> str:
        """What it is, for logs and errors, without its arguments."""
        words = self.line.split(" ")
        if words[0] in ("api", "bgapi") and len(words) > 1:
            return words[1]
        for name, value in self.headers:
            if name in ("execute-app-name", "call-command") and value != "execute":
                return value
        return words[0]

    @property
    def is_api(self) -> bool:
        return self.line.startswith("api ")

    def wire(self) -> bytes:
        """The bytes to send, with the empty line that ends a command."""
        lines = [self.line, *(f"{name}: {value}" for name, value in self.headers), "", ""]
        return "\n".join(lines).encode("utf-8", "replace")

    def background(self, job_uuid: str) -> Command:
        """The same API command as a background job under our own Job-UUID."""
        if not self.is_api:
            raise CommandRefused(f"{self.name} cannot run in the background")
        return Command(f"bg{self.line}", (*self.headers, ("Job-UUID", uuid(job_uuid))))

    def __repr__(self) -> str:
        return f"Command({self.name})" if self.secret else f"Command({self.line[:120]!r}, {self.headers!r})"


def uuid(value: str) -> str:
    """A UUID in its usual form of 36 characters, in lower case. Raises CommandRefused for anything else."""
    if not _UUID.fullmatch(value):
        raise CommandRefused(f"not a UUID: {value[:64]!r}")
    return value.lower()


def matching(pattern: str, value: str, what: str) -> str:
    """`value`, if all of it matches the pattern. Raises CommandRefused."""
    if not re.fullmatch(pattern, value, re.ASCII):
        raise CommandRefused(f"not {what}: {value[:64]!r}")
    return value


def number(value: int, low: int, high: int, what: str) -> int:
    """`value`, if it lies in [low, high]. Raises CommandRefused."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise CommandRefused(f"{what} must be {low} to {high}, not {value!r}")
    return value


def plain_text(value: str, what: str) -> str:
    """Text without control characters, and without anything FreeSWITCH would expand. Raises CommandRefused."""
    if _CONTROL.search(value):
        raise CommandRefused(f"a control character in {what}")
    if "${" in value or "$$" in value:
        raise CommandRefused(f"{what} holds a variable that FreeSWITCH would expand")
    return value


def quoted(value: str) -> str:
    """Text as one argument of an API command: split at spaces by `switch_separate_string`, then unescaped once.

    In single quotes, with `\\` before a backslash or quote; what arrives is the text itself.
    """
    if _CONTROL.search(value):
        raise CommandRefused("a control character in an argument")
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def originate_value(value: str, what: str) -> str:
    """Text as the value of a variable in `originate {name=value,…}`.

    The string passes `switch_separate_string` three times (at spaces, commas and the equals sign), each of which
    removes a level of quotes and backslashes, and all three can read `\\s` as a space. Nothing can escape braces
    (`switch_find_end_paren` only counts them) or the `:_:` of an enterprise originate, so those are refused.
    """
    plain_text(value, what)
    if any(mark in value for mark in ("{", "}", "[", "]", "<", ">", ":_:")) or value.startswith("^^"):
        raise CommandRefused(f"{what} holds a bracket that cannot be escaped in a dial string")
    inner = value.replace("\\", "\\\\").replace("'", "\\'").replace(" ", "\\s")
    middle = inner.replace("\\", "\\\\").replace("'", "\\'").replace(",", "\\,")
    return middle.replace("\\", "\\\\").replace("'", "\\'")
