"""A colleague who is to call somebody back is told about it first: the same machine, in other words.

Somebody at an extension need do nothing but listen: what is said has been heard, a moment passes, and the customer is
called. Where a mailbox may have picked up (a mobile, a group), and where what picked up talks like one, somebody has to
say yes or press 1, as with a transfer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from secretary.conversation.consult.machine import LONGEST_YES_MS, Action, Case, Consult, Event, SpeechEnded, State
from secretary.conversation.consult.sentences import ConsultSentences, consult_sentences, who_is_calling
from secretary.speech.local.phrases import language_of

LISTENED_MS: Final = 3_000
"""So long after the last word the customer is called, where listening is enough."""


@dataclass(frozen=True, slots=True)
class CallbackCase(Case):
    """Whom the colleague is to call back, and why."""

    listening_is_yes: bool = False


@dataclass(frozen=True, slots=True)
class _Words:
    somebody: str
    hello: str
    accept: str
    listen: str
    connecting: str
    goodbye: str


_ENGLISH: Final = _Words(
    somebody="Somebody at the number {number}",
    hello="Hello, this is {secretary} with a callback. {caller} would like to be called back.",
    accept="To be connected, say yes or press 1. If you can't now, say no or press 2.",
    listen="Stay on the line, and I'll call them now. If you can't now, say no or press 2.",
    connecting="Thank you. I'm calling them.",
    goodbye="All right, not now. Goodbye.",
)
_PORTUGUESE: Final = _Words(
    somebody="Alguém do número {number}",
    hello="Olá, aqui é {secretary} com um retorno. {caller} pediu que ligassem de volta.",
    accept="Para eu ligar agora, diga sim ou tecle 1. Se não puder agora, diga não ou tecle 2.",
    listen="Fique na linha e eu ligo agora. Se não puder agora, diga não ou tecle 2.",
    connecting="Obrigada. Estou ligando.",
    goodbye="Tudo bem, fica para depois. Até logo.",
)
_ALL: Final[Mapping[str, _Words]] = {"en": _ENGLISH, "pt-br": _PORTUGUESE}


def callback_sentences(language: str, *, listening_is_yes: bool) -> ConsultSentences:
    """What is said to a colleague about a callback; English for a language that has none."""
    words = _ALL[language_of(language)]
    return replace(
        consult_sentences(language),
        hello=words.hello,
        accept=words.listen if listening_is_yes else words.accept,
        caller_number=words.somebody,
        connecting=words.connecting,
        declined=words.goodbye,
        goodbye=words.goodbye,
    )


class CallbackConsult(Consult):
    """One colleague, one callback."""

    def __init__(self, case: CallbackCase) -> None:
        super().__init__(case)
        self._listening_is_yes = case.listening_is_yes
        self._words = callback_sentences(case.language, listening_is_yes=case.listening_is_yes)

    def receive(self, event: Event, *, now: int) -> list[Action]:
        if isinstance(event, SpeechEnded) and self._speaking and now - self._turn_at > LONGEST_YES_MS:
            self._must_answer()
        return super().receive(event, now=now)

    def _must_answer(self) -> None:
        """Nobody greets for so long: it may be a mailbox."""
        if self._listening_is_yes:
            self._listening_is_yes = False
            self._words = callback_sentences(self._case.language, listening_is_yes=False)

    def _who(self) -> str:
        case = self._case
        number = "" if case.caller_name else case.caller_number  # the telephone shows it, and digits take long
        return who_is_calling(case.language, name=case.caller_name, number=number, words=self._words)

    def _heard(self, now: int) -> list[Action]:
        actions = super()._heard(now)
        if self._listening_is_yes and self.state is State.DECIDING:
            self._wait(now + LISTENED_MS)
        return actions

    def _too_quiet(self, now: int) -> list[Action]:
        if self._listening_is_yes and self.state is State.DECIDING:
            return self._accept(now)
        return super()._too_quiet(now)
