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
    goodbye: str
    passing_on: str
    silent_goodbye: str
    no_person: str
    """The line brings music, or a recording."""
    circles: str
    enough: str
    not_reached: str
    """A key of the menu leads to somebody who is not there."""
    fillers: tuple[str, ...]
    """While something takes long: one at a time, never the same twice in a row."""


_ENGLISH = Sentences(
    greeting="Hello, this is {name}. How can I help you?",
    still_there="Are you still there?",
    nobody_there="I cannot hear you. I am passing your call on.",
    time_is_up="I am sorry, we have reached the end of the time for this call. Goodbye.",
    trouble="I am sorry, something went wrong here. I am passing your call on.",
    allowance="I am sorry, I have to end our conversation here. I am passing your call on.",
    goodbye="Thank you for calling. Goodbye.",
    passing_on="One moment, I am passing your call on.",
    silent_goodbye="I cannot hear you, so I am ending the call now. Please call again. Goodbye.",
    no_person="There seems to be nobody on the line. I am ending the call. Goodbye.",
    circles="I am afraid we are going round in circles. I am passing your call on.",
    enough="I am sorry, I cannot help you any further here. I am passing your call on.",
    not_reached="I am sorry, nobody can take your call there just now. What else can I do for you?",
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
    goodbye="Obrigada por ligar. Até logo.",
    passing_on="Um momento, vou passar a sua ligação.",
    silent_goodbye="Não estou ouvindo você, então vou encerrar a ligação. Por favor, ligue de novo. Até logo.",
    no_person="Parece que não há ninguém na linha. Vou encerrar a ligação. Até logo.",
    circles="Acho que estamos andando em círculos. Vou passar a sua ligação.",
    enough="Desculpe, não consigo ajudar mais do que isso por aqui. Vou passar a sua ligação.",
    not_reached="Desculpe, ninguém pode atender lá no momento. Em que mais posso ajudar?",
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
