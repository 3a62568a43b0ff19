"""The conversation itself, without sockets or clocks: events and the time go in, actions come out.

    greeting ─▶ listening ⇄ speaking ─▶ transferring ─▶ ended
                    └────────┴──────────▶ leaving ─────▶ ended

Each part has a file: the secretary's voice (`voice`), the caller's turns (`floor`), what the provider wants done
(`tools`), the caller's message (`messages`), the ways out (`endings`). All see one `Scene`. Here is the order of
things: an event goes to its part, then what follows from it is settled, then the deadlines that have come are kept.
"""

from __future__ import annotations

from secretary.conversation import actions as act
from secretary.conversation import events as ev
from secretary.conversation.endings import Endings
from secretary.conversation.floor import Floor
from secretary.conversation.keys import Keys
from secretary.conversation.latency import Latency
from secretary.conversation.loops import Loops
from secretary.conversation.messages import Messages
from secretary.conversation.scene import Scene
from secretary.conversation.sentences import sentences
from secretary.conversation.state import Rules, State
from secretary.conversation.tools import Tools
from secretary.conversation.voice import DISCLOSURE, Voice

PROMISES = ("answer", "silence", "transfer", "tool", "hold", "doubt", "key")
"""Deadlines after which the caller hears something, or is given to somebody else."""
LANGUAGES = ("en", "pt-br")
MUSIC_AFTER_WORDS_MS = 12_000
"""A caller who was understood a moment ago is there, whatever the line sounds like."""


