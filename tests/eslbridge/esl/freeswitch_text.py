"""How FreeSWITCH 1.11 takes text apart, followed step by step from its switch_utils.c and switch_event.c.

A model to test our escaping against, without a switch.
"""

from __future__ import annotations

_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "s": " "}


def cleanup(text: str, delimiter: str) -> str:
    """`cleanup_separated_string`: quotes off, one level of escapes off, outer spaces off."""
    text = text.lstrip(" ")
    out: list[str] = []
    end, quoted, i = 0, False, 0
    while i < len(text):
        char, escaped = text[i], False
        if char == "\\" and i + 1 < len(text):
            following = text[i + 1]
            if following in "'\"\\" or (delimiter and following == delimiter):
                out.append(following)
                escaped = True
            elif following in _ESCAPES:
                out.append(_ESCAPES[following])
                escaped = True
            if escaped:
                i += 1
                end = len(out)
        if not escaped:
            if char == "'" and (quoted or "'" in text[i + 1 :]):
                quoted = not quoted
                if quoted:
                    end = len(out)
            else:
                out.append(char)
                if char != " " or quoted:
                    end = len(out)
        i += 1
    return "".join(out[:end])


def separate(text: str, delimiter: str, limit: int) -> list[str]:
    """`switch_separate_string`: split at a delimiter outside quotes, at most `limit` parts, each cleaned up."""
    if text.startswith("^^") and len(text) > 3:
        delimiter, text = text[2], text[3:]
    parts: list[str] = []
    start, i, quoted = 0, 0, False
    while i < len(text) and len(parts) + 1 < limit:
        char = text[i]
        if char == "\\":
            i += 1
        elif char == "'" and (delimiter == " " or quoted or "'" in text[i + 1 :]):
            quoted = not quoted
        elif char == delimiter and not quoted:
            parts.append(text[start:i])
            if delimiter == " ":
                while i + 1 < len(text) and text[i + 1] == " ":
                    i += 1
            start = i + 1
        i += 1
    if start < len(text):
        parts.append(text[start:])
    return [cleanup(part, "" if delimiter == " " else delimiter) for part in parts]


def find_end(text: str, opening: str, closing: str) -> int:
    """`switch_find_end_paren`: where the bracket that opens the text is closed; -1 if nowhere."""
    depth = 0
    for i, char in enumerate(text):
        depth += (char == opening) - (char == closing)
        if not depth:
            return i
    return -1


def originate(arguments: str) -> tuple[dict[str, str], str, str]:
    """`originate_function` with `switch_event_create_brackets`: variables, endpoint, application."""
    a_leg, extension, *_ = separate(arguments, " ", 10)
    variables: dict[str, str] = {}
    if a_leg.startswith("{"):
        end = find_end(a_leg, "{", "}")
        for pair in separate(a_leg[1:end], ",", 1024):
            parts = separate(pair, "=", 2)
            if len(parts) == 2:
                variables[parts[0]] = parts[1]
        a_leg = a_leg[end + 1 :]
    return variables, a_leg, extension
