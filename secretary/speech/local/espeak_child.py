"""A process of its own around the espeak-ng library of the `espeakng-loader` wheel. Run by path, by `espeak.py` only.

It reads one JSON request from stdin and ends. It imports nothing of this project, so that the GPL library is never
linked with it. C interface: espeak-ng 1.52, `speak_lib.h`.
"""

from __future__ import annotations

import ctypes
import json
import sys
import wave

_RETRIEVAL = 1  # AUDIO_OUTPUT_RETRIEVAL: sound comes to the callback, no sound card is opened
_UTF8 = 1  # espeakCHARS_UTF8
_IPA = 0x02
_RATE = 1  # espeakRATE
_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


def main() -> None:
    request = json.load(sys.stdin)
    import espeakng_loader

    library = ctypes.CDLL(espeakng_loader.get_library_path())
    rate = library.espeak_Initialize(_RETRIEVAL, 500, espeakng_loader.get_data_path().encode(), 0)
    if rate <= 0 or library.espeak_SetVoiceByName(request["voice"].encode()) != 0:
        sys.exit(3)
    if request["do"] == "phonemes":
        json.dump([_phonemes(library, word) for word in request["words"]], sys.stdout)
    else:
        library.espeak_SetParameter(_RATE, int(request["wpm"]), 0)
        _speak(library, rate, request["text"], request["out"])


def _phonemes(library: ctypes.CDLL, word: str) -> str:
    read = library.espeak_TextToPhonemes
    read.restype = ctypes.c_char_p
    text = ctypes.create_string_buffer(word.encode())
    left = ctypes.c_void_p(ctypes.addressof(text))
    parts: list[str] = []
    while left.value:
        parts.append((read(ctypes.byref(left), _UTF8, _IPA) or b"").decode(errors="replace"))
    return " ".join(parts)


def _speak(library: ctypes.CDLL, rate: int, text: str, out: str) -> None:
    sound = bytearray()

    def collect(samples: ctypes.Array[ctypes.c_short], count: int, _events: int) -> int:
        if samples and count > 0:
            sound.extend(ctypes.string_at(samples, count * 2))
        return 0

    callback = _CALLBACK(collect)  # kept alive until the synthesis is over
    library.espeak_SetSynthCallback(callback)
    data = text.encode() + b"\0"
    if library.espeak_Synth(data, len(data), 0, 1, 0, _UTF8, None, None) != 0:
        sys.exit(4)
    library.espeak_Synchronize()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(bytes(sound))


if __name__ == "__main__":
    main()
