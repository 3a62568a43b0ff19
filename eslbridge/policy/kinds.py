"""What a number can lead to, and the answer to whether it may be dialled."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class DestinationKind(StrEnum):
    EXTENSION = "extension"
    RING_GROUP = "ring_group"
    QUEUE = "queue"
    IVR = "ivr"
    VOICEMAIL = "voicemail"
    SECRETARY = "secretary"
    """Another secretary of the domain, at 8XXX."""
    EXTERNAL = "external"


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a number may be dialled, and the reason in one word for the record (`ok` when it may).

    `detail` is for people who read the record: what was looked at. The rest is filled in where it is known: `dialled`
    is what is to be sent to the switch (judged and sent are the same number), `e164` and `region` say which number
    of the world it is (`001`: of no country), `toll_class` what FusionPBX calls its price.
    """

    allowed: bool
    reason: str
    detail: str = ""
    dialled: str = ""
    e164: str = ""
    region: str = ""
    toll_class: str = ""
    grant: str = ""
    """The class to set as `toll_allow` on the leg that dials, no more; empty where classes are not used."""

    @property
    def external(self) -> bool:
        return bool(self.e164)


OK: Final = Decision(True, "ok")
