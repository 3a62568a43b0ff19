"""The platform's own sentences: what it says when neither the caller nor the provider does.

They are spoken by the provider's voice, but never thought up by a model.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sentences:
    greeting: str
    """For a secretary without a greeting of its own; `{name}` is the secretary's."""
    still_there: str
    nobody_there: str
    time_is_up: str
    trouble: str
    allowance: str
    fillers: tuple[str, ...]
    """While something takes long: one at a time, never the same twice in a row."""


_ENGLISH = Sentences(
    greeting="Hello, this is {name}. How can I help you?",
    still_there="Are you still there?",
    nobody_there="I cannot hear you. I am passing your call on.",
    time_is_up="I am sorry, we have reached the end of the time for this call. Goodbye.",
    trouble="I am sorry, something went wrong here. I am passing your call on.",
    allowance="I am sorry, I have to end our conversation here. I am passing your call on.",
    fillers=(
        "One moment, please.",
        "Let me have a look.",
        "Just a second, I am checking.",
        "Thank you for waiting, I am nearly there.",
    ),
)
_PORTUGUESE = Sentences(
    greeting="Olá, aqui é {name}. Em que posso ajudar?",
    still_there="Você ainda está aí?",
    nobody_there="Não estou ouvindo você. Vou passar a sua ligação.",
    time_is_up="Desculpe, chegamos ao fim do tempo desta ligação. Até logo.",
    trouble="Desculpe, algo deu errado aqui. Vou passar a sua ligação.",
    allowance="Desculpe, preciso encerrar a nossa conversa aqui. Vou passar a sua ligação.",
    fillers=(
        "Um momento, por favor.",
        "Deixe-me ver.",
        "Só um instante, estou verificando.",
        "Obrigada por aguardar, já estou quase lá.",
    ),
)


def sentences(language: str) -> Sentences:
    """The sentences in `language` (`en`, `pt-br`); English for any other."""
    return _PORTUGUESE if language.lower().startswith("pt") else _ENGLISH
