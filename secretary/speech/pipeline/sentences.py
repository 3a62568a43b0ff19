"""A model's text, as it comes, in sentences that can be spoken: none lost, none reordered, none cut in "9.30" or "Dr.".

A sentence ends at `.`, `!`, `?` or `…` (with what closes a quotation) that white space follows, at a line's end, or,
where it grows too long, at a comma or a space. Whether white space and what else follows is only known with the next
piece, so the end of a sentence stays back until then; `overdue` gives it out when the model takes its time.

Rules of English and Portuguese, both at once: models mix them (`Sr. Smith`, `Mr. Silva`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

SHORTEST: Final = 12
"""Characters; a shorter sentence waits for the next one, so that "Sure." is not a request and a pause of its own."""
EAGER: Final = 48
"""The first words of an answer leave at a comma beyond this many characters: the caller waits for them."""
LONG: Final = 180
"""Beyond this a sentence is cut at a comma, colon or dash."""
LONGEST: Final = 280
"""Beyond this at a space, and where there is none, anywhere."""

_TITLES: Final = frozenset(
    "mr mrs ms mx dr dra drs sr sra srta prof profa eng exmo exma ilmo ilma sgt capt lt rev gov sen st ste sto sta "
    "av pç trav vs aprox approx dept depto".split()
)
"""What stands before a name: its full stop ends nothing."""
_BEFORE_NUMBER: Final = frozenset(
    "no nº n° n nr nos art arts fig vol pág pag p pp ext tel cel cap apt apto bl cj sala ref ramal r".split()
)
"""Its full stop ends nothing where a number follows; "No." alone is an answer."""
_MAY_END: Final = frozenset(
    "a.m p.m am pm etc inc ltd ltda co corp cia jr s.a e.g i.e p.ex u.s u.k min max seg hs hrs jan feb mar apr jun jul "
    "aug sep sept oct nov dec fev abr mai ago set out dez mon tue wed thu fri sat sun rd ave blvd est ex".split()
)
"""Its full stop ends a sentence where a capital follows."""
_CLOSING: Final = "\"'”’»)]*_"  # noqa: RUF001
_END: Final = re.compile(r"""[.!?…。！？]+["'”’»)\]*_]*(?=\s)|\n""")  # noqa: RUF001
_SOFT: Final = re.compile(r"""[,;:—–]["'”’»)\]]*(?=\s)""")  # noqa: RUF001
_LAST_WORD: Final = re.compile(r"""[^\s("'“‘«\[*_]+$""")  # noqa: RUF001
_ANY_WORD: Final = re.compile(r"\w")
_AT_A_TIME: Final = 500
"""Characters looked at together: a piece of any length costs time in proportion to it."""


