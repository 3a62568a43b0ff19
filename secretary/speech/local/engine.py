"""pocketsphinx in one worker process: telephone audio to a meaning, or to best-effort text.

The bundled English model was trained at 16 kHz (130 to 6,800 Hz). Telephone audio is resampled to that; what is above
4 kHz stays a faint mirror of what is below (MIRROR), which serves the consonants better than the nothing of a clean
resampler: the model's upper bands never saw perfect silence.

Refusing what is not in the grammar: beside the rules runs a filler, a loop of 66 plain syllables, which may stand for
the whole turn or for the name after "I'd like to speak with". It fits everything a little and nothing well, so it wins
where the rules do not fit ("Doctor Zhivago"). ENTRY is what it costs to begin it, EACH what each syllable costs: higher
means fewer turns refused and more strangers taken for somebody. What passed, but whose name sounds unlike its
pronunciation, has a confidence below one half: the dialogue then asks back.

What to expect, measured over 300 to 3,400 Hz, mu-law, white noise 30 / 24 / 18 dB below the speech; seven
destinations, 21 sentences from inside the grammar and 17 from outside, each in five synthetic voices (flite rms, slt,
kal16, awb; espeak-ng +f2). "Asked" are destinations understood but asked back first, "wrong" is another meaning:

    inside, of 105    understood   asked   refused   wrong       outside, of 85   taken for something   put through
    30 dB                 71          9       23        2                                 8                  2
    24 dB                 69          8       26        2                                 6                  2
    18 dB                 51          9       44        1                                 4                  1

By voice at 30 dB, understood or asked, of 21: rms 17, slt 18, kal16 19, awb 13, espeak +f2 13. A turn that is refused
is asked again, then offered a message; that is why refusing was preferred. A lone "yes" or "no" is the hardest thing
to tell from noise and gets a second look after a question. A turn of 2 to 5 s takes 35 to 120 ms of one core (5 % of
real time with 7 destinations), free dictation 20 %; a worker has 48 MB, the dictation worker 137 MB.

Portuguese goes through the same English sounds. Three espeak-ng voices, 13 sentences: 23 of 39 understood, 15 refused,
1 wrong; of 15 strangers' sentences one was taken for something. Single words fare best. Each destination is asked back
before a transfer, and the keys 1 to 9 always work.
"""

from __future__ import annotations

import logging
import math
import tempfile
from collections import OrderedDict
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pocketsphinx
from numpy.typing import NDArray

from secretary.speech.local import grammar
from secretary.speech.local.grammar import Grammar, GrammarSpec
from secretary.speech.local.intents import NOTHING, Intent, Understood
from secretary.speech.local.phones import Lexicon
from secretary.speech.local.resample import resample

MODEL_RATE: Final = 16_000
MIRROR: Final = 0.2
ENTRY: Final = {"en": 1e-10, "pt-br": 1e-30}
EACH: Final = {"en": 1e-8, "pt-br": 1e-12}
ASK_BACK: Final = -4.8
"""Mean acoustic score of the name's frames (natural log, best sound of the frame = 0) where confidence is one half."""
FOREIGN_CONFIDENCE: Final = 0.45
"""The most a destination gets in a language that the model was not trained for: always asked back."""
FOREIGN_GOODBYE: Final = 0.8
"""The same for a goodbye in a language that the model was not trained for: it ends the call."""
ANSWER_ENTRY: Final = 1e-24
"""ENTRY for the second look at a short turn after a yes/no question, where an answer is likelier than anything."""
SLOWEST_FRAMES: Final = 22.0
"""Frames (10 ms) a phone of a believable hypothesis lasts on average: nobody says "bye bye" for two seconds."""
DOUBTFUL: Final = 0.2
"""Below this, what names no place is taken for not understood: a false goodbye is worse than a second question."""
DECODERS: Final = 16
"""Grammars kept ready in a worker; about 6 MB each."""
SHORTEST_S: Final = 0.15
LONGEST_S: Final = 12.0
"""More of one turn is not looked at: nobody asks for a department for that long."""
LONGEST_DICTATION_S: Final = 90.0
_BEAMS: Final[dict[str, Any]] = {"beam": 1e-40, "pbeam": 1e-40, "wbeam": 1e-24, "maxhmmpf": 3000}
_LEVEL: Final = 0.08
"""RMS every turn is brought to, of full scale."""

log = logging.getLogger(__name__)


