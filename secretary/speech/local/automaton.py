"""Rules in a small notation, compiled to the smallest deterministic automaton that accepts what they accept.

pocketsphinx can read JSGF itself, but it expands every optional part where it is used and searches the copies: with
the secretary's carrier phrases 20 to 40 times slower than the same language without the copies (measured). A minimal
automaton also says which rule a hypothesis belongs to, for it knows in which rules' ends each state lies.

Notation: `a b` one after the other, `(a | b)` a choice, `[a]` optional, CAPITALS a slot to be filled by the caller.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

_TOKEN: Final = re.compile(r"[\[\]()|]|[^\s\[\]()|]+")
MAX_STATES: Final = 20_000
"""Far above any real grammar (a domain of 300 places has about 1,500): a guard against a rule that explodes."""


class RuleError(Exception):
    """A rule cannot be parsed, or the automaton grew beyond MAX_STATES."""


def tokens(rule: str) -> list[str]:
    return _TOKEN.findall(rule)


def is_slot(item: str) -> bool:
    return item.isupper()


def is_word(item: str) -> bool:
    return item not in "[]()|" and not is_slot(item)


@dataclass(slots=True)
class Automaton:
    """Deterministic: state 0 is the start. `arcs[state][symbol]` is the next state,
    `ends[state]` the rule that ends there.
    """

    arcs: list[dict[str, int]]
    ends: dict[int, str]

    def rule_of(self, symbols: Iterable[str]) -> str | None:
        """Name of the first rule that accepts the whole sequence, or None."""
        state = 0
        for symbol in symbols:
            following = self.arcs[state].get(symbol)
            if following is None:
                return None
            state = following
        return self.ends.get(state)

    def transitions(self) -> list[tuple[int, int, str]]:
        """(from, to, symbol) of every arc."""
        return [(state, to, symbol) for state, arcs in enumerate(self.arcs) for symbol, to in arcs.items()]


@dataclass(slots=True)
class _Nfa:
    """Thompson's construction: symbol arcs and empty arcs between numbered states."""

    arcs: list[list[tuple[str, int]]] = field(default_factory=list)
    empty: list[list[int]] = field(default_factory=list)

    def state(self) -> int:
        self.arcs.append([])
        self.empty.append([])
        return len(self.arcs) - 1


def compile_rules(
    rules: Sequence[tuple[str, str]], slots: Mapping[str, str | Sequence[Sequence[str]]], symbols: Mapping[str, str]
) -> Automaton:
    """One automaton of all `(name, rule)`; where several accept the same words the earlier rule names them.

    `slots` fills CAPITALS with another rule's text or with ready sequences of symbols; `symbols` says which symbol
    stands for a word. A word that is missing there cannot be said: its alternative is left out.
    """
    nfa = _Nfa()
    start = nfa.state()
    ends: dict[int, int] = {}
    for number, (_, rule) in enumerate(rules):
        end = _Parser(nfa, tokens(rule), slots, symbols).parse(start)
        ends[end] = number
    return _minimised(_determinised(nfa, start, ends, [name for name, _ in rules]))


