"""Arguments are split as FreeSWITCH splits them, so that our quoting is put to the test."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eslbridge.esl import commands
from eslbridge.esl.command import quoted
from eslbridge.simulator import StandInSwitch
from eslbridge.simulator.arguments import separate
from eslbridge.simulator.originate import parse
from tests.eslbridge.simulator.node import Wire


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a  b", ["a", "b"]),
        ("a 'b c' d", ["a", "b c", "d"]),
        (r"a b\'c", ["a", "b'c"]),
        (r"x\sy 'it\'s' ", ["x y", "it's"]),
        ("don't", ["don't"]),
        ("", []),
        ("   ", []),
    ],
)
def test_separate(text: str, words: list[str]) -> None:
    """Spaces part words, single quotes hold them together, a backslash takes the next one literally."""
    assert separate(text) == words


def test_the_last_word_takes_the_rest() -> None:
    """A limit on the words leaves the rest of the line in the last one."""
    assert separate("u name a value of words", 3) == ["u", "name", "a value of words"]


@given(st.text(alphabet="ab '\\\"ç{}:,", min_size=1, max_size=30).map(str.strip).filter(bool))
def test_what_the_product_quotes_comes_back(value: str) -> None:
    """The command builder's quoting survives the switch's splitting."""
    assert separate(f"uuid name {quoted(value)}", 3) == ["uuid", "name", value]


@given(st.text(alphabet="ab ',\\=ç\"n", min_size=1, max_size=20).filter(lambda text: text.strip() == text))
def test_what_the_product_originates_with_comes_back(value: str) -> None:
    """A variable of `originate` survives the three splittings on its way."""
    line = commands.originate("user/1001@acme.example", variables={"note": value, "b": "2"}).line
    dial, target = separate(line.removeprefix("api originate "))
    (one,) = parse(dial)
    assert (one.endpoint, one.variables) == ("user/1001@acme.example", {"note": value, "b": "2"})
    assert target == "&park()"


async def test_heartbeat(switch: StandInSwitch) -> None:
    """One every 20 s of the switch's clock."""
    wire = await Wire.login(switch.port)
    await wire.ask("event plain HEARTBEAT")
    assert (await wire.event("HEARTBEAT"))["Event-Info"] == "System Ready"