class Conversation:
    """One conversation. Give every event to `receive`, do what it returns, and call it with Tick at `deadline`."""

    def __init__(self, rules: Rules) -> None:
        self._scene = scene = Scene(rules)
        loops = Loops()
        self._voice = Voice(scene, loops)
        self._messages = Messages(scene)
        self._endings = Endings(scene, self._voice, self._messages)
        self._tools = Tools(scene, self._voice, self._messages, self._endings)
        self._floor = Floor(scene, self._voice, self._messages, self._tools, loops)
        self._keys = Keys(scene, self._voice, self._floor, self._tools, self._endings)
        self._last_turn: int | None = None
        """The turn of the caller in which a limit was reached."""

    @property
    def state(self) -> State:
        return self._scene.state

    @property
    def has_floor(self) -> bool:
        """Whether the caller speaks, and the provider knows."""
        turn = self._scene.speaking
        return turn is not None and turn.taken and not turn.over_voice

    @property
    def listens(self) -> bool:
        """Whether it is the caller's turn to speak, and nobody does as far as is known."""
        scene = self._scene
        waits = scene.state is State.LISTENING and not scene.watch.pending("answer")
        return waits and scene.speaking is None and not scene.playout.open

    @property
    def latency(self) -> Latency:
        return self._scene.latency

    def reference(self, heard: int, ms: int) -> bytes:
        """The last `ms` of the secretary's voice, of which `heard` ms have been heard in all."""
        return self._scene.playout.reference(heard, ms)

    def beside(self, pcm: bytes, heard: int) -> None:
        """Music is played from now on; empty: it is over. It may come back as an echo."""
        self._scene.playout.beside(pcm, heard)

    @property
    def deadline(self) -> int | None:
        """When to call `receive` with Tick at the latest, on the call's clock (ms); None for never."""
        return self._scene.watch.next

    def receive(self, event: ev.Event, *, now: int, heard: int) -> list[act.Action]:
        """Take an event at `now` ms on the call's clock, with `heard` ms of voice heard so far; do what it returns."""
        if self._scene.state is State.ENDED:
            return []
        scene = self._scene
        actions = scene.begin(now, heard)
        match event:
            case ev.Started():
                self._started()
            case ev.VoiceArrived():
                if not self._voice.refused(event.utterance_id):
                    self._tools.voice_arrives()
                    self._floor.answered()
                self._voice.arrived(event)
            case ev.Drained():
                self._voice.drained()
            case ev.CallerStarted(onset_ms):
                self._floor.caller_started(onset_ms)
            case ev.CallerLikely():
                self._floor.interruption.likely()
            case ev.CallerUnlikely():
                self._floor.interruption.restore()
            case ev.CallerProven():
                self._floor.caller_proven()
            case ev.CallerEnded(last_sound_ms, provider_decides):
                self._floor.caller_ended(last_sound_ms, provider_decides=provider_decides)
            case ev.ProviderHeard():
                self._floor.provider_heard()
            case ev.ProviderStopped():
                self._floor.provider_stopped()
            case ev.Thinking():
                self._floor.provider_thinks()
            case ev.CallerText(text):
                self._floor.caller_text(text)
            case ev.ToolCalled(call):
                self._voice.speak_again()
                self._floor.answered()
                self._tools.called(call)
            case ev.ToolDone():
                self._tools.done(event)
            case ev.Pressed(digit):
                self._keys.pressed(digit)
            case ev.CallEnded(cause):
                self._endings.call_ended(cause)
            case ev.CallLeft(reason):
                self._endings.call_left(reason)
            case ev.Broken(part, reason):
                self._broken(part, reason)
            case ev.AllowanceChanged(until_ms):
                self._allow(until_ms)
            case ev.MusicHeard():
                self._music_heard()
            case ev.LanguageChanged(language):
                self._language_changed(language)
            case ev.Spent(cost):
                if 0 < scene.rules.max_cost <= cost:
                    scene.stuck = "cost"
            case ev.Tick():
                pass
        self._settle()
        self._watchdogs()
        self._leave_what_leads_nowhere()
        self._leave_no_corner()
        return actions

    # What happens -------------------------------------------------------------------------------------------------

    def _started(self) -> None:
        scene = self._scene
        scene.note("answered")
        scene.watch.set("call", scene.now + scene.rules.max_call_ms)
        self._allow(scene.rules.allowed_ms)
        if scene.rules.disclosure:
            self._voice.say(scene.rules.disclosure, DISCLOSURE)
        if scene.rules.greeting:
            self._voice.say(scene.rules.greeting)
        if scene.rules.greeting or scene.rules.disclosure:
            scene.watch.set("answer", scene.now + scene.rules.greeting_ms)
        else:
            scene.listen()

    def _allow(self, until_ms: int | None) -> None:
        scene = self._scene
        if until_ms is None:
            scene.watch.clear("allowance")
        elif scene.state is not State.LEAVING:
            scene.watch.set("allowance", max(scene.now, until_ms - scene.rules.goodbye_ms))

    def _broken(self, part: str, reason: str) -> None:
        scene = self._scene
        scene.note("broken", part=part, reason=reason)
        if part in ("leg", "provider") and scene.state is State.TRANSFERRING:
            # The audio ends before the call is told to have left us, and nobody needs a provider to be put through:
            # leaving now would send the caller two ways at once. It counts if the transfer fails.
            self._tools.lost = part
        elif part == "provider" and scene.state is not State.LEAVING:
            self._endings.leave("provider_failed", scene.say.trouble)
        else:
            self._endings.leave(f"{part}_failed", "")

    def _music_heard(self) -> None:
        scene = self._scene
        if scene.now - scene.words_at > MUSIC_AFTER_WORDS_MS and not self._messages.dictating and not scene.busy:
            scene.stuck = "music"

    def _language_changed(self, language: str) -> None:
        """The platform's own sentences follow the caller."""
        scene = self._scene
        if language != scene.language and language in LANGUAGES:
            scene.language, scene.say = language, sentences(language)
            scene.note("language", language=language)

    # What follows from it -----------------------------------------------------------------------------------------

    def _settle(self) -> None:
        """Write what has been heard, and go on when all of it has."""
        self._voice.write_heard()
        scene = self._scene
        if scene.playout.open or scene.playout.holding or scene.state is State.ENDED:
            return
        if scene.state is State.LEAVING:
            self._endings.settle()
        elif not self._tools.run_pending():
            if scene.state in (State.SPEAKING, State.GREETING) and not scene.watch.pending("answer"):
                scene.listen()

    def _leave_no_corner(self) -> None:
        """While neither side speaks something is due soon, whatever order things came in: if nothing else, an answer.

        A refused tool, or words whose sound never comes, would otherwise leave the caller in silence for minutes.
        """
        scene = self._scene
        quiet = scene.speaking is None and not scene.sounding
        if quiet and not self._over() and not scene.watch.any_of(*PROMISES):
            scene.expect_answer()

    def _watchdogs(self) -> None:
        scene = self._scene
        due = scene.watch.due(scene.now)
        for name in due:
            if self._over():
                return
            match name:
                case "call" | "allowance" if scene.state is State.TRANSFERRING:
                    # Hanging up now would race with the worker; a transfer has a deadline of its own.
                    scene.watch.set(name, scene.now + scene.rules.transfer_ms)
                case "message" if not self._messages.too_long():
                    pass
                case "call" | "message":
                    scene.note("watchdog", reason="time_is_up")
                    self._endings.hang_up("time_is_up", scene.say.time_is_up)
                case "allowance":
                    scene.note("watchdog", reason="allowance_used_up")
                    self._endings.leave("allowance_used_up", scene.say.allowance)
                case "silence":
                    self._caller_is_silent()
                case "answer":
                    self._provider_is_silent()
                case "transfer":
                    self._tools.transfer_took_too_long()
                case "tool":
                    self._tools.took_too_long()
                case "filler":
                    self._tools.filler_due()
                case "turn":
                    self._floor.turn_is_endless()
                case "told":
                    self._voice.look_whether_told()
                case "key":
                    self._keys.alone()
                case "shield":
                    self._floor.shield_due()
                case "doubt":
                    self._floor.doubt_is_over()
                case "recording":
                    scene.resume_recording()
                case "hold":
                    self._tools.hold_is_over()
                case "leave":
                    self._endings.finish()
                case _:
                    pass
        if due:
            self._settle()

    def _leave_what_leads_nowhere(self) -> None:
        """The conversation costs more than it can bring: end it with a sentence, and say why in the record."""
        scene = self._scene
        if scene.stuck in ("turns", "cost") and self._under_way():
            if self._last_turn is None:
                self._last_turn = self._floor.turns
            if self._floor.turns == self._last_turn:
                return  # what is being answered is answered to its end, and no more after it
        why, scene.stuck = scene.stuck, ""
        if not why or scene.state in (State.LEAVING, State.TRANSFERRING, State.ENDED):
            return
        scene.note("watchdog", reason=why)
        match why:
            case "music" | "recording":
                self._endings.hang_up(f"{why}_on_line", scene.say.no_person)
            case "circles" | "repeats":
                self._endings.leave("going_in_circles" if why == "circles" else "caller_repeats", scene.say.circles)
            case _:
                self._endings.leave(f"{why}_used_up", scene.say.enough)

    def _under_way(self) -> bool:
        """Somebody speaks, or is about to."""
        scene = self._scene
        said = scene.playout.open or scene.playout.holding
        return said or scene.busy or scene.speaking is not None or scene.watch.pending("answer")

    def _caller_is_silent(self) -> None:
        scene = self._scene
        if scene.watch.silent_again():
            scene.note("watchdog", reason="silent_caller")
            if scene.rules.silence_hangs_up:
                self._endings.hang_up("silent_caller", scene.say.silent_goodbye)
            else:
                self._endings.leave("silent_caller", scene.say.nobody_there)
            return
        scene.note("reprompt")
        scene.expect_answer()
        self._voice.say(scene.say.still_there)

    def _provider_is_silent(self) -> None:
        scene = self._scene
        scene.note("provider_silent")
        if scene.state is State.LEAVING:
            self._endings.finish()
        elif scene.state is State.GREETING or scene.watch.unanswered_again():
            scene.note("watchdog", reason="provider_silent")
            self._endings.leave("provider_silent", "" if scene.state is State.GREETING else scene.say.trouble)
        else:
            scene.expect_answer()
            self._voice.say(scene.say.still_there)

    def _over(self) -> bool:
        return self._scene.state is State.ENDED
