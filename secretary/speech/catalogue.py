"""Which speech providers can be chosen, and what each wants to be told: the one place for API, panel, provisioning and
validation. No provider is imported for it; a new one is a folder, a line in `registry.py` and an entry here.

Options are text in the end (`Access.options`). Those of the kind `secret` are kept encrypted and never shown.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Kind = Literal["text", "choice", "number", "yes_no", "json", "url", "secret"]
LONGEST: Final = 500
"""Characters of one option's value; a JSON object may have ten times as many."""


@dataclass(frozen=True, slots=True)
class Option:
    """Something that one provider can be told."""

    name: str
    kind: Kind = "text"
    help: str | Promise = ""
    choices: tuple[str, ...] = ()
    lowest: float = 0.0
    highest: float = 1e6

    def checked(self, value: object) -> str:
        """The value as text. Raises ValidationError."""
        if isinstance(value, bool):
            value = "yes" if value else "no"
        elif self.kind == "json" and isinstance(value, dict):
            value = json.dumps(value)
        elif not isinstance(value, str | int | float):
            raise ValidationError(_("Text, a number, or yes and no are wanted."), code="invalid")
        text = str(value).strip()
        if any(ord(letter) < 32 for letter in text) or len(text) > (10 * LONGEST if self.kind == "json" else LONGEST):
            raise ValidationError(
                _("One line of at most %(most)d characters."), code="invalid", params={"most": LONGEST}
            )
        if text:
            self._check(text)
        return text

    def _check(self, text: str) -> None:
        if self.kind == "choice" and text not in self.choices:
            wanted = ", ".join(self.choices)
            raise ValidationError(_("One of: %(choices)s."), code="invalid_choice", params={"choices": wanted})
        if self.kind == "yes_no" and text not in ("yes", "no"):
            raise ValidationError(_("yes or no."), code="invalid_choice")
        if self.kind == "number":
            try:
                inside = self.lowest <= float(text) <= self.highest
            except ValueError:
                inside = False
            if not inside:
                bounds = {"lowest": f"{self.lowest:g}", "highest": f"{self.highest:g}"}
                raise ValidationError(_("A number from %(lowest)s to %(highest)s."), code="invalid", params=bounds)
        if self.kind == "json":
            try:
                found = json.loads(text)
            except ValueError:
                found = None
            if not isinstance(found, dict):
                raise ValidationError(_("A JSON object."), code="invalid")


@dataclass(frozen=True, slots=True)
class Declared:
    """One provider as people choose it."""

    name: str
    title: str
    needs_key: bool = True
    """Without a key it can be reached at an own address only."""
    base_url: str | Promise = ""
    """What an own address is for; empty: there is none."""
    models: tuple[str, ...] = ()
    """Suggestions, the usual one first; any other name goes as well."""
    options: tuple[Option, ...] = ()

    @property
    def plain(self) -> tuple[Option, ...]:
        return tuple(option for option in self.options if option.kind != "secret")

    @property
    def secret(self) -> tuple[Option, ...]:
        return tuple(option for option in self.options if option.kind == "secret")

    def checked(self, given: Mapping[str, object], *, secret: bool = False) -> dict[str, str]:
        """The options as text, empty ones left out. Raises ValidationError that names each which does not fit."""
        known = {option.name: option for option in (self.secret if secret else self.plain)}
        complaints: list[ValidationError] = []
        values: dict[str, str] = {}
        for name, value in given.items():
            option = known.get(str(name))
            if option is None:
                words = {"name": str(name)[:60], "known": ", ".join(sorted(known)) or "-"}
                complaints.append(
                    ValidationError(
                        _("%(name)s is no option here; known are: %(known)s."), code="unknown", params=words
                    )
                )
                continue
            try:
                if text := option.checked(value):
                    values[option.name] = text
            except ValidationError as error:
                said = {"name": option.name, "reason": " ".join(error.messages)}
                complaints.append(ValidationError("%(name)s: %(reason)s", code=error.code, params=said))
        if complaints:
            raise ValidationError(complaints)
        return values


def _each(stage: str, *services: str, more: Iterable[Option] = ()) -> tuple[Option, ...]:
    """The options that every stage of a pipeline has, and its own."""
    return (
        Option(stage, "choice", choices=services),
        Option(f"{stage}_url", "url", _("Another address than the vendor's own.")),
        Option(f"{stage}_key", "secret"),
        Option(f"{stage}_model"),
        Option(f"{stage}_timeout", "number", lowest=0.1, highest=60),
        Option(f"{stage}_extra", "json", _("Goes into every request as it is.")),
        *more,
    )


