# ruff: noqa: RUF001 - letters of the phonetic alphabet that look like others are what this file is about
"""espeak-ng's IPA to the nearest ARPAbet phones: what a sound is called here and there. Longest match wins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_COMMON: Final[Mapping[str, str]] = {
    "p": "P", "b": "B", "t": "T", "d": "D", "k": "K", "ɡ": "G", "g": "G", "f": "F", "v": "V", "s": "S", "z": "Z",
    "ʃ": "SH", "ʒ": "ZH", "θ": "TH", "ð": "DH", "h": "HH", "ɦ": "HH", "m": "M", "n": "N", "ŋ": "NG",
    "l": "L", "ɫ": "L",
    "ɹ": "R", "r": "R", "j": "Y", "w": "W", "ʔ": "", "x": "HH", "ʁ": "HH", "χ": "HH", "ç": "HH", "ɣ": "G", "c": "K",
    "tʃ": "CH", "dʒ": "JH", "ts": "T S", "ɲ": "N Y", "ʎ": "L Y", "q": "K", "β": "V", "ʋ": "V", "ɬ": "L",
    "ʂ": "SH", "ʐ": "ZH",
    "i": "IY", "ɪ": "IH", "ᵻ": "IH", "ɨ": "IH", "e": "EY", "ɛ": "EH", "æ": "AE", "a": "AA", "ɑ": "AA",
    "ɒ": "AA", "ɔ": "AO",
    "o": "OW", "ʊ": "UH", "u": "UW", "ʌ": "AH", "ə": "AH", "ɐ": "AH", "ɜ": "ER", "ɚ": "ER", "ɝ": "ER",
    "y": "UW", "ø": "ER",
    "œ": "EH", "ʉ": "UW", "ɯ": "UW",
    "eɪ": "EY", "aɪ": "AY", "ɔɪ": "OY", "oɪ": "OY", "aʊ": "AW", "oʊ": "OW", "əʊ": "OW", "əl": "AH L",
    "ɪɹ": "IH R", "ɛɹ": "EH R",
    "ɔːɹ": "AO R", "ɑːɹ": "AA R", "ʊɹ": "UH R", "oːɹ": "AO R", "əɹ": "ER", "ɜː": "ER", "aɪɚ": "AY ER",
    "aɪə": "AY AH", "iə": "IY AH",
}  # fmt: skip
ENGLISH: Final = {**_COMMON, "ɾ": "T", "ɐ": "AH", "ɔ": "AO"}
PORTUGUESE: Final = {
    **_COMMON,
    "ɾ": "D", "ɐ̃": "AH NG", "ã": "AH NG", "ẽ": "EH N", "ĩ": "IY N", "õ": "OW NG", "ũ": "UW NG",
    "ɐ̃ʊ̃": "AW NG", "ɐ̃ʊ": "AW NG", "ɐ̃w": "AW NG", "ɐ̃ɪ̃": "AY N", "õɪ̃": "OY N", "eɪŋ": "EY N",
    "eɪ̃": "EY N", "ẽɪ̃": "EY N",
    "æ": "AH", "a": "AA", "e": "EY", "y": "IY", "ʊ": "UW", "ɪ": "IY", "aʊ": "AW", "iʊ": "IY UW",
    "eʊ": "EY UW", "ɛʊ": "EH UW", "oʊ": "OW",
    "ʊ̃": "NG", "ɪ̃": "N", "j̃": "N", "w̃": "NG",
}  # fmt: skip
