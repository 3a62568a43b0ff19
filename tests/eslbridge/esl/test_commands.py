"""No text of a person, a model or a SIP header becomes part of a command unescaped."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eslbridge.esl import commands
from eslbridge.esl.command import MAX_COMMAND_BYTES, Command, originate_value, quoted
from eslbridge.esl.errors import CommandRefused
from tests.eslbridge.esl import freeswitch_text

CALL = "c0e06181-846d-4979-91c0-29cd8b32c17d"
OTHER = "7be37ce4-0a91-4557-b156-1107d04a11ba"

printable = st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=60)
nasty = st.text(st.sampled_from("ab '\"\\,={}[]<>|:_^$&()!;%\n\r\0\tsn1/"), max_size=24)


@given(nasty | printable)
def test_quoted_argument_arrives_as_it_was(text: str) -> None:
    """FreeSWITCH's own splitting gives the text back, whatever quotes and backslashes it holds."""
    try:
        argument = quoted(text)
    except CommandRefused:
        assert any(ord(char) < 32 or ord(char) == 127 for char in text)
        return
    assert freeswitch_text.separate(f"{CALL} start {argument}", " ", 3)[2:] == [text]
    assert freeswitch_text.separate(f"{CALL} x {argument} after", " ", 10)[2:] == [text, "after"]


@given(st.dictionaries(st.sampled_from(["a", "b_c", "origination_caller_id_name"]), nasty | printable, max_size=3))
def test_originate_variables_arrive_as_they_were(variables: dict[str, str]) -> None:
    """Through all three rounds of splitting, or refused because a bracket has no escape there."""
    try:
        command = commands.originate("user/1001@acme.example", variables=variables, argument="")
    except CommandRefused:
        return
    got, endpoint, application = freeswitch_text.originate(command.line.removeprefix("api originate "))
    assert got == {name: value for name, value in variables.items() if value}
    assert (endpoint, application) == ("user/1001@acme.example", "&park()")


@pytest.mark.parametrize("value", ["a{b", "a}b", "[x]", "<x>", "a:_:b", "${system ls}", "$${x}", "^^:a"])
def test_what_a_dial_string_cannot_escape_is_refused(value: str) -> None:
    with pytest.raises(CommandRefused):
        originate_value(value, "x")


def test_originate_with_a_hard_caller_name() -> None:
    """Spaces, commas, quotes and backslashes of a caller's name survive."""
    name = 'O\'Hara, "Sales" \\ Söhne=1|2'
    command = commands.originate(
        "sofia/gateway/gw/+5511999",
        application="socket",
        argument=commands.socket_argument("10.0.0.5", 8022),
        variables={"origination_caller_id_name": name},
        timeout_s=30,
    )
    got, endpoint, application = freeswitch_text.originate(command.line.removeprefix("api originate "))
    assert got == {"origination_caller_id_name": name, "originate_timeout": "30"}
    assert (endpoint, application) == ("sofia/gateway/gw/+5511999", "&socket(10.0.0.5:8022 async full)")


@pytest.mark.parametrize("word", ["reload", "unload", "ReLoad", "UNLOAD"])
@pytest.mark.parametrize(
    "build",
    [
        commands.auth,
        partial(commands.audio_stream_send_text, CALL),
        partial(commands.uuid_setvar, CALL, "name"),
        partial(commands.execute, "playback", event_uuid=CALL),
    ],
)
def test_words_that_reload_the_event_socket_are_refused(word: str, build: Callable[[str], Command]) -> None:
    """FreeSWITCH obeys them anywhere in a line, and cuts every connection."""
    with pytest.raises(CommandRefused, match="reload"):
        build(f"please {word} the Mod_Event_Socket now")


@pytest.mark.parametrize("job", ["a\nb", "", "x", OTHER + "\n"])
def test_a_background_jobs_uuid_is_one(job: str) -> None:
    with pytest.raises(CommandRefused):
        commands.status().background(job)


def test_the_words_apart_are_harmless() -> None:
    assert "reload" in commands.audio_stream_send_text(CALL, "please reload").line


