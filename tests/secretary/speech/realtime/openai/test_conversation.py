"""A conversation with OpenAI Realtime: turns, words, voice, interruptions, keys."""

from __future__ import annotations

import asyncio

import pytest

from eslbridge.media.codec import decode, encode
from tests.peers.openai_realtime import TONE, OpenAIPeer, Reply
from tests.secretary.speech.realtime.ear import FRAME, SECRET, speak
from tests.secretary.speech.realtime.openai.conftest import Open


async def test_a_session_is_set_up_with_all_that_the_call_needs(make: Open, peer: OpenAIPeer) -> None:
    """G.711 both ways, our own turns, the caller's words in the caller's language, the tools, and no key in the URL."""
    await make(lang="pt-br", voice="cedar")
    session = peer.sessions[0]
    assert session["audio"]["input"]["format"] == session["audio"]["output"]["format"] == {"type": "audio/pcmu"}
    assert session["audio"]["input"]["turn_detection"] is None
    transcriber = {"model": "gpt-transcribe", "languages": ["pt"], "keywords": ["Sales"]}
    assert session["audio"]["input"]["transcription"] == transcriber
    assert session["audio"]["output"]["voice"] == "cedar"
    assert session["tools"][0]["name"] == "transfer"
    assert "anvils" in session["instructions"] and "Brazilian Portuguese" in session["instructions"]
    assert peer.requests[0].headers["Authorization"] == f"Bearer {SECRET}"
    assert SECRET not in peer.requests[0].path


async def test_a_turn_goes_out_from_before_its_onset_and_is_answered(make: Open, peer: OpenAIPeer) -> None:
    """The caller's turn reaches the model bit by bit, its words come back once, then the answer with sound and text."""
    session, ear = await make()
    peer.replies, peer.caller_says = [Reply("Good morning to you.")], ["Hello there."]
    await speak(session, frames=20)
    spoken = await ear.spoken()
    assert bytes(peer.heard) == encode(FRAME, "PCMU") * 30
    assert spoken.text == "Good morning to you."
    assert spoken.pcm == decode(TONE, "PCMU") * (20 * 60)
    assert ear.of("caller") == [("caller", "Hello there.")]
    assert [event[0] for event in ear.events].index("thinking") < [event[0] for event in ear.events].index("voice")
    await ear.until(lambda: len(ear.of("usage")) == 6)
    assert dict(event[1:] for event in ear.of("usage")) == {
        "input_token": 40,
        "cached_token": 20,
        "audio_input_token": 25,
        "cached_audio_token": 15,
        "output_token": 5,
        "audio_output_token": 25,
    }


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"transcriber": "whisper-1"}, {"model": "whisper-1", "language": "en"}),
        ({"transcriber": "whisper-1", "transcriber_language": "auto"}, {"model": "whisper-1"}),
        (
            {"transcriber": "gpt-live-transcribe", "transcriber_language": "auto"},
            {"model": "gpt-live-transcribe", "languages": ["en", "pt"], "keywords": ["Sales"]},
        ),
        ({"transcriber": "none"}, None),
    ],
)
async def test_each_transcriber_is_told_what_it_takes(
    make: Open, peer: OpenAIPeer, options: dict[str, str], told: dict[str, object] | None
) -> None:
    """The newer ones take several languages and words to expect, the older ones one language."""
    await make(**options)
    assert peer.sessions[0]["audio"]["input"]["transcription"] == told


@pytest.mark.parametrize(
    ("usage", "counted"),
    [
        ({"type": "duration", "seconds": 2.5}, {"stt_second": 2.5}),
        (
            {
                "type": "tokens",
                "input_tokens": 30,
                "output_tokens": 9,
                "total_tokens": 39,
                "input_token_details": {"audio_tokens": 25, "text_tokens": 5},
            },
            {"audio_input_token": 25, "input_token": 5, "output_token": 9},
        ),
        (
            {"type": "tokens", "input_tokens": 30, "output_tokens": 9, "total_tokens": 39},
            {"input_token": 30, "output_token": 9},
        ),
    ],
)
async def test_writing_down_is_counted_as_the_transcribers(
    make: Open, peer: OpenAIPeer, usage: dict[str, object], counted: dict[str, float]
) -> None:
    """The model that writes down what the caller says has a price of its own, by the second or by the token."""
    session, ear = await make()
    peer.transcript_usage, peer.replies, peer.caller_says = usage, [Reply("Good morning.")], ["Hello."]
    await speak(session, frames=20)
    await ear.spoken()
    await ear.until(lambda: len(ear.of("usage_of")) == len(counted))
    assert {unit: quantity for _, model, unit, quantity in ear.of("usage_of") if model == "gpt-transcribe"} == counted


