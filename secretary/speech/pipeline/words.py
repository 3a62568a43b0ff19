"""What the pipeline says by itself, and what it tells the model about the telephone, in both languages."""

from __future__ import annotations

from dataclasses import dataclass

from secretary.speech.contract import Briefing


@dataclass(frozen=True, slots=True)
class Words:
    not_caught: str
    """To the caller: a turn without words."""
    no_answer: str
    """To the caller: the model refuses, or does not come to an end with its tools."""
    silent_model: str
    """To the caller: the model had nothing to say, twice."""
    rules: str
    """To the model, behind its instructions."""
    go_on: str
    """To the model, in the caller's place: a cough cut it off."""
    keys: str
    """To the model, in the caller's place; `{digits}`."""
    fallback: str
    """Instructions where the briefing has none; `{name}`, `{business}`, `{places}`."""


_ENGLISH = Words(
    not_caught="I am sorry, I did not catch that. Could you say it again?",
    no_answer="I am sorry, I have nothing to tell you about that. What else may I do for you?",
    silent_model="Is there anything else I can do for you?",
    rules=(
        "Everything you write is spoken to the caller on the telephone at once: plain sentences, short ones, no lists, "
        "no marks, no emoji; write numbers, times and addresses as they are said. What the caller says was written "
        "down by a machine and may have mistakes in it. A sentence of yours that ends with … was cut off there by the "
        "caller, who has not heard the rest. Lines in parentheses in the caller's place come from the telephone."
    ),
    go_on="(A noise interrupted you; the caller said nothing. Go on from where you were cut off, in a few words.)",
    keys="(The caller pressed these keys: {digits})",
    fallback=(
        "You are {name}, the secretary who answers this company's telephone. Be brief and friendly, speak English, and "
        "say only what you know. About the company: {business} You can put callers through to: {places}."
    ),
)
_PORTUGUESE = Words(
    not_caught="Desculpe, não entendi. Pode repetir, por favor?",
    no_answer="Desculpe, sobre isso não sei dizer nada. Em que mais posso ajudar?",
    silent_model="Posso ajudar em mais alguma coisa?",
    rules=(
        "Tudo o que você escreve é falado imediatamente ao telefone: frases simples e curtas, sem listas, sem marcas, "
        "sem emojis; escreva números, horários e endereços como se dizem. O que a pessoa diz foi transcrito por uma "
        "máquina e pode ter erros. Uma frase sua que termina com … foi interrompida ali por quem ligou, que não ouviu "
        "o resto. Linhas entre parênteses no lugar de quem ligou vêm do telefone."
    ),
    go_on="(Um ruído interrompeu você; a pessoa não disse nada. Continue de onde parou, em poucas palavras.)",
    keys="(A pessoa apertou estas teclas: {digits})",
    fallback=(
        "Você é {name}, a secretária que atende o telefone desta empresa. Seja breve e simpática, fale português do "
        "Brasil e diga só o que sabe. Sobre a empresa: {business} Você pode transferir ligações para: {places}."
    ),
)


def words(language: str) -> Words:
    """English for any language but Portuguese."""
    return _PORTUGUESE if language.lower().startswith("pt") else _ENGLISH


def system_prompt(briefing: Briefing) -> str:
    """The model's instructions: the platform's, or of our own making, and what speaking by telephone means."""
    own = words(briefing.language)
    told = briefing.instructions or own.fallback.format(
        name=briefing.secretary_name,
        business=briefing.prompt or "-",
        places=", ".join(place.name for place in briefing.places) or "-",
    )
    return f"{told}\n\n{own.rules}"
