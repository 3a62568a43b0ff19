"""How FreeSWITCH splits arguments (`switch_separate_string` in switch_utils.c): single quotes, backslashes.

At spaces for the arguments of an API command; at commas and then at `=` for the variables of a dial string. Every pass
takes one level of quotes and backslashes away.
"""

from __future__ import annotations

_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "s": " ", "'": "'", '"': '"', "\\": "\\"}


def separate(text: str, most: int = 64, delimiter: str = " ") -> list[str]:
    """At most `most` words; the last one takes the rest. Spaces in a row count as one, other delimiters do not."""
    words: list[str] = []
    position = 0
    while position < len(text) and len(words) < most:
        if delimiter == " ":
            while position < len(text) and text[position] == " ":
                position += 1
            if position >= len(text):
                break
        end = len(text) if len(words) == most - 1 else _end_of_word(text, position, delimiter)
        words.append(_clean(text[position:end], delimiter))
        position = end if delimiter == " " else end + 1
    return words


def _end_of_word(text: str, position: int, delimiter: str) -> int:
    quoted = False
    while position < len(text):
        char = text[position]
        if char == "\\":
            position += 1
        elif char == "'" and (quoted or "'" in text[position + 1 :]):
            quoted = not quoted
        elif char == delimiter and not quoted:
            break
        position += 1
    return min(position, len(text))


def _clean(word: str, delimiter: str) -> str:
    """Without quotes, escapes and the spaces around, unless those were quoted."""
    escapes = _ESCAPES if delimiter == " " else _ESCAPES | {delimiter: delimiter}
    word = word.lstrip(" ")
    out: list[str] = []
    kept = 0
    quoted = False
    position = 0
    while position < len(word):
        char = word[position]
        following = word[position + 1 : position + 2]
        if char == "\\" and following in escapes:
            out.append(escapes[following])
            kept = len(out)
            position += 2
            continue
        if char == "'" and (quoted or "'" in word[position + 1 :]):
            quoted = not quoted
            kept = len(out) if not quoted else kept
        else:
            out.append(char)
            if char != " " or quoted:
                kept = len(out)
        position += 1
    return "".join(out[:kept])
