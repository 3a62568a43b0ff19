"""A small dialplan: contexts of extensions, built by hand or read from FreeSWITCH's XML.

Understood of the XML: contexts, extensions with `continue`, conditions on any field or `${variable}` and on the time
with their `break`, nested conditions, actions, anti-actions and `inline`. The XML that a domain installs is what the
stand-in switch runs, so the demo tests it too.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Protocol
from zoneinfo import ZoneInfo

from eslbridge.simulator import times
from eslbridge.simulator.arguments import separate

if TYPE_CHECKING:
    from eslbridge.simulator.channel import Channel

INLINE_APPS = frozenset({"set", "export", "unset", "multiset"})


@dataclass(frozen=True, slots=True)
class Action:
    """An application with its argument."""

    app: str
    data: str = ""
    inline: bool = False


@dataclass(frozen=True, slots=True)
class Condition:
    """`field` matched against `expression`, at those `times`; empty field always matches."""

    field: str = ""
    expression: str = ""
    actions: tuple[Action, ...] = ()
    anti_actions: tuple[Action, ...] = ()
    break_on: str = "on-false"
    nested: tuple[Condition, ...] = ()
    times: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Extension:
    """One `<extension>`."""

    name: str
    conditions: tuple[Condition, ...]
    go_on: bool = False


class Expander(Protocol):
    def __call__(self, channel: Channel, text: str) -> str: ...


@dataclass(slots=True)
class Dialplan:
    """Contexts by name. `expand` evaluates `${…}` in conditions; `inline` runs inline actions."""

    expand: Expander
    now: Callable[[tzinfo | None], datetime] = datetime.now
    """The time in a zone, or the switch's own."""
    contexts: dict[str, list[Extension]] = field(default_factory=dict)

    def add(self, context: str, number: str, actions: Iterable[Action | tuple[str, str]]) -> None:
        """An extension for one number, by hand."""
        listed = tuple(one if isinstance(one, Action) else Action(*one) for one in actions)
        condition = Condition("destination_number", f"^{re.escape(number)}$", listed)
        self.contexts.setdefault(context, []).append(Extension(number, (condition,)))

    def load_xml(self, text: str, context: str = "") -> None:
        """Install a dialplan document: `<context>`s, or bare `<extension>`s for the context given.

        Raises `ValueError` when it is no XML or holds no extension.
        """
        try:
            # Our own renderer's text or a developer's file: no hostile XML reaches a stand-in switch.
            root = ElementTree.fromstring(_wrapped(text))  # noqa: S314
        except ElementTree.ParseError as error:
            raise ValueError(f"not a dialplan: {error}") from error
        found = 0
        for element in root.iter("context"):
            for child in element.findall("extension"):
                self._install(element.get("name", context), child)
                found += 1
        if not found:
            for child in root.iter("extension"):
                if not context:
                    raise ValueError("a dialplan of bare extensions needs a context")
                self._install(context, child)
                found += 1
        if not found:
            raise ValueError("no extension in this dialplan")

    def _install(self, context: str, element: ElementTree.Element) -> None:
        conditions = tuple(_condition(one) for one in element.findall("condition"))
        extension = Extension(element.get("name", ""), conditions, element.get("continue", "") == "true")
        self.contexts.setdefault(context, []).append(extension)

    def find(self, channel: Channel, number: str, context: str) -> list[Action] | None:
        """The actions for a number; None when no extension matches. Inline actions take effect at once."""
        collected: list[Action] = []
        matched = False
        for extension in self.contexts.get(context, []):
            reader = _Reader(channel, number, self.expand, self.now)
            if reader.read(extension.conditions):
                matched = True
                collected += reader.actions
                if not extension.go_on:
                    break
            else:
                collected += reader.actions  # anti-actions count even though the extension did not match
        return collected if matched or collected else None


def inline(text: str) -> list[Action]:
    """The `inline` dialplan of mod_dptools: `app:data,app:data`, or with another comma after `m:`."""
    comma = ","
    if text.startswith("m:") and text[3:4] == ":":
        comma, text = text[2], text[4:]
    parts = (part.lstrip(" ").partition(":") for part in separate(text, delimiter=comma))
    return [Action(app, data) for app, _, data in parts if app]


