"""All that the secretary says to a colleague, in each language. Names are put in as they are: nothing reads them again.

`{secretary}` is the secretary's own name, `{caller}` who is on the line, `{reason}` what the caller wants.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from secretary.speech.local.phrases import language_of

MOST_REASON: Final = 240
MOST_DIGITS: Final = 18


@dataclass(frozen=True, slots=True)
class ConsultSentences:
    hello: str
    about: str
    accept: str
    ask_back: str
    no_reason: str
    which: str
    question: str
    asking: str
    they_say: str
    no_reply: str
    connecting: str
    declined: str
    gone: str
    goodbye: str
    asks_you: str
    """To the caller: a colleague's own voice follows."""
    caller_named: str
    caller_number: str
    caller_named_number: str
    caller_hidden: str
    who: tuple[str, ...]
    """Ways to ask who is calling, for the recogniser."""
    why: tuple[str, ...]
    wait: tuple[str, ...]
    """Ways to say that there is a question for the caller."""


_ENGLISH: Final = ConsultSentences(
    hello="Hello, this is {secretary}. {caller} is on the line for you.",
    about="It is about: {reason}.",
    accept="To take the call, say yes or press 1. To decline, say no or press 2.",
    ask_back="To ask the caller something first, say question or press 3.",
    no_reason="The caller did not say what it is about.",
    which="I'm sorry, I didn't get that.",
    question="Please say your question after the tone. I'll play it to the caller.",
    asking="One moment, I'm asking.",
    they_say="The caller says:",
    no_reply="The caller did not answer.",
    connecting="Thank you. I'm connecting you.",
    declined="All right, I'll tell them. Goodbye.",
    gone="The caller has hung up. Goodbye.",
    goodbye="I'll tell the caller that you can't talk now. Goodbye.",
    asks_you="I have a question for you from the person I called.",
    caller_named="{name}",
    caller_number="A caller from the number {number}",
    caller_named_number="{name}, from the number {number},",
    caller_hidden="A caller with a hidden number",
    who=("who", "who is it", "who is calling", "who is that", "what is the name", "which number"),
    why=("why", "what is it about", "what about", "what do they want", "what is the reason", "the reason"),
    wait=("question", "a question", "i have a question", "ask", "ask them", "ask him", "ask her", "one question"),
)
_PORTUGUESE: Final = ConsultSentences(
    hello="Olá, aqui é {secretary}. {caller} está na linha para você.",
    about="O assunto é: {reason}.",
    accept="Para atender, diga sim ou tecle 1. Para recusar, diga não ou tecle 2.",
    ask_back="Para perguntar algo antes, diga pergunta ou tecle 3.",
    no_reason="A pessoa não disse qual é o assunto.",
    which="Desculpe, não entendi.",
    question="Diga a sua pergunta depois do sinal. Vou repassá-la a quem está ligando.",
    asking="Um momento, vou perguntar.",
    they_say="A resposta é:",
    no_reply="A pessoa não respondeu.",
    connecting="Obrigada. Vou conectar vocês.",
    declined="Tudo bem, vou avisar. Até logo.",
    gone="A pessoa desligou. Até logo.",
    goodbye="Vou avisar que você não pode falar agora. Até logo.",
    asks_you="Tenho uma pergunta para você, da pessoa com quem estou falando.",
    caller_named="{name}",
    caller_number="Uma ligação do número {number}",
    caller_named_number="{name}, do número {number},",
    caller_hidden="Uma ligação sem identificação",
    who=("quem", "quem é", "quem está ligando", "quem fala", "qual o nome", "qual o número"),
    why=("por que", "qual o assunto", "sobre o que é", "o que quer", "do que se trata", "o assunto"),
    wait=("pergunta", "uma pergunta", "tenho uma pergunta", "perguntar", "quero perguntar", "pergunte"),
)
_ALL: Final[Mapping[str, ConsultSentences]] = {"en": _ENGLISH, "pt-br": _PORTUGUESE}


def consult_sentences(language: str) -> ConsultSentences:
    """In this language; English for one that has none."""
    return _ALL[language_of(language)]


def who_is_calling(language: str, *, name: str, number: str, words: ConsultSentences | None = None) -> str:
    """The caller as the colleague hears of them: by name, by number, or neither."""
    words = words or consult_sentences(language)
    digits = [letter for letter in number if letter.isascii() and letter.isdigit()][:MOST_DIGITS]
    name = " ".join("".join(letter if letter.isprintable() else " " for letter in name).split())[:80]
    named = any(letter.isalpha() for letter in name) and name.casefold() not in _NOBODY
    spoken = ", ".join(" ".join(digits[start : start + 3]) for start in range(0, len(digits), 3))  # digit by digit
    if named and digits:
        return words.caller_named_number.replace("{number}", spoken).replace("{name}", name)
    if named:
        return words.caller_named.replace("{name}", name)
    return words.caller_number.replace("{number}", spoken) if digits else words.caller_hidden


def about(language: str, reason: str) -> str:
    """What the caller wants, as a sentence; empty where nothing is known."""
    reason = " ".join("".join(letter if letter.isprintable() else " " for letter in reason).split())[:MOST_REASON]
    return consult_sentences(language).about.replace("{reason}", reason.rstrip(".!?… ")) if reason else ""


_NOBODY: Final = frozenset({"anonymous", "unknown", "unavailable", "private", "restricted", "outbound call", "_undef_"})
