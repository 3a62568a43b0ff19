"""What callers say around a name, per language: the fixed part of every grammar, as rules over plain words.

Notation of a rule: `[x]` is optional, `(a | b)` a choice, `PLACE` the slot where a destination stands, `OTHER` whatever
sounds (the filler). Every rule is one way to fill one whole turn. Words must be in CMUdict for English; for
Portuguese espeak-ng reads them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from secretary.speech.local.intents import Intent

ENGLISH: Final[Mapping[Intent, tuple[str, ...]]] = {
    Intent.PLACE: (
        "[GREET] [please] PLACE [ROOM] [TAIL]",
        "[GREET] ASK [the | your | somebody in | someone in | somebody from | someone from] PLACE [ROOM] [TAIL]",
        "[GREET] is PLACE (there | available | in) [today] [TAIL]",
    ),
    Intent.MESSAGE: (
        "[GREET] [yes] ((i would | i'd) like to | i want to | can i | could i | may i | let me | please) [just]"
        " leave [you | him | her | them] a message [for (you | him | her | them)] [TAIL]",
        "[GREET] (can | could) you [please] take a message [for (him | her | them)] [TAIL]",
        "[GREET] [a | leave a] message [TAIL]",
    ),
    Intent.OPERATOR: (
        "[GREET] [ASK] (the operator | an operator | a person | a real person | a human being | [the | a] receptionist)"
        " [TAIL]",
        "[GREET] ASK (somebody | someone | anybody | anyone) [TAIL]",
        "operator [please]",
    ),
    Intent.YES: (
        "(yes | yeah | yep | sure | okay | correct | right | of course | yes i would | yes i do | that's right) [TAIL]",
    ),
    Intent.NO: ("(no | nope | no i don't | not now | nothing | no that's all | no that's it | that's all) [TAIL]",),
    Intent.REPEAT: (
        "[sorry] (repeat | (can | could) you [please] repeat | please repeat | say) (that | it) [again] [TAIL]",
        "(sorry | pardon | pardon me | excuse me | what | say again | what did you say | once more)",
    ),
    Intent.GOODBYE: ("[no] [okay] [thank you [very much] | thanks] (goodbye | bye | bye bye | good bye) [now]",),
    Intent.UNKNOWN: (
        "OTHER",
        "[GREET] ASK [the | your | somebody in | someone in | somebody from | someone from] OTHER [ROOM] [TAIL]",
    ),
}
PORTUGUESE: Final[Mapping[Intent, tuple[str, ...]]] = {
    Intent.PLACE: (
        "[GREET] PLACE [TAIL]",
        "[GREET] ASK [o | a | os | as | alguém do | alguém da] [setor de | departamento de | equipe de] PLACE [TAIL]",
        "[GREET] [o | a] PLACE está [TAIL]",
    ),
    Intent.MESSAGE: (
        "[GREET] [sim] [eu] (quero | queria | gostaria de | posso | vou) deixar [um | uma] (recado | mensagem) [TAIL]",
        "[deixar] [um | uma] (recado | mensagem) [TAIL]",
    ),
    Intent.OPERATOR: ("[GREET] [ASK] [um | uma | o | a] (atendente | pessoa | telefonista | alguém) [TAIL]",),
    Intent.YES: (
        "(sim | claro | isso | pode ser | quero | quero sim | sim quero | por favor | está bem | isso mesmo) [TAIL]",
    ),
    Intent.NO: ("(não | não quero | agora não | nada | só isso | não é só isso) [TAIL]",),
    Intent.REPEAT: (
        "[desculpe] (pode repetir | repete | repita | repetir) [TAIL]",
        "(como | desculpe | o que | não entendi | não ouvi)",
    ),
    Intent.GOODBYE: ("[não] [muito] [obrigado | obrigada] (tchau | até logo | adeus | até mais)",),
    Intent.UNKNOWN: ("OTHER", "[GREET] ASK [o | a | os | as | alguém do | alguém da] OTHER [TAIL]"),
}
SLOTS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "GREET": "hello | hi | hey | hello there | good morning | good afternoon | good evening | yes | yes hello"
        " | um | uh | well",
        "ASK": "(i would | i'd) like to (speak | talk) (to | with)"
        " | (can | could | may) i [please] (speak | talk) (to | with)"
        " | i (want | need) to (speak | talk) (to | with) | i (want | need) | i'm calling for | i'm looking for"
        " | (can | could | would) you [please] (put me through to | connect me (to | with) | transfer me to)"
        " | [please] (put me through to | connect me (to | with) | transfer me to | give me)",
        "ROOM": "department | team | office | desk | [department] line",
        "TAIL": "please | thanks | thank you",
    },
    "pt-br": {
        "GREET": "alô | oi | olá | bom dia | boa tarde | boa noite",
        "ASK": "[eu] (quero | queria | gostaria de | preciso) falar (com | no | na)"
        " | (posso | poderia) falar (com | no | na)"
        " | (pode | poderia) me (passar | transferir | ligar) (para | com | pro)"
        " | me (passa | transfere) (para | com | pro) | por favor",
        "ROOM": "",
        "TAIL": "por favor | obrigado | obrigada",
    },
}
RULES: Final = {"en": ENGLISH, "pt-br": PORTUGUESE}

OPERATOR_NAMES: Final[Mapping[str, frozenset[str]]] = {
    "en": frozenset({"operator", "reception", "receptionist", "front desk", "switchboard"}),
    "pt-br": frozenset({"telefonista", "recepção", "atendente", "atendimento", "portaria"}),
}
"""Where "a person, please" goes, when the domain has such a destination."""
