"""G.711 must agree with every telephone in the world, value by value."""

from __future__ import annotations

import sys
import warnings

import numpy as np
import pytest

from eslbridge.media import codec

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import audioop

EVERY_SAMPLE = np.arange(-32768, 32768).astype("<i2").tobytes()
EVERY_CODE = bytes(range(256))


@pytest.mark.parametrize(("law", "reference"), [("PCMU", audioop.lin2ulaw), ("PCMA", audioop.lin2alaw)])
def test_every_linear_value_encodes_as_the_reference_does(law, reference):
    """All 65,536 values of each law."""
    assert codec.encode(EVERY_SAMPLE, law) == reference(EVERY_SAMPLE, 2)


@pytest.mark.parametrize(("law", "reference"), [("PCMU", audioop.ulaw2lin), ("PCMA", audioop.alaw2lin)])
def test_every_code_decodes_as_the_reference_does(law, reference):
    """All 256 codes of each law; audioop writes native byte order."""
    assert sys.byteorder == "little"
    assert codec.decode(EVERY_CODE, law) == reference(EVERY_CODE, 2)


@pytest.mark.parametrize("law", ["PCMU", "PCMA"])
def test_silence_is_the_quietest_code(law):
    """The silence byte decodes to the value nearest to zero."""
    decoded = np.frombuffer(codec.decode(EVERY_CODE, law), "<i2")
    assert abs(int(decoded[codec.SILENCE_BYTE[law]])) == int(np.abs(decoded).min())


def test_an_empty_frame_stays_empty():
    """Nothing in, nothing out."""
    assert codec.encode(b"", "PCMU") == codec.decode(b"", "PCMA") == b""
