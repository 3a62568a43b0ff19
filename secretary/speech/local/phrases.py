"""All that the local secretary says by itself, in each language: the one place to change a word of it.

`{place}` is a destination's name, `{places}` a short list of them. The secretary's own name is in the greeting, which
the tenant writes. Sentences say what the caller can do, never what the secretary will not do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final


class Phrase(StrEnum):
    """One thing to say."""

    TRANSFERRING = "transferring"
    CONFIRM = "confirm"
    NOT_CAUGHT = "not_caught"
    NOT_CAUGHT_NO_PLACES = "not_caught_no_places"
    WHO = "who"
    OFFER = "offer"
    OFFER_AGAIN = "offer_again"
    TRANSFER_FAILED = "transfer_failed"
    TRANSFER_BUSY = "transfer_busy"
    TRANSFER_NO_ANSWER = "transfer_no_answer"
    TRANSFER_DECLINED = "transfer_declined"
    TRANSFER_AWAY = "transfer_away"
    TRANSFER_CLOSED = "transfer_closed"
    TRANSFER_NOT_ALLOWED = "transfer_not_allowed"
    AFTER_TONE = "after_tone"
    GO_AHEAD = "go_ahead"
    MESSAGE_KEPT = "message_kept"
    MESSAGE_NOT_KEPT = "message_not_kept"
    ANYTHING_ELSE = "anything_else"
    CUT_OFF = "cut_off"
    GOODBYE = "goodbye"


ENGLISH: Final[Mapping[Phrase, str]] = {
    Phrase.TRANSFERRING: "I'm putting you through to {place}.",
    Phrase.CONFIRM: "Did you say {place}?",
    Phrase.NOT_CAUGHT: "I'm sorry, I didn't catch that."
    " I can put you through to {places}, or take a message. Which would you like?",
    Phrase.NOT_CAUGHT_NO_PLACES: "I'm sorry, I didn't catch that. Shall I take a message for you?",
    Phrase.WHO: "Of course. I can put you through to {places}, or take a message. Which would you like?",
    Phrase.OFFER: "I'm sorry, I still didn't get that. Would you like to leave a message?",
    Phrase.OFFER_AGAIN: "Would you like to leave a message? Please say yes or no.",
    Phrase.TRANSFER_FAILED: "I'm sorry, I couldn't reach {place} just now. Would you like to leave a message?",
    Phrase.TRANSFER_BUSY: "{place} is on another call. Would you like to leave a message, or speak to somebody else?",
    Phrase.TRANSFER_NO_ANSWER: "{place} doesn't answer. Would you like to leave a message, or speak to somebody else?",
    Phrase.TRANSFER_DECLINED: "{place} is busy at the moment. Would you like to leave a message?",
    Phrase.TRANSFER_AWAY: "{place} is away at the moment. Would you like to leave a message?",
    Phrase.TRANSFER_CLOSED: "Nobody is there at this hour for {place}. Would you like to leave a message?",
    Phrase.TRANSFER_NOT_ALLOWED: "I'm happy to take a message for {place}. Would you like to leave one?",
    Phrase.AFTER_TONE: "Please leave your name, your number and your message after the tone.",
    Phrase.GO_AHEAD: "Please go ahead.",
    Phrase.MESSAGE_KEPT: "Thank you, I've noted your message. Is there anything else I can do for you?",
    Phrase.MESSAGE_NOT_KEPT: "I'm sorry, something went wrong with your message. One moment, please.",
    Phrase.ANYTHING_ELSE: "All right. Is there anything else I can do for you?",
    Phrase.CUT_OFF: "I'm sorry, we were cut off for a moment. How can I help you?",
    Phrase.GOODBYE: "Thank you for calling. Goodbye!",
}
PORTUGUESE: Final[Mapping[Phrase, str]] = {
    Phrase.TRANSFERRING: "Vou transferir você para {place}.",
    Phrase.CONFIRM: "Você disse {place}?",
    Phrase.NOT_CAUGHT: "Desculpe, não entendi. Posso transferir para {places}, ou anotar um recado. O que prefere?",
    Phrase.NOT_CAUGHT_NO_PLACES: "Desculpe, não entendi. Quer deixar um recado?",
    Phrase.WHO: "Claro. Posso transferir para {places}, ou anotar um recado. O que prefere?",
    Phrase.OFFER: "Desculpe, ainda não entendi. Quer deixar um recado?",
    Phrase.OFFER_AGAIN: "Quer deixar um recado? Diga sim ou não, por favor.",
    Phrase.TRANSFER_FAILED: "Desculpe, não consegui falar com {place} agora. Quer deixar um recado?",
    Phrase.TRANSFER_BUSY: "{place} está em outra ligação. Quer deixar um recado, ou falar com outra pessoa?",
    Phrase.TRANSFER_NO_ANSWER: "{place} não atende. Quer deixar um recado, ou falar com outra pessoa?",
    Phrase.TRANSFER_DECLINED: "{place} não pode falar agora. Quer deixar um recado?",
    Phrase.TRANSFER_AWAY: "Não é possível falar com {place} no momento. Quer deixar um recado?",
    Phrase.TRANSFER_CLOSED: "Neste horário não há ninguém em {place}. Quer deixar um recado?",
    Phrase.TRANSFER_NOT_ALLOWED: "Posso anotar um recado para {place}. Quer deixar um?",
    Phrase.AFTER_TONE: "Deixe seu nome, seu número e seu recado depois do sinal.",
    Phrase.GO_AHEAD: "Pode falar.",
    Phrase.MESSAGE_KEPT: "Obrigada, anotei seu recado. Posso ajudar em mais alguma coisa?",
    Phrase.MESSAGE_NOT_KEPT: "Desculpe, houve um problema com o seu recado. Um momento, por favor.",
    Phrase.ANYTHING_ELSE: "Certo. Posso ajudar em mais alguma coisa?",
    Phrase.CUT_OFF: "Desculpe, fomos interrompidos por um instante. Em que posso ajudar?",
    Phrase.GOODBYE: "Obrigada por ligar. Até logo!",
}
NOT_PUT_THROUGH: Final[Mapping[str, Phrase]] = {
    "busy": Phrase.TRANSFER_BUSY,
    "no_answer": Phrase.TRANSFER_NO_ANSWER,
    "declined": Phrase.TRANSFER_DECLINED,
    "dnd": Phrase.TRANSFER_DECLINED,
    "unregistered": Phrase.TRANSFER_AWAY,
    "unreachable": Phrase.TRANSFER_AWAY,
    "closed": Phrase.TRANSFER_CLOSED,
    "not_allowed": Phrase.TRANSFER_NOT_ALLOWED,
}
"""What is said when a transfer ended with one of these words; TRANSFER_FAILED for any other."""
OVER: Final = "over"
"""In the place of an outcome: the caller was there, and is back after its end."""
CUT_OFF: Final = "cut_off"
"""The caller was nowhere: the conversation broke off, and begins anew."""
_BACK: Final = {OVER: Phrase.ANYTHING_ELSE, CUT_OFF: Phrase.CUT_OFF}
_CATALOGUE: Final = {"en": ENGLISH, "pt-br": PORTUGUESE}
_KEY: Final = {"en": "{place}, press {key}", "pt-br": "{place}, tecle {key}"}
LISTED: Final = 4
"""The most places read aloud at once: nobody remembers a fifth. The keys 1 to 9 reach more."""


def language_of(tag: str) -> str:
    """The catalogue for a language tag; English for one that has none."""
    return tag if tag in _CATALOGUE else "en"


def sentence(phrase: Phrase, language: str, *, place: str = "", places: Sequence[str] = ()) -> str:
    """The phrase in this language. Names are put in as they are: nothing in them is looked at again."""
    text = _CATALOGUE[language_of(language)][phrase]
    return text.replace("{places}", "\0").replace("{place}", place).replace("\0", listed(places, language))


def back_again(outcome: str, place: str, language: str) -> str:
    """What a caller hears who was sent to a place, or had lost the secretary, and is here again."""
    phrase = _BACK.get(outcome) or NOT_PUT_THROUGH.get(outcome, Phrase.TRANSFER_FAILED)
    return sentence(phrase, language, place=place)


def listed(places: Sequence[str], language: str) -> str:
    """ "Sales, Support, Accounts", at most LISTED of them.

    In Portuguese, where recognition is best effort, each comes with the key that surely reaches it.
    """
    language = language_of(language)
    names = list(places[:LISTED])
    if language != "en":
        names = [
            _KEY[language].replace("{key}", str(key)).replace("{place}", name) for key, name in enumerate(names, 1)
        ]
        return "; ".join(names)
    # The catalogue goes on with "or take a message", so the list itself takes commas only.
    return ", ".join(names)


def all_fixed(language: str) -> list[str]:
    """Every sentence without a name in it: to be rendered before the first call."""
    return [text for text in _CATALOGUE[language_of(language)].values() if "{" not in text]