class _Reader:
    """Walks one extension's conditions for one call."""

    def __init__(
        self, channel: Channel, number: str, expand: Expander, now: Callable[[tzinfo | None], datetime]
    ) -> None:
        self.channel = channel
        self.number = number
        self.expand = expand
        self.now = now
        self.actions: list[Action] = []

    def read(self, conditions: Sequence[Condition]) -> bool:
        proceed = True
        for condition in conditions:
            match = self._match(condition)
            if match is None:
                proceed = False
                self._take(condition.anti_actions, None)
                if condition.break_on in ("", "on-false", "always"):
                    return False
            else:
                proceed = True
                self._take(condition.actions, match)
                if condition.nested and not self.read(condition.nested) and condition.break_on == "on-false":
                    proceed = True  # a nested condition does not undo its parent
                if condition.break_on in ("on-true", "always"):
                    return True
        return proceed

    def _match(self, condition: Condition) -> re.Match[str] | None:
        if condition.times:
            zone = self.channel.variable("timezone")
            if not times.match(condition.times, self.now(ZoneInfo(zone) if zone else None)):
                return None
        if not condition.field:
            return re.match("", "")
        if condition.field == "destination_number":
            value = self.number
        elif "$" in condition.field:
            value = self.expand(self.channel, condition.field)
        else:
            value = self.channel.variable(condition.field)
        return re.search(self.expand(self.channel, condition.expression), value)

    def _take(self, actions: Sequence[Action], match: re.Match[str] | None) -> None:
        for action in actions:
            data = _substitute(action.data, match) if match is not None else action.data
            if action.inline and action.app in INLINE_APPS:
                self._run_inline(action.app, data)
            else:
                self.actions.append(Action(action.app, data))

    def _run_inline(self, app: str, data: str) -> None:
        name, _, value = self.expand(self.channel, data).partition("=")
        if app == "unset" or not value:
            self.channel.variables.pop(name, None)
        else:
            self.channel.variables[name.removeprefix("nolocal:")] = value


def _wrapped(text: str) -> str:
    """One root, whatever the document is made of; `<X-PRE-PROCESS>` and comments do no harm."""
    text = re.sub(r"<\?xml.*?\?>", "", text, count=1, flags=re.DOTALL)
    return f"<_>{text}</_>"


def _condition(element: ElementTree.Element) -> Condition:
    def listed(tag: str) -> tuple[Action, ...]:
        return tuple(
            Action(one.get("application", ""), one.get("data", ""), one.get("inline", "") == "true")
            for one in element.findall(tag)
        )

    expression = element.get("expression") or element.findtext("expression") or ""
    return Condition(
        element.get("field", ""),
        expression,
        listed("action"),
        listed("anti-action"),
        element.get("break", "on-false"),
        tuple(_condition(one) for one in element.findall("condition")),
        times.of(element.attrib),
    )


def _substitute(data: str, match: re.Match[str]) -> str:
    """`$1`…`$9` of the last match, but not the `$` of `${…}`."""

    def group(found: re.Match[str]) -> str:
        index = int(found.group(1))
        return (match.group(index) or "") if index <= len(match.groups()) else ""

    return re.sub(r"\$(\d)", group, data)


def expand(text: str, lookup: Callable[[str], str], call: Callable[[str, str], str]) -> str:
    """`${name}` by `lookup`, `${api(args)}` by `call`; inner ones first. `$${global}` counts as `${…}`."""
    if "${" not in text:
        return text
    out: list[str] = []
    position = 0
    while (start := text.find("${", position)) >= 0:
        end = _closing(text, start + 2)
        if end < 0:
            break
        head = text[position:start]
        out.append(head.removesuffix("$") if head.endswith("$") else head)
        inner = text[start + 2 : end]
        name, paren, rest = inner.partition("(")
        if paren and rest.endswith(")") and re.fullmatch(r"[a-zA-Z_0-9]+", name):
            out.append(call(name, expand(rest[:-1], lookup, call)))
        else:
            out.append(_sliced(expand(inner, lookup, call), lookup))
        position = end + 1
    out.append(text[position:])
    return "".join(out)


def _closing(text: str, position: int) -> int:
    depth = 1
    for index in range(position, len(text)):
        if text[index] == "{":
            depth += 1
        elif text[index] == "}":
            depth -= 1
            if depth == 0:
                return index
    return -1


def _sliced(name: str, lookup: Callable[[str], str]) -> str:
    """`name`, `name:offset` or `name:offset:length`."""
    name, *bounds = name.split(":")
    value = lookup(name)
    try:
        numbers = [int(one) for one in bounds]
    except ValueError:
        return value
    if not numbers:
        return value
    value = value[numbers[0] :]
    return value[: numbers[1]] if len(numbers) > 1 and numbers[1] else value
