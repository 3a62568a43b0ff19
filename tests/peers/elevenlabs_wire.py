"""The messages of the ElevenLabs Agents WebSocket, written down from its published contract (AsyncAPI, version 1.0.0).

ElevenLabs' Python SDK has types for what can be overridden and for the names of events, which are used where they are;
for the messages themselves it has none. Nothing that is not written here is let through.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from elevenlabs.types import ConversationInitiationClientDataRequestInput
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

Format = Literal["pcm_8000", "pcm_16000", "pcm_22050", "pcm_24000", "pcm_44100", "pcm_48000", "ulaw_8000"]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


# From us -----------------------------------------------------------------------------------------------------------


class UserAudio(Strict):
    user_audio_chunk: str


class Pong(Strict):
    type: Literal["pong"]
    event_id: int


class UserMessage(Strict):
    type: Literal["user_message"]
    text: str | None = None


class UserActivity(Strict):
    type: Literal["user_activity"]


class ContextualUpdate(Strict):
    type: Literal["contextual_update"]
    text: str


class ClientToolResult(Strict):
    type: Literal["client_tool_result"]
    tool_call_id: str
    result: str
    is_error: bool


class Initiation(Strict):
    """What is in it is held against the SDK's own type."""

    type: Literal["conversation_initiation_client_data"]
    conversation_config_override: dict[str, Any] = {}
    custom_llm_extra_body: dict[str, Any] = {}
    dynamic_variables: dict[str, Any] = {}
    user_id: str | None = None


# From them ---------------------------------------------------------------------------------------------------------


class Alignment(Strict):
    chars: list[str]
    char_start_times_ms: list[int]
    char_durations_ms: list[int]


class AudioEvent(Strict):
    audio_base_64: str
    event_id: int
    alignment: Alignment | None = None


class Audio(Strict):
    type: Literal["audio"]
    audio_event: AudioEvent


class Transcript(Strict):
    user_transcript: str
    event_id: int


class UserTranscript(Strict):
    type: Literal["user_transcript"]
    user_transcription_event: Transcript


class TentativeTranscript(Strict):
    type: Literal["tentative_user_transcript"]
    tentative_user_transcription_event: Transcript


class ResponseEvent(Strict):
    agent_response: str
    event_id: int


class AgentResponse(Strict):
    type: Literal["agent_response"]
    agent_response_event: ResponseEvent


class CorrectionEvent(Strict):
    original_agent_response: str
    corrected_agent_response: str
    event_id: int


class Correction(Strict):
    type: Literal["agent_response_correction"]
    agent_response_correction_event: CorrectionEvent


class Numbered(Strict):
    event_id: int


class Interruption(Strict):
    type: Literal["interruption"]
    interruption_event: Numbered


class MetadataEvent(Strict):
    conversation_id: str
    agent_output_audio_format: Format
    user_input_audio_format: Format


class Metadata(Strict):
    type: Literal["conversation_initiation_metadata"]
    conversation_initiation_metadata_event: MetadataEvent


class ToolCallEvent(Strict):
    tool_name: str
    tool_call_id: str
    parameters: dict[str, Any]
    event_id: int


class ToolCall(Strict):
    type: Literal["client_tool_call"]
    client_tool_call: ToolCallEvent


class ScoreEvent(Strict):
    vad_score: float


class VadScore(Strict):
    type: Literal["vad_score"]
    vad_score_event: ScoreEvent


class PingEvent(Strict):
    event_id: int
    ping_ms: int | None = None


class Ping(Strict):
    type: Literal["ping"]
    ping_event: PingEvent


class ErrorData(Strict):
    code: Literal[1000, 1002, 1008, 1011]
    message: str = ""
    error_type: str | None = None
    reason: str | None = None


class Error(Strict):
    type: Literal["error"]
    error_event: ErrorData


CLIENT: Final[TypeAdapter[Any]] = TypeAdapter(
    UserAudio | Pong | UserMessage | UserActivity | ContextualUpdate | ClientToolResult | Initiation
)
SERVER: Final[TypeAdapter[Any]] = TypeAdapter(
    Annotated[
        Audio
        | UserTranscript
        | TentativeTranscript
        | AgentResponse
        | Correction
        | Interruption
        | Metadata
        | ToolCall
        | VadScore
        | Ping
        | Error,
        Field(discriminator="type"),
    ]
)
INITIATION: Final[TypeAdapter[Any]] = TypeAdapter(ConversationInitiationClientDataRequestInput)
