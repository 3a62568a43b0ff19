"""One line per event, with call and domain on it, whoever wrote it."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from io import StringIO

import pytest
import structlog

from secretary.config.logs import logging_config


@pytest.fixture(params=["json"])
def lines(request: pytest.FixtureRequest) -> Iterator[StringIO]:
    """A handler as LOG_FORMAT (json, unless a test says otherwise) makes it, writing here."""
    config = logging_config(level="INFO", form=request.param)
    formatter = config["formatters"]["line"]
    handler = logging.StreamHandler(out := StringIO())
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=formatter["processors"], foreign_pre_chain=formatter["foreign_pre_chain"]
        )
    )
    logger = logging.getLogger("secretary.test")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield out
    logger.removeHandler(handler)


def test_call_and_domain_on_every_line(lines: StringIO) -> None:
    """Bound once, they are on structlog's lines and on the standard library's."""
    with structlog.contextvars.bound_contextvars(call_uuid="c-1", domain="d-1"):
        structlog.get_logger("secretary.test").info("call.answered", ms=12)
        logging.getLogger("secretary.test").info("from %s", "elsewhere")
    first, second = (json.loads(line) for line in lines.getvalue().splitlines())
    assert (first["event"], first["ms"], first["call_uuid"], first["domain"]) == ("call.answered", 12, "c-1", "d-1")
    assert (second["event"], second["call_uuid"], second["domain"]) == ("from elsewhere", "c-1", "d-1")
    assert first["level"] == "info" and first["timestamp"]


def test_hostile_text_stays_on_its_line(lines: StringIO) -> None:
    """A line break in a SIP name cannot forge a log line."""
    structlog.get_logger("secretary.test").info("call", caller='Eve\n{"event": "forged"}')
    [line] = lines.getvalue().splitlines()
    assert json.loads(line)["event"] == "call"


@pytest.mark.parametrize("lines", ["console"], indirect=True)
def test_hostile_text_stays_on_its_line_of_a_console(lines: StringIO) -> None:
    """Nor in text form: neither in a value nor in the message itself, and no terminal is told anything."""
    structlog.get_logger("secretary.test").info("a\nb", caller="Eve\nforged \x1b[31m")
    structlog.get_logger("secretary.test").info("c", extension="\x1b[31m", name="Eve\x85forged", other="x\u2028y")
    logging.getLogger("secretary.test").info("from\n%s", "x\ny\x1b")
    assert len(lines.getvalue().splitlines()) == 3
    assert "\x1b" not in lines.getvalue()


@pytest.mark.parametrize("lines", ["console"], indirect=True)
@pytest.mark.parametrize("hostile", ["\x1b[31mRED", "a\x9b2J", "x\u2028forged", "x\x85forged", "\x07", "a\rb"])
def test_control_characters_without_a_space(lines: StringIO, hostile: str) -> None:
    """Also where the renderer sees nothing to quote: in a value, in an exception's text."""
    structlog.get_logger("secretary.test").info("call", caller=hostile)
    logging.getLogger("secretary.test").info("call", extra={"agent": hostile})
    try:
        raise ValueError(f"{hostile}\n2026-01-01T00:00:00Z [info ] forged")
    except ValueError:
        structlog.get_logger("secretary.test").exception("failed")
    shown = lines.getvalue()
    assert "".join(shown.split("\n")).isprintable()
    assert not [line for line in shown.splitlines() if line.startswith("2026-01-01")]


@pytest.mark.parametrize("lines", ["console", "json"], indirect=True)
def test_tracebacks_show_no_variables(lines: StringIO) -> None:
    """What was in a function's variables, a password perhaps, does not get into the log."""
    password = "".join(["hun", "ter2"])
    try:
        raise ValueError(len(password))
    except ValueError:
        structlog.get_logger("secretary.test").exception("failed")
        logging.getLogger("secretary.test").exception("failed")
    assert "ValueError" in lines.getvalue()
    assert password not in lines.getvalue()


def test_exceptions_are_data(lines: StringIO) -> None:
    """A traceback is part of the line's JSON."""
    try:
        raise ValueError("broken")
    except ValueError:
        structlog.get_logger("secretary.test").exception("failed")
    [line] = lines.getvalue().splitlines()
    assert json.loads(line)["exception"][0]["exc_type"] == "ValueError"