class Splitter:
    """Feed it a model's text; it gives sentences, stripped of white space at both ends."""

    def __init__(self) -> None:
        self._text = ""
        self._first = True

    @property
    def complete(self) -> bool:
        """Whether what is held looks like whole sentences, of which only the certainty is missing."""
        text = self._text.rstrip()
        return bool(text) and _is_end(text, len(text), final=True)

    def feed(self, piece: str) -> list[str]:
        sentences = []
        for start in range(0, len(piece), _AT_A_TIME):
            self._text += piece[start : start + _AT_A_TIME]
            sentences += self._take(self._ready)
        return sentences

    def overdue(self) -> list[str]:
        """The model has paused: give out what looks whole, though what follows it is not known."""
        return self._take(len) if self.complete else []

    def flush(self) -> list[str]:
        """The text is over: all that is left."""
        given = self.feed("\n")
        given += self._take(len)
        self._first = True
        return given

    def _take(self, ready: Callable[[str], int]) -> list[str]:
        sentences = []
        while end := ready(self._text):
            sentence, self._text = self._text[:end].strip(), self._text[end:].lstrip()
            if sentence:
                sentences.append(sentence)
                self._first = False
        return sentences

    def _ready(self, text: str) -> int:
        """Where the first sentence of the text ends; 0 while it does not."""
        for match in _END.finditer(text):
            end = match.end()
            if end > LONGEST:
                break
            if match.group() == "\n":
                if text[:end].strip():
                    return end
            elif len(text[:end].strip()) >= SHORTEST and _is_end(text, end, final=False):
                return end
        return self._cut(text)

    def _cut(self, text: str) -> int:
        """Where to cut what has grown long without an end; 0 for nowhere."""
        limit = EAGER if self._first else LONG
        if len(text) > limit:
            for match in _SOFT.finditer(text, limit):
                if match.end() <= LONGEST:
                    return match.end()
        if len(text) <= LONGEST:
            return 0
        soft = [match.end() for match in _SOFT.finditer(text, 0, LONGEST)]
        if soft and soft[-1] > LONGEST // 3:
            return soft[-1]
        return text.rfind(" ", LONGEST // 3, LONGEST) + 1 or LONGEST


def sentences_of(text: str) -> list[str]:
    """A whole text in sentences."""
    splitter = Splitter()
    return splitter.feed(text) + splitter.flush()


def _is_end(text: str, end: int, *, final: bool) -> bool:
    """Whether what stops at `end`, with white space behind it, ends a sentence. `final`: nothing will follow it."""
    head = text[:end].rstrip(_CLOSING)
    if not head.endswith("."):
        return head.endswith(("!", "?", "…", "。", "！", "？"))  # noqa: RUF001
    if head.endswith(".."):
        return True
    found = _LAST_WORD.search(head[:-1])
    word = found.group().lower() if found else ""
    following = text[end:].lstrip()[:1]
    if word in _TITLES:
        return False
    if word in _BEFORE_NUMBER:
        return final if not following else not following.isdigit()
    if word in _MAY_END:
        return final if not following else following.isupper()
    if len(word) == 1 and word.isalpha():  # an initial: "J. Silva"
        return final if not following else not following.isupper()
    if word.isdigit():
        # "1. First": the number of a list. At the end of what there is, "9." may become "9.30".
        return not final and bool(head[: -len(word) - 1].rpartition("\n")[2].strip())
    return True


_MARKDOWN_LINK: Final = re.compile(r"\[([^\]]+)\]\([^)\s]+\)")
_MARKS: Final = re.compile(r"\*+|`+|~~|(?<!\w)_+|_+(?!\w)|^#{1,6}\s+", re.MULTILINE)
_BULLET: Final = re.compile(r"^\s*[-•‣·]\s+", re.MULTILINE)
_PICTURES: Final = re.compile(
    "[\U0001f000-\U0001faff\u2190-\u21ff\u2300-\u23ff\u2600-\u27bf\u2b00-\u2bff\ufe0f\u200d\u20e3]"
)
_TABLE: Final = re.compile(r"\s*\|\s*")
_HTML: Final = re.compile(r"</?[a-zA-Z][a-zA-Z0-9]*(\s[^<>]{0,80})?/?>|<\|[a-z_]{1,20}\|>")


def speakable(sentence: str) -> str:
    """The sentence without the marks of written text, which a voice reads out or stumbles over; may be empty."""
    text = _HTML.sub(" ", _MARKDOWN_LINK.sub(r"\1", sentence))
    text = _TABLE.sub(" ", text)
    for marks in (_MARKS, _BULLET, _PICTURES):
        text = marks.sub("", text)
    text = " ".join(text.split())
    return text if _ANY_WORD.search(text) else ""


_ASIDES: Final = {
    "<think>": "</think>",
    "<thinking>": "</thinking>",
    "<thought>": "</thought>",
    "<reasoning>": "</reasoning>",
    "[THINK]": "[/THINK]",
    "<tool_call>": "</tool_call>",
    "<|channel|>analysis<|message|>": "<|end|>",
}
"""What opens and closes what models write beside their answer, where their server does not take it out: thoughts, and
calls of tools that were not understood as such."""
_SHUT: Final = frozenset(_ASIDES.values())
_LONGEST_TAG: Final = max(map(len, (*_ASIDES, *_SHUT)))
_TAGS: Final = re.compile("|".join(re.escape(tag) for tag in (*_ASIDES, *_SHUT)))


class Thoughts:
    """Takes out what a self-hosted model writes beside its answer: it is not for the caller.

    Text goes in in pieces that may cut a tag in two; what is certainly outside comes out. `inside`: it begins with a
    thought whose opening tag the server has eaten.
    """

    def __init__(self, *, inside: bool = False) -> None:
        self._held = ""
        self._until = _ASIDES["<think>"] if inside else ""
        """The tag that closes what is written beside."""

    def feed(self, piece: str) -> str:
        self._held += piece
        out: list[str] = []
        while True:
            found = self._next()
            if found is None:
                break
            before, tag, self._held = found
            if self._until:
                self._until = ""
            elif tag in _SHUT:
                out.clear()  # nobody has opened it: what came before it was no answer
            else:
                out.append(before)
                self._until = _ASIDES[tag]
        tags = (self._until,) if self._until else (*_ASIDES, *_SHUT)
        may_begin = range(min(_LONGEST_TAG - 1, len(self._held)), 0, -1)
        keep = next((size for size in may_begin if any(_begins(self._held[-size:], tag) for tag in tags)), 0)
        certain = self._held[: len(self._held) - keep]
        self._held = self._held[len(certain) :]
        if not self._until:
            out.append(certain)
        return "".join(out)

    def _next(self) -> tuple[str, str, str] | None:
        """The next tag that means something here, with what is before and behind it."""
        if self._until:
            before, found, after = self._held.partition(self._until)
            return (before, found, after) if found else None
        match = _TAGS.search(self._held)
        return (self._held[: match.start()], match.group(), self._held[match.end() :]) if match else None

    def end(self) -> str:
        """What was held back in case a tag began with it."""
        rest, self._held = self._held, ""
        return "" if self._until else rest


def _begins(text: str, tag: str) -> bool:
    """Whether a tag, not all of it, begins with this."""
    return len(text) < len(tag) and tag.startswith(text)