LOCAL: Final = "local"
_TURNS: Final = Option(
    "turns",
    "choice",
    _("Who decides that the caller has finished."),
    choices=("platform", "server_vad", "semantic_vad", "provider"),
)
_ANSWER: Final = Option("answer_s", "number", _("Seconds until the first sign of an answer."), lowest=1, highest=30)
_DECLARED: Final = (
    Declared(LOCAL, "Local secretary", needs_key=False),
    Declared(
        "openai-realtime",
        "OpenAI Realtime",
        base_url=_("Azure's resource, or a compatible server: https://…/v1"),
        models=("gpt-realtime-1.5", "gpt-realtime-2.1", "gpt-realtime-2.1-mini"),
        options=(
            Option("voice"),
            _TURNS,
            Option("eagerness", "choice", choices=("auto", "low", "medium", "high")),
            Option("pause_ms", "number", lowest=100, highest=5_000),
            Option("speed", "number", lowest=0.25, highest=1.5),
            Option("reasoning", "choice", choices=("minimal", "low", "medium", "high")),
            Option("max_output_tokens", "number", lowest=1, highest=100_000),
            Option("transcriber"),
            Option("transcriber_language"),
            Option("noise_reduction", "choice", choices=("near_field", "far_field", "none")),
            Option("azure", "yes_no"),
            Option("deployment", help=_("Azure's name for the model.")),
            Option("api_version", help=_("Of Azure's older addresses.")),
            Option("session_s", "number", lowest=60, highest=86_400),
            _ANSWER,
        ),
    ),
    Declared(
        "gemini-live",
        "Gemini Live",
        base_url=_("Another address than Google's own."),
        models=("gemini-3.8-live", "gemini-3.8-live-extended-thinking"),
        options=(
            Option("voice", help=_("Such as Kore, Puck or Aoede.")),
            Option("turns", "choice", _("Who decides that the caller has finished."), choices=("platform", "provider")),
            Option("pause_ms", "number", lowest=100, highest=5_000),
            Option("language_code", help=_("Only for models that take it; others choose by themselves.")),
            Option("thinking_budget", "number", highest=32_768),
            Option("thinking_level", "choice", choices=("minimal", "low", "medium", "high")),
            Option(
                "text_as", "choice", _("How the platform's sentences are asked for."), choices=("content", "realtime")
            ),
            _ANSWER,
        ),
    ),
    Declared(
        "elevenlabs-agent",
        "ElevenLabs Agents",
        base_url=_("Another region: https://api.eu.residency.elevenlabs.io"),
        options=(
            Option("agent_id"),
            Option("voice", help=_("The voice's id, where the agent allows another one.")),
            Option("overrides", help=_("What the agent allows of: prompt, first_message, language, voice.")),
            Option("connect", "choice", _("By a signed address, or with the key."), choices=("signed", "key")),
            Option("session_s", "number", lowest=60, highest=86_400),
            _ANSWER,
        ),
    ),
    Declared(
        "deepgram-agent",
        "Deepgram Voice Agent",
        base_url=_("Another region, or a server of your own."),
        models=("gpt-5.4-mini", "gpt-5.4"),
        options=(
            Option("voice", help=_("Such as aura-2-thalia-en; Deepgram has none for Portuguese.")),
            Option("listen_model"),
            Option("listen_language"),
            Option("think_provider", "choice", choices=("open_ai", "anthropic", "google", "groq")),
            Option("think_url", "url"),
            Option("think_key", "secret"),
            Option("temperature", "number", highest=2),
            Option("speak_provider", "choice", choices=("deepgram", "eleven_labs", "open_ai")),
            Option("speak_model"),
            Option("speak_url", "url"),
            Option("speak_key", "secret"),
            Option("mip_opt_out", "yes_no", _("Keep what is said out of Deepgram's training.")),
            Option("session_s", "number", lowest=60, highest=86_400),
            _ANSWER,
        ),
    ),
    Declared(
        "pipeline",
        "Speech to text, language model, text to speech",
        needs_key=False,
        base_url=_("A compatible server for all stages that have no address of their own: https://…/v1"),
        options=(
            *_each(
                "stt",
                "openai",
                "deepgram",
                more=(
                    Option("stt_language"),
                    Option("stt_encoding", "choice", choices=("linear16", "mulaw")),
                    Option("stt_endpointing", "number", lowest=10, highest=5_000),
                    Option("stt_keyterms", help=_("Words to expect, with commas between them.")),
                    Option("stt_prompt"),
                    Option("stt_temperature", "number", highest=1),
                ),
            ),
            *_each(
                "llm",
                "openai",
                "anthropic",
                more=(
                    Option("llm_max_tokens", "number", lowest=16, highest=32_000),
                    Option("llm_temperature", "number", highest=2),
                    Option("llm_reasoning_effort", "choice", choices=("none", "minimal", "low", "medium", "high")),
                    Option("llm_usage", "choice", choices=("on", "off")),
                    Option("llm_thinks", "yes_no", _("It begins with thoughts, and marks only their end.")),
                ),
            ),
            *_each(
                "tts",
                "local",
                "openai",
                "elevenlabs",
                more=(
                    Option("tts_voice"),
                    Option("tts_voice_en"),
                    Option("tts_voice_pt_br"),
                    Option("tts_format", "choice", choices=("pcm", "wav", "ulaw_8000", "pcm_8000")),
                    Option("tts_rate", "number", _("Hz of pcm; 24,000 is usual."), lowest=8_000, highest=96_000),
                    Option("tts_instructions"),
                    Option("tts_speed", "number", lowest=0.25, highest=4),
                    Option("tts_stability", "number", highest=2),
                    Option("tts_similarity_boost", "number", highest=2),
                ),
            ),
        ),
    ),
)
DECLARED: Final[Mapping[str, Declared]] = {one.name: one for one in _DECLARED}


def declared(name: str) -> Declared:
    """Raises ValidationError for a provider that there is not."""
    found = DECLARED.get(name)
    if found is None:
        known = {"name": name[:40], "known": ", ".join(DECLARED)}
        raise ValidationError(
            _("There is no speech provider “%(name)s”; known are: %(known)s."), code="invalid_choice", params=known
        )
    return found