async def test_silence_is_not_sent(make: Open, peer: OpenAIPeer) -> None:
    """What nobody says costs nothing: outside of a turn no audio leaves, and what is kept is bounded."""
    session, _ear = await make()
    for _ in range(500):
        session.hear(FRAME)
    session.turn_started()
    await peer.until(lambda: len(peer.heard) >= 55 * 160)
    assert len(peer.heard) == 55 * 160


async def test_words_belong_to_their_sound(make: Open, peer: OpenAIPeer) -> None:
    """A transcript that comes all at once is spread over the sound, in whole words, so that a cut tells the truth."""
    session, ear = await make()
    peer.replies = [Reply("One two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen.")]
    await speak(session)
    spoken = await ear.spoken()
    assert spoken.text == "One two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen."
    seen = ""
    for at, (text, _pcm) in enumerate(spoken.parts[:-1], start=1):
        seen += text
        assert len(seen) <= 15.0 * at * 0.2
    assert len(spoken.parts) > 10


async def test_the_platforms_sentences_are_spoken_with_nothing_else_in_mind(make: Open, peer: OpenAIPeer) -> None:
    """`say` asks for these very words, one sentence after the other; what is not to be kept stays out of the memory."""
    session, ear = await make()
    session.say("Acme, good morning.")
    session.say("This call is recorded.", keep=False)
    await ear.spoken(2)
    assert ear.said() == ["Acme, good morning.", "This call is recorded."]
    first, second = (event["response"] for event in peer.of("response.create"))
    assert first["input"] == second["input"] == []
    assert (first["conversation"], second["conversation"]) == ("auto", "none")
    assert [line.text for line in session.memory.lines()] == ["Acme, good morning."]
    assert not ear.of("thinking")
    assert session.verbatim is False


async def test_an_interruption_cancels_and_truncates_to_what_was_heard(make: Open, peer: OpenAIPeer) -> None:
    """The model's memory ends where the caller stopped hearing, and nothing more of the answer is told."""
    session, ear = await make()
    peer.replies = [Reply("I have a long story about anvils to tell you.", chunk_s=0.02)]
    await speak(session)
    await ear.until(lambda: len(ear.of("voice")) >= 3)
    utterance_id = ear.of("voice")[0][1]
    session.interrupted(utterance_id, "I have", 420)
    told = len(ear.of("voice"))
    (truncated,) = await peer.until(lambda: peer.of("conversation.item.truncate"))
    assert truncated["audio_end_ms"] == 420
    assert peer.of("response.cancel")
    assert len(ear.of("voice")) == told
    assert [line.text for line in session.memory.lines() if line.who == "secretary"] == ["I have"]
    await speak(session)
    assert (await ear.until(lambda: [one for one in ear.utterances.values() if one.over]))[0].text == "Certainly."


async def test_what_went_on_after_a_cough_is_remembered(make: Open, peer: OpenAIPeer) -> None:
    """The model's memory, cut to what was heard, gets the rest back; cut off again, what was heard of it."""
    session, ear = await make()
    peer.replies = [Reply("We are open until six today.")]
    await speak(session)
    spoken = await ear.spoken()
    session.interrupted(spoken.utterance_id, "We are", 420)
    (cut,) = await peer.until(lambda: peer.of("conversation.item.truncate"))
    session.resumed(spoken.utterance_id)

    def rests() -> list[tuple[str, str]]:
        made = [event for event in peer.of("conversation.item.create") if event.get("previous_item_id")]
        return [(event["previous_item_id"], event["item"]["content"][0]["text"]) for event in made]

    await peer.until(rests)
    assert rests() == [(cut["item_id"], "open until six today.")]
    assert session.memory.lines()[-1].text == "We are open until six today."
    session.interrupted(spoken.utterance_id, "We are open until", 800)
    await peer.until(lambda: len(rests()) == 2)
    assert rests()[1] == (cut["item_id"], "open until") and len(peer.of("conversation.item.delete")) == 1
    assert session.memory.lines()[-1].text == "We are open until"
    session.resumed(spoken.utterance_id)
    await peer.until(lambda: len(rests()) == 3)
    assert rests()[2] == rests()[0] and len(peer.of("conversation.item.truncate")) == 1


async def test_nobody_answers_a_cough(make: Open, peer: OpenAIPeer) -> None:
    """What a cough had cut off goes on: an answer to it is called off, and nobody waits for one."""
    session, ear = await make(answer_s="1")
    peer.replies = [Reply("We are open until six."), Reply("Bless you.", delay_s=30)]
    await speak(session)
    spoken = await ear.spoken()
    session.interrupted(spoken.utterance_id, "We are", 420)
    await speak(session)
    await peer.until(lambda: len(peer.of("response.create")) == 2)
    session.resumed(spoken.utterance_id)
    await peer.until(lambda: peer.of("response.cancel"))
    await asyncio.sleep(1.1)
    assert not ear.of("failed") and len(ear.utterances) == 1


