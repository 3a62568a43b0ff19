"""The names of tools. One module, so that models and the catalogue agree without knowing each other."""

from __future__ import annotations

from typing import Final

NAME: Final = r"^[a-z][a-z0-9_]{1,47}\Z"
MAX_NAME: Final = 48
MOST_TOOLS: Final = 40
"""Of one secretary: more only confuse a model."""

TRANSFER: Final = "transfer"
TAKE_MESSAGE: Final = "take_message"
REQUEST_CALLBACK: Final = "request_callback"
END_CALL: Final = "end_call"
BUSINESS_INFO: Final = "business_info"
OPENING_HOURS: Final = "opening_hours"
CHECK_AVAILABLE: Final = "check_available"
SEND_DTMF: Final = "send_dtmf"
HOLD: Final = "hold"
RESUME: Final = "resume"
PAUSE_RECORDING: Final = "pause_recording"
RESUME_RECORDING: Final = "resume_recording"
REMEMBER_CALLER: Final = "remember_caller"

BUILT_IN: Final = (
    TRANSFER, TAKE_MESSAGE, REQUEST_CALLBACK, END_CALL, BUSINESS_INFO, OPENING_HOURS, CHECK_AVAILABLE, SEND_DTMF, HOLD,
    RESUME, PAUSE_RECORDING, RESUME_RECORDING, REMEMBER_CALLER,
)  # fmt: skip
"""All that the platform has, in the order in which people see them."""
USUAL: Final = (
    TRANSFER, TAKE_MESSAGE, REQUEST_CALLBACK, END_CALL, BUSINESS_INFO, OPENING_HOURS, CHECK_AVAILABLE,
)  # fmt: skip
"""What a new secretary has."""


def usual() -> list[str]:
    """The default of `Secretary.tools`."""
    return list(USUAL)