class Engine:
    """All decoders of one worker. Blocks while it works."""

    def __init__(self) -> None:
        self._model = Path(pocketsphinx.get_model_path("en-us"))
        self._lexicons: dict[str, Lexicon] = {}
        self._ready: OrderedDict[str, tuple[Grammar, Any]] = OrderedDict()
        self._dictation: Any = None

    @property
    def decoders(self) -> int:
        """Grammars ready now."""
        return len(self._ready)

    def prepare(self, spec: GrammarSpec) -> tuple[Grammar, Any]:
        """The grammar with its decoder, built on first use (about 0.1 s), kept while among the DECODERS latest."""
        found = self._ready.get(spec.key)
        if found is None:
            found = self._build(spec)
            self._ready[spec.key] = found
            while len(self._ready) > DECODERS:
                self._ready.popitem(last=False)
        self._ready.move_to_end(spec.key)
        return found

    def understand(self, spec: GrammarSpec, pcm: bytes, *, answer: bool = False) -> Understood:
        """The meaning of one turn, L16 8 kHz; UNKNOWN for what the grammar does not hold.

        With `answer`, the secretary has just asked a yes/no question: what is not understood gets a second look.
        """
        audio = telephone_to_model(pcm, LONGEST_S)
        if len(audio) < SHORTEST_S * MODEL_RATE:
            return NOTHING
        what = self._match(spec, audio)
        if answer and what.intent is Intent.UNKNOWN:
            second = self._match(GrammarSpec(spec.language, (), answers_only=True), audio)
            if second.intent in (Intent.YES, Intent.NO):
                return second
        return what

    def _match(self, spec: GrammarSpec, audio: NDArray[np.int16]) -> Understood:
        rules, decoder = self.prepare(spec)
        segments = _decode(decoder, audio)
        said = [name for name, _, _ in segments]
        if any(name.startswith(grammar.FILLER) for name in said):
            return NOTHING
        what = rules.meaning(said)
        if what.intent is Intent.UNKNOWN or _too_slow(segments, rules):
            return NOTHING
        what = replace(what, confidence=_confidence(segments, rules, what, spec.language))
        if what.intent is Intent.PLACE:
            return what  # the dialogue asks back
        doubtful = FOREIGN_GOODBYE if spec.language != "en" and what.intent is Intent.GOODBYE else DOUBTFUL
        return NOTHING if what.confidence < doubtful else what

    def dictate(self, pcm: bytes) -> str:
        """What the bundled English language model makes of free speech: a hint for whoever listens to the recording."""
        audio = telephone_to_model(pcm, LONGEST_DICTATION_S)
        if len(audio) < SHORTEST_S * MODEL_RATE:
            return ""
        if self._dictation is None:
            self._dictation = pocketsphinx.Decoder(
                hmm=str(self._model / "en-us"),
                dict=str(self._model / "cmudict-en-us.dict"),
                lm=str(self._model / "en-us.lm.bin"),
                loglevel="FATAL",
            )
        words = [name.partition("(")[0] for name, _, _ in _decode(self._dictation, audio)]
        return " ".join(word for word in words if not word.startswith(("<", "[", "+")))

    def _build(self, spec: GrammarSpec) -> tuple[Grammar, Any]:
        lexicon = self._lexicons.get(spec.language)
        if lexicon is None:
            dictionary = self._model / "cmudict-en-us.dict"
            lexicon = self._lexicons[spec.language] = Lexicon(spec.language, dictionary)
        rules = grammar.build(spec, lexicon)
        with tempfile.NamedTemporaryFile("w", suffix=".dict", encoding="utf-8") as file:
            file.write(rules.dictionary)
            file.flush()
            decoder = pocketsphinx.Decoder(
                hmm=str(self._model / "en-us"), dict=file.name, lm=None, loglevel="FATAL", **_BEAMS
            )
        start, final, arcs = rules.network(
            ANSWER_ENTRY if spec.answers_only else ENTRY[spec.language], EACH[spec.language]
        )
        decoder.add_fsg("turn", decoder.create_fsg("turn", start, final, arcs))
        decoder.activate_search("turn")
        return rules, decoder


def telephone_to_model(pcm: bytes, longest_s: float) -> NDArray[np.int16]:
    """L16 8 kHz as the model's 16 kHz, levelled, at most `longest_s` of it."""
    samples = np.frombuffer(pcm[: len(pcm) // 2 * 2], "<i2")[: int(longest_s * MODEL_RATE / 2)].astype(np.float32)
    if not samples.size:
        return np.zeros(0, np.int16)
    loud = samples[np.abs(samples) > 0.02 * 32768]
    level = float(np.sqrt(np.mean(loud**2))) if loud.size > 400 else 0.0
    if level:
        samples = samples * (_LEVEL * 32768 / level)
    wide = resample(samples, MODEL_RATE // 2, MODEL_RATE)
    mirrored = np.zeros(len(samples) * 2, np.float32)
    mirrored[::2] = samples * 2  # zero-stuffed: the band below 4 kHz and its mirror image above
    length = min(len(wide), len(mirrored))
    wide = wide[:length] + MIRROR * (mirrored[:length] - wide[:length])
    return np.clip(wide, -32768, 32767).astype(np.int16)


def _decode(decoder: Any, audio: NDArray[np.int16]) -> list[tuple[str, int, float]]:
    """(word, frames of 10 ms, acoustic score as natural logarithm) of the best path; empty for none."""
    decoder.start_utt()
    decoder.process_raw(audio.tobytes(), no_search=False, full_utt=True)
    decoder.end_utt()
    if decoder.hyp() is None:
        return []
    return [
        (segment.word, segment.end_frame - segment.start_frame + 1, math.log(max(segment.ascore, 1e-300)))
        for segment in decoder.seg()
    ]


def _too_slow(segments: list[tuple[str, int, float]], rules: Grammar) -> bool:
    words = [(name.partition("(")[0], count) for name, count, _ in segments]
    spoken = [(rules.lengths[symbol], count) for symbol, count in words if symbol in rules.words]
    phones, frames = sum(length for length, _ in spoken), sum(count for _, count in spoken)
    return frames > SLOWEST_FRAMES * max(1, phones)


def _confidence(segments: list[tuple[str, int, float]], rules: Grammar, what: Understood, language: str) -> float:
    """How well the words that carry the meaning sounded: the name's, or all of them where there is none."""
    words = [segment for segment in segments if segment[0].partition("(")[0] in rules.words]
    if what.intent is Intent.PLACE:
        telling = [segment for segment in words if grammar.is_place(segment[0])]
    else:
        telling = [segment for segment in words if segment[0].partition("(")[0] in rules.telling] or words
    frames = sum(count for _, count, _ in telling)
    score = sum(score for _, _, score in telling) / max(1, frames)
    sure = 1.0 / (1.0 + math.exp(-2.0 * (score - ASK_BACK)))
    if language != "en" and what.intent is Intent.PLACE:
        return min(sure, FOREIGN_CONFIDENCE)
    return sure