async def test_a_whole_utterance_is_not_truncated_beyond_its_end(make: Open, peer: OpenAIPeer) -> None:
    """Heard to the end is not interrupted; a little more than was sent is no error."""
    session, ear = await make()
    await speak(session)
    spoken = await ear.spoken()
    session.interrupted(spoken.utterance_id, spoken.text, spoken.ms + 40)
    session.interrupted("unknown", "", 10)
    await speak(session)
    await ear.spoken(2)
    assert not peer.of("conversation.item.truncate")
    assert not ear.of("failed")


async def test_a_caller_who_goes_on_before_the_answer_gets_one_answer(make: Open, peer: OpenAIPeer) -> None:
    """The answer to half a question is cancelled before it sounds."""
    session, ear = await make()
    peer.replies = [Reply("To the half.", delay_s=0.3), Reply("To the whole.")]
    await speak(session)
    await peer.until(lambda: peer.of("response.create"))
    await speak(session)
    await ear.spoken()
    assert ear.said() == ["To the whole."]
    assert len(ear.of("caller")) == 2


async def test_words_come_in_the_order_of_the_turns(make: Open, peer: OpenAIPeer) -> None:
    """A transcript that overtakes another one waits for it; one that fails is empty."""
    session, ear = await make()
    peer.transcribe = False
    for _ in range(3):
        await speak(session)
    await peer.until(lambda: len(peer.of("input_audio_buffer.commit")) == 3)
    await peer.until(lambda: len([m for m in peer.sent if m["type"] == "input_audio_buffer.committed"]) == 3)
    first, second, third = [m["item_id"] for m in peer.sent if m["type"] == "input_audio_buffer.committed"]
    await peer.transcribed(second, "Two.")
    await peer.transcribed(third, "Three.")
    failed = "conversation.item.input_audio_transcription.failed"
    await peer.event(failed, item_id=first, content_index=0, error={"type": "server_error", "code": "x", "message": ""})
    await ear.until(lambda: len(ear.of("caller")) == 3)
    assert [text for _kind, text in ear.of("caller")] == ["", "Two.", "Three."]


async def test_words_that_never_come_are_not_waited_for(
    make: Open, peer: OpenAIPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each turn is told once, if need be without words."""
    monkeypatch.setattr("secretary.speech.realtime.session.PATIENCE_S", 0.1)
    session, ear = await make()
    peer.transcribe = False
    await speak(session)
    await ear.until(lambda: ear.of("caller") == [("caller", "")])


async def test_the_servers_own_turn_detection(make: Open, peer: OpenAIPeer) -> None:
    """Left to it, it hears everything, tells beginning and end, and answers by itself; it never interrupts."""
    session, ear = await make(turns="semantic_vad")
    assert session.detects_turns
    detection = peer.sessions[0]["audio"]["input"]["turn_detection"]
    assert (detection["type"], detection["interrupt_response"]) == ("semantic_vad", False)
    for _ in range(50):
        session.hear(FRAME)
    session.turn_ended(FRAME)
    await peer.until(lambda: len(peer.heard) == 50 * 160)
    await peer.caller_turn()
    await ear.spoken()
    assert [event[0] for event in ear.events if event[0] in ("started", "stopped", "caller")] == [
        "started",
        "stopped",
        "caller",
    ]
    assert not peer.of("input_audio_buffer.commit") and not peer.of("response.create")


async def test_keys_are_told_as_one_number(make: Open, peer: OpenAIPeer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Digits are collected until a pause or a hash, and the model answers to them."""
    monkeypatch.setattr("secretary.speech.realtime.session.DIGITS_S", 0.05)
    session, ear = await make()
    for digit in "42":
        session.dtmf(digit)
    await ear.spoken()
    (item,) = [event["item"] for event in peer.of("conversation.item.create")]
    assert item["content"][0]["text"].endswith("4 2")


async def test_a_turn_that_is_noticed_when_it_is_over_is_sent_whole(make: Open, peer: OpenAIPeer) -> None:
    """A word spoken into the secretary's voice is proven to be a turn by its end: nothing of it may be missing."""
    session, ear = await make()
    for _ in range(200):
        session.hear(FRAME)
    session.turn_started()
    session.turn_ended(FRAME * 120)
    await ear.spoken()
    assert len(peer.heard) == 120 * 160
