#!/bin/sh
# Makes the recorded callers again: flite 2.2 (Debian package flite) and Python with soxr and numpy.
set -eu
cd "$(dirname "$0")"
say() { # file, voice, text
    flite -voice "$2" -t "$3" -o "$1.16k.wav"
    python3 - "$1" <<'PY'
import sys, wave
import numpy as np, soxr
name = sys.argv[1]
with wave.open(name + ".16k.wav") as file:
    samples = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float32) / 32768
    rate = file.getframerate()
samples = soxr.resample(samples, rate, 8000, "VHQ")
loud = np.flatnonzero(np.abs(samples) > 0.01)
samples = samples[max(0, loud[0] - 160) : loud[-1] + 400]  # the player adds the silence it wants
spoken = samples[np.abs(samples) > 0.01]
samples *= min(0.1 / np.sqrt(np.mean(spoken**2)), 0.7 / np.abs(samples).max())
with wave.open(name + ".wav", "wb") as file:
    file.setnchannels(1); file.setsampwidth(2); file.setframerate(8000)
    file.writeframes(np.round(samples * 32767).astype("<i2").tobytes())
PY
    rm "$1.16k.wav"
}
say sales rms "Hello, I would like to speak with the sales department please."
say support awb "Could you put me through to support please?"
say leave-message rms "I want to leave a message."
say message rms "Hello, this is Robert Miller. My number is five five five, one two three four. Please call me back tomorrow morning."
say unknown awb "Can I speak with Doctor Zhivago please?"
say unknown-again kal16 "How much does it cost to rent a car?"
say yes kal16 "Yes please."
say no rms "No thank you."
say goodbye kal16 "No thank you, goodbye."
say long slt "Good morning, I am calling because last week we have received two boxes of the wrong colour and now I would like to know whether somebody could"