def test_length_limit_counts_bytes() -> None:
    commands.audio_stream_send_text(CALL, "x" * (MAX_COMMAND_BYTES - 100))
    with pytest.raises(CommandRefused, match="longer"):
        commands.audio_stream_send_text(CALL, "ã" * (MAX_COMMAND_BYTES // 2))


@pytest.mark.parametrize("line", ["api system ls", "bgapi lua x", "api", "log 7", "sendevent X", "", "reloadxml"])
def test_only_known_commands_exist(line: str) -> None:
    """Not even by making a Command by hand."""
    with pytest.raises(CommandRefused):
        Command(line)


@pytest.mark.parametrize("app", ["system", "lua", "nosuchapp", "set", "socket", "bridge", "execute_extension"])
def test_only_known_applications_are_executed(app: str) -> None:
    """An unknown one would hang the caller up; a powerful one would run anything."""
    with pytest.raises(CommandRefused):
        Command("sendmsg", (("call-command", "execute"), ("execute-app-name", app)))


@pytest.mark.parametrize("bad", ["", "x", CALL + " ", CALL[:-1], CALL + "1", "all", "-both", CALL.replace("-", "_")])
def test_bad_uuids_are_refused(bad: str) -> None:
    for build in (commands.uuid_break, commands.uuid_kill, commands.uuid_exists):
        with pytest.raises(CommandRefused):
            build(bad)


@pytest.mark.parametrize("bad", ["-both", "-bleg 1", "1 XML other", "", "a b", "1'", "sip:x@y"])
def test_transfer_goes_to_a_number_and_nothing_else(bad: str) -> None:
    with pytest.raises(CommandRefused):
        commands.uuid_transfer(CALL, bad, context="acme.example")


@pytest.mark.parametrize("bad", ["system::ls", "a::b", "hangup!::x", "{a=b}x", "", "${x}", "-x"])
def test_broadcast_plays_and_nothing_else(bad: str) -> None:
    with pytest.raises(CommandRefused):
        commands.uuid_broadcast(CALL, bad)


@pytest.mark.parametrize(
    "bad", ["ws://a_b/x", "http://x/", "ws://[::1]/x", "ws://h?x/y", "ws://h/x y", "ws://h/x'", "ws://h:1x/"]
)
def test_media_address_is_one_the_module_understands(bad: str) -> None:
    """No underscore or IPv6 in the host, no query before a slash, no spaces or quotes."""
    with pytest.raises(CommandRefused):
        commands.audio_stream_start(CALL, bad)


@pytest.mark.parametrize("argument", ["%[a=b]x", "%^[a=b]", "${system(id)}", "$${x}"])
def test_an_application_argument_cannot_be_expanded(argument: str) -> None:
    with pytest.raises(CommandRefused):
        commands.execute("playback", argument, event_uuid=OTHER)


@pytest.mark.parametrize("rate", [44100, 0, -8000, 128000, True])
def test_odd_sample_rates_are_refused(rate: int) -> None:
    with pytest.raises(CommandRefused):
        commands.audio_stream_start(CALL, "ws://h/x", rate=rate)


def test_wire_forms() -> None:
    """The exact bytes, as FreeSWITCH was seen to accept them."""
    wire = {
        b"linger 10\n\n": commands.linger(10),
        b"myevents json\n\n": commands.myevents(),
        b"divert_events on\n\n": commands.divert_events(True),
        b"event json DTMF CUSTOM mod_audio_stream::play\n\n": commands.events(
            ["DTMF"], custom=["mod_audio_stream::play"]
        ),
        b"nixevent DTMF\n\n": commands.nixevent(["DTMF"]),
        b"api show channels as json\n\n": commands.show_channels(),
        f"api sched_del wd-{CALL}\n\n".encode(): commands.sched_del(f"wd-{CALL}"),
        f"bgapi uuid_kill {CALL} USER_BUSY\nJob-UUID: {OTHER}\n\n".encode(): commands.uuid_kill(
            CALL, "USER_BUSY"
        ).background(OTHER),
        f"api sched_api +8 wd-{CALL} uuid_transfer {CALL} fallback XML acme.example\n\n".encode(): commands.sched_api(
            8, f"wd-{CALL}", commands.uuid_transfer(CALL, "fallback", context="acme.example")
        ),
        b"sendmsg\ncall-command: unicast\nlocal-ip: 127.0.0.1\nlocal-port: 10002\nremote-ip: 127.0.0.1\n"
        b"remote-port: 10000\ntransport: udp\nflags: native\n\n": commands.unicast(
            "127.0.0.1", 10002, "127.0.0.1", 10000, native=True
        ),
        f"sendmsg\ncall-command: execute\nexecute-app-name: playback\nexecute-app-arg: tone_stream://%(300,0,440)\n"
        f"event-lock: true\nEvent-UUID: {OTHER}\n\n".encode(): commands.execute(
            "playback", "tone_stream://%(300,0,440)", event_uuid=OTHER
        ),
        f"api uuid_audio_fork {CALL} start ws://h:1/t mono 8000 secretary '' true true 16000\n\n".encode(): (
            commands.audio_fork_start(CALL, "ws://h:1/t", return_rate=16000)
        ),
    }
    for expected, command in wire.items():
        assert command.wire() == expected


def test_custom_needs_its_subclasses() -> None:
    """`event json CUSTOM` alone would deliver nothing."""
    with pytest.raises(CommandRefused):
        commands.events(["CUSTOM"])
    with pytest.raises(CommandRefused):
        commands.events()


def test_only_api_commands_run_in_the_background_or_later() -> None:
    with pytest.raises(CommandRefused):
        commands.connect().background(OTHER)
    with pytest.raises(CommandRefused):
        commands.sched_api(1, "g", commands.exit_())


def test_the_password_is_not_shown() -> None:
    assert "lab-secret" not in repr(commands.auth("lab-secret")) and commands.auth("lab-secret").name == "auth"


def test_names_for_logs() -> None:
    """An error names the command, never its arguments."""
    assert commands.uuid_setvar(CALL, "a", "secret").name == "uuid_setvar"
    assert commands.execute("playback", "x", event_uuid=OTHER).name == "playback"
    assert commands.hangup().name == "hangup"