class _Parser:
    """Recursive descent over one rule; each method takes the state where its part begins and gives where it ends."""

    def __init__(
        self,
        nfa: _Nfa,
        items: list[str],
        slots: Mapping[str, str | Sequence[Sequence[str]]],
        symbols: Mapping[str, str],
    ) -> None:
        self._nfa = nfa
        self._items = items
        self._slots = slots
        self._symbols = symbols
        self._at = 0

    def parse(self, start: int) -> int:
        end = self._choice(start)
        if self._at != len(self._items):
            raise RuleError(f"unexpected {self._items[self._at]!r} in a rule")
        return end

    def _choice(self, start: int) -> int:
        end = self._nfa.state()
        while True:
            self._nfa.empty[self._sequence(start)].append(end)
            if self._peek() != "|":
                return end
            self._at += 1

    def _sequence(self, start: int) -> int:
        # A state of its own, so that two alternatives never share the arcs of a loop-free prefix by accident.
        state = self._nfa.state()
        self._nfa.empty[start].append(state)
        while (item := self._peek()) not in ("", "|", ")", "]"):
            state = self._part(state, item)
        return state

    def _part(self, state: int, item: str) -> int:
        self._at += 1
        if item in "([":
            end = self._choice(state)
            if self._peek() != {"(": ")", "[": "]"}[item]:
                raise RuleError("brackets in a rule do not match")
            self._at += 1
            if item == "[":
                self._nfa.empty[state].append(end)
            return end
        if is_slot(item):
            filling = self._slots[item]
            if isinstance(filling, str):
                return _Parser(self._nfa, tokens(filling), self._slots, self._symbols).parse(state)
            end = self._nfa.state()
            for sequence in filling:
                self._nfa.empty[self._chain(state, sequence)].append(end)
            return end
        symbol = self._symbols.get(item)
        return self._nfa.state() if symbol is None else self._chain(state, (symbol,))

    def _chain(self, state: int, sequence: Iterable[str]) -> int:
        for symbol in sequence:
            following = self._nfa.state()
            self._nfa.arcs[state].append((symbol, following))
            state = following
        return state

    def _peek(self) -> str:
        return self._items[self._at] if self._at < len(self._items) else ""


def _determinised(nfa: _Nfa, start: int, ends: Mapping[int, int], names: Sequence[str]) -> Automaton:
    """Subset construction."""

    def closure(states: Iterable[int]) -> frozenset[int]:
        seen = set(states)
        waiting = list(seen)
        while waiting:
            for following in nfa.empty[waiting.pop()]:
                if following not in seen:
                    seen.add(following)
                    waiting.append(following)
        return frozenset(seen)

    first = closure([start])
    numbers = {first: 0}
    waiting = [first]
    result = Automaton([{}], {})
    while waiting:
        subset = waiting.pop()
        state = numbers[subset]
        finished = [ends[member] for member in subset if member in ends]
        if finished and state != 0:  # silence is no turn
            result.ends[state] = names[min(finished)]
        targets: dict[str, set[int]] = {}
        for member in subset:
            for symbol, following in nfa.arcs[member]:
                targets.setdefault(symbol, set()).add(following)
        for symbol, following_states in targets.items():
            following_subset = closure(following_states)
            if following_subset not in numbers:
                if len(numbers) >= MAX_STATES:
                    raise RuleError(f"a grammar of more than {MAX_STATES} states")
                numbers[following_subset] = len(result.arcs)
                result.arcs.append({})
                waiting.append(following_subset)
            result.arcs[state][symbol] = numbers[following_subset]
    return result


def _minimised(automaton: Automaton) -> Automaton:
    """Merge states with the same future, from the ends backwards (the languages here have no loops)."""
    order = _leaves_first(automaton)
    representative: dict[tuple[object, ...], int] = {}
    merged: dict[int, int] = {}
    for state in order:
        arcs = tuple(sorted((symbol, merged[to]) for symbol, to in automaton.arcs[state].items()))
        useful = tuple((symbol, to) for symbol, to in arcs if to >= 0)
        end = automaton.ends.get(state)
        if not useful and end is None and state != 0:
            merged[state] = -1  # a dead end: the rule had a word that cannot be said
            continue
        merged[state] = representative.setdefault((end, useful), state)
    kept = [0, *sorted(set(merged.values()) - {-1, merged[0]})]
    numbers = {merged[state] if state == 0 else state: number for number, state in enumerate(kept)}
    arcs_out: list[dict[str, int]] = []
    for state in kept:
        arcs_out.append(
            {symbol: numbers[merged[to]] for symbol, to in automaton.arcs[state].items() if merged[to] >= 0}
        )
    ends = {numbers[state]: automaton.ends[state] for state in kept if state in automaton.ends}
    return Automaton(arcs_out, ends)


def _leaves_first(automaton: Automaton) -> list[int]:
    seen: set[int] = set()
    order: list[int] = []
    stack: list[tuple[int, bool]] = [(0, False)]
    while stack:
        state, done = stack.pop()
        if done:
            order.append(state)
        elif state not in seen:
            seen.add(state)
            stack.append((state, True))
            stack.extend((to, False) for to in automaton.arcs[state].values() if to not in seen)
    return order
