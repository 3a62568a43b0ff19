"""A pipeline in one call: turns go to the recogniser, words to the model, sentences to the voice.

At any moment at most one answer is under way. It is a loop of rounds: the model speaks, perhaps wants tools, gets
their results, speaks again. Whatever the caller does ends it at once; what has happened by then is in the memory, and
the next answer goes on from there.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any, Final

from secretary.speech.contract import Briefing, FailureKind, ProviderError, SpeechListener, ToolCall
from secretary.speech.pipeline.llm.contract import Call, Model
from secretary.speech.pipeline.memory import Line, Memory
from secretary.speech.pipeline.round import Round
from secretary.speech.pipeline.sentences import sentences_of
from secretary.speech.pipeline.speaker import Speaker
from secretary.speech.pipeline.stt.contract import Recogniser, Transcript
from secretary.speech.pipeline.tts.contract import Synthesiser
from secretary.speech.pipeline.words import system_prompt, words

MOST_ROUNDS: Final = 6
"""Of one answer: a model that uses tools for longer does not come to an end."""
TOOLS_S: Final = 330.0
"""The conversation answers every tool sooner; this is for its mistakes."""
KEYS_S: Final = 2.0
"""After the last key the caller has finished; `#` ends at once."""
MOST_KEYS: Final = 32
AT_THE_END: Final = ("transfer", "end_call", "hold")
"""Tools that take the caller away: after all others, one at a time."""

log = logging.getLogger(__name__)


class PipelineSession:
    """Implements `SpeechSession`."""

    detects_turns = False
    verbatim = True
    asides = True

    def __init__(
        self,
        briefing: Briefing,
        *,
        recogniser: Recogniser,
        model: Model,
        voice: Synthesiser,
        own_voice: Synthesiser,
        models: tuple[str, str] = ("", ""),
        follows_language: bool = False,
        thinks_first: bool = False,
        warm: Callable[[], Coroutine[Any, Any, None]] | None = None,
        closed: Callable[[], None] | None = None,
    ) -> None:
        """`models`: what listening and speaking are counted under; thinking is the session's own.

        `thinks_first`: the model's text begins with its thoughts, and only their end is marked.
        """
        self._briefing = briefing
        self._recogniser, self._model, self._voice, self._own_voice = recogniser, model, voice, own_voice
        self._listens, self._speaks = models
        self._thinks_first = thinks_first
        self._follows_language, self._warm, self._closed = follows_language, warm, closed
        self._language = briefing.language
        self._system = system_prompt(briefing)
        self._tools = {tool.name for tool in briefing.tools}
        self._memory = Memory(briefing.history)
        self._listener: SpeechListener | None = None
        self._speaker = Speaker(self._tell, lambda characters: self._usage("character", characters, self._speaks))
        self._caller_speaks = False
        self._went_on = False
        """What the caller's last turn had cut off goes on: it wants no answer."""
        self._turn = 0
        self._wordless = 0
        """Turns whose words are still to come."""
        self._in_order = asyncio.Lock()
        self._answer: asyncio.Task[None] | None = None
        self._sayings: set[asyncio.Task[None]] = set()
        self._work: set[asyncio.Task[None]] = set()
        self._results: dict[str, asyncio.Future[str]] = {}
        self._news = False
        """Something is in the memory that the answer under way does not know."""
        self._keys = ""
        self._keys_end: asyncio.TimerHandle | None = None
        self._serial = 0

    async def open(self, listener: SpeechListener) -> None:
        """Raises ProviderError."""
        try:
            await self._recogniser.open(self._interim)
        except BaseException:
            self._release()
            raise
        self._listener = listener
        if self._warm is not None:
            self._spawn(self._warm(), self._work)

    # What the conversation tells --------------------------------------------------------------------------------------

    def hear(self, frame: bytes) -> None:
        self._recogniser.hear(frame)

    def turn_started(self) -> None:
        self._caller_speaks, self._went_on = True, False
        self._recogniser.turn_started()
        self._stop()

    def turn_ended(self, pcm: bytes) -> None:
        self._caller_speaks = False
        self._turn += 1
        self._wordless += 1
        words_to_come = asyncio.ensure_future(self._recogniser.turn_ended(pcm))
        self._spawn(self._understand(words_to_come, self._turn), self._work)

    def say(self, text: str, *, keep: bool = True) -> None:
        if self._speaker.saying.startswith("answer"):
            # The platform takes the floor: what was being said ends here. What is only thought about comes after.
            self._speaker.finish()
            self._drop_answer()
        self._spawn(self._say(text, keep), self._sayings)

    def interrupted(self, utterance_id: str, heard_text: str, heard_ms: int) -> None:
        self._memory.interrupted(utterance_id, heard_text)
        self._stop()

    def resumed(self, utterance_id: str) -> None:
        self._memory.went_on(utterance_id)
        self._drop_answer()
        self._went_on = True

    def tool_result(self, tool_call_id: str, outcome: str, detail: str = "") -> None:
        if not self._memory.result(tool_call_id, outcome, detail):
            return
        result = self._results.pop(tool_call_id, None)
        if result is not None and not result.done():
            result.set_result(outcome)
        elif outcome != "interrupted":
            self._tell_model()

    def dtmf(self, digit: str) -> None:
        if self._keys_end is not None:
            self._keys_end.cancel()
        self._keys = (self._keys + digit)[-MOST_KEYS:]
        wait = 0.0 if digit == "#" else KEYS_S
        self._keys_end = asyncio.get_running_loop().call_later(wait, self._keys_are_complete)

    async def close(self) -> None:
        self._listener = None
        if self._keys_end is not None:
            self._keys_end.cancel()
        tasks = [*self._work, *self._sayings, *([self._answer] if self._answer else [])]
        for task in tasks:
            task.cancel()
        with suppress(TimeoutError):
            async with asyncio.timeout(0.9):
                await asyncio.gather(self._recogniser.close(), *tasks, return_exceptions=True)
        self._release()

    def _release(self) -> None:
        closed, self._closed = self._closed, None
        if closed is not None:
            closed()

    # Turns ------------------------------------------------------------------------------------------------------------

    async def _understand(self, words_to_come: asyncio.Future[Transcript], turn: int) -> None:
        try:
            async with self._in_order:
                heard = await words_to_come
        finally:
            self._wordless -= 1
            words_to_come.cancel()
        listener = self._listener
        if listener is None:
            return
        self._usage("stt_second", heard.seconds, self._listens)
        listener.on_caller_text(heard.text)
        if heard.text:
            self._memory.caller_said(heard.text)
            self._notice_language(heard.language)
        if self._caller_speaks or turn != self._turn or self._went_on:
            return  # the caller goes on: one answer to all of it; or the secretary does, and it was no turn
        if heard.text:
            self._begin_answer()
        else:
            self._no_words()

    def _interim(self, text: str) -> None:
        if self._listener is not None and self._caller_speaks:
            self._listener.on_caller_interim(text)

    def _no_words(self) -> None:
        """A turn without words: a cough, a door. What it broke off goes on; otherwise the caller is asked again."""
        if self._answer is not None:
            return
        if self._memory.was_cut_off:
            self._memory.caller_said(words(self._language).go_on)
            self._begin_answer()
        elif self._memory.awaits_answer and not self._memory.awaits_tool:
            self._begin_answer()
        else:
            self.say(words(self._language).not_caught, keep=False)

    def _notice_language(self, language: str) -> None:
        if self._follows_language and language and language != self._language and self._listener is not None:
            self._language = language
            self._listener.on_language(language)

    def _keys_are_complete(self) -> None:
        digits, self._keys, self._keys_end = self._keys, "", None
        if self._listener is not None:
            self._memory.caller_said(words(self._language).keys.format(digits=" ".join(digits)))
            self._tell_model()

    # Answers ----------------------------------------------------------------------------------------------------------

    def _tell_model(self) -> None:
        """Something new is in the memory: the answer under way takes another round for it, or one begins."""
        self._news = True
        if self._listener is not None and self._answer is None and not self._caller_speaks and not self._wordless:
            self._begin_answer()

    def _begin_answer(self) -> None:
        self._drop_answer()
        self._answer = self._watch(asyncio.create_task(self._answering(), name="answer"))

    async def _answering(self) -> None:
        for number in range(MOST_ROUNDS):
            self._news = False
            line = self._memory.began()
            calls = await self._round(line, tries=2 if number == 0 else 1)
            if calls and not await self._use(line, calls):
                return  # the caller took it back, and will say what is wanted instead
            if not calls and not self._news:
                return
        log.warning("call %s: the model does not come to an end with its tools", self._briefing.call_uuid)
        self.say(words(self._language).no_answer)

    async def _round(self, line: Line, tries: int) -> list[Call]:
        """The model speaks once. Gives the tools that it wants, by ids of ours: not every server has unique ones."""
        listener = self._listener
        if listener is None:
            return []
        prompt = self._memory.prompt(self._system, self._briefing.tools)

        def another() -> str:
            utterance = self._new("answer")
            line.utterances[utterance] = ""
            return utterance

        for _ in range(tries):
            pieces, first = self._model.answer(prompt), self._thinks_first
            spoken = Round(pieces, self._speaker, another, self._voice, self._language, thinks_first=first)
            try:
                await spoken.run(listener.on_thinking)
            finally:
                used = spoken.usage(prompt)
                self._usage("input_token", used.read - used.cached)
                self._usage("cached_token", used.cached)
                self._usage("output_token", used.written)
            if spoken.calls or line.text:
                return [Call(self._new("call"), call.name, call.arguments) for call in spoken.calls]
            if spoken.refused:
                self.say(words(self._language).no_answer)
                return []
            log.info("call %s: the model said nothing", self._briefing.call_uuid)
        self.say(words(self._language).silent_model)
        return []

    async def _use(self, line: Line, calls: Sequence[Call]) -> bool:
        """Have the tools used; whether the model is to go on after them."""
        line.calls = list(calls)
        wanted = [(call, arguments) for call in calls if (arguments := self._judge(call)) is not None]
        together = [item for item in wanted if item[0].name not in AT_THE_END]
        groups = [together, *([item] for item in wanted if item[0].name in AT_THE_END)]
        for group in groups:
            if "interrupted" in await self._run(group):
                return False
        return True

    def _judge(self, call: Call) -> dict[str, object] | None:
        """The arguments; None where the model is told that this cannot be done."""
        if call.name not in self._tools:
            self._memory.result(call.call_id, "unknown", f"there is no tool named {call.name[:64]}")
            return None
        try:
            arguments = json.loads(call.arguments or "{}")
        except ValueError:
            arguments = None
        if not isinstance(arguments, dict):
            self._memory.result(call.call_id, "invalid", "the arguments are no JSON object")
            return None
        return arguments

    async def _run(self, group: Sequence[tuple[Call, dict[str, object]]]) -> list[str]:
        loop = asyncio.get_running_loop()
        waiting = []
        for call, arguments in group:
            result = self._results[call.call_id] = loop.create_future()
            waiting.append(result)
            if self._listener is not None:
                self._listener.on_tool(ToolCall(call.call_id, call.name, arguments))
        if not waiting:
            return []
        try:
            done, _ = await asyncio.wait(waiting, timeout=TOOLS_S)
            return [result.result() for result in done]
        finally:
            for call, _ in group:
                self._results.pop(call.call_id, None)

    # The platform's own sentences -------------------------------------------------------------------------------------

    async def _say(self, text: str, keep: bool) -> None:
        utterance = self._new("say")
        if keep:
            self._memory.began().utterances[utterance] = ""
        sentences: asyncio.Queue[str | None] = asyncio.Queue()
        for sentence in (*sentences_of(text), None):
            sentences.put_nowait(sentence)
        await self._speaker.speak(utterance, sentences, self._own_voice, self._language, at_once=True)

    # Out --------------------------------------------------------------------------------------------------------------

    def _tell(self, utterance: str, text: str, pcm: bytes, last: bool) -> None:
        if self._listener is not None:
            self._memory.spoke(utterance, text)
            self._listener.on_voice(utterance, text, pcm, last)

    def _usage(self, unit: str, quantity: float, model: str = "") -> None:
        if quantity and self._listener is not None:
            self._listener.on_usage(unit, quantity, model)

    def _new(self, kind: str) -> str:
        self._serial += 1
        return f"{kind}-{self._serial}"

    def _stop(self) -> None:
        """The caller speaks: nothing of what is under way is wanted any more."""
        self._drop_answer()
        for saying in self._sayings:
            saying.cancel()
        self._speaker.stop()

    def _drop_answer(self) -> None:
        answer, self._answer = self._answer, None
        if answer is not None:
            answer.cancel()

    def _spawn(self, work: Coroutine[Any, Any, None], group: set[asyncio.Task[None]]) -> None:
        task = self._watch(asyncio.create_task(work))
        group.add(task)
        task.add_done_callback(group.discard)

    def _watch(self, task: asyncio.Task[None]) -> asyncio.Task[None]:
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        if self._answer is task:
            self._answer = None
        if task.cancelled() or (error := task.exception()) is None:
            return
        if isinstance(error, ProviderError):
            self._fail(str(error), error.kind, error.retry_after_s)
        else:
            log.error("call %s: error in the pipeline", self._briefing.call_uuid, exc_info=error)
            self._fail("internal error in the pipeline", "protocol")

    def _fail(self, reason: str, kind: FailureKind, retry_after_s: float | None = None) -> None:
        listener, self._listener = self._listener, None
        self._stop()
        if listener is not None:
            listener.on_failed(reason, kind, retry_after_s)
