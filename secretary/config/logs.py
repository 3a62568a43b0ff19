"""Logging: structlog in front, the standard library behind, one line per event, as text or JSON.

`call_uuid` and `domain` come from context variables: bound once at the edge of a call, a task or a tenant context,
they are on every line that is written inside.
"""

from __future__ import annotations

from io import StringIO
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor

SHARED: tuple[Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.ExtraAdder(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
)


def harmless(text: str) -> str:
    """Control characters escaped, those of Unicode included (U+0085, U+2028, the terminals' C1)."""
    return text if text.isprintable() else "".join(map(_escaped, text))


def _escaped(letter: str) -> str:
    return letter if letter.isprintable() else letter.encode("unicode_escape").decode()


def one_line(logger: object, method: str, event: EventDict) -> EventDict:
    """Escape control characters in all text of an event, so that nobody's name can forge a line of the log, or tell a
    terminal anything. Tracebacks keep their lines."""
    for name, value in event.items():
        if isinstance(value, str) and name not in ("exception", "stack"):
            event[name] = harmless(value)
    event["event"] = harmless(str(event["event"]))
    return event


def indented_traceback(out: TextIO, exc_info: Any) -> None:
    """A traceback whose lines cannot be taken for lines of the log, whatever the exception's text is."""
    plain = StringIO()
    structlog.dev.plain_traceback(plain, exc_info)
    out.write("\n".join(f"    {harmless(line)}" for line in plain.getvalue().splitlines()))


def logging_config(*, level: str, form: str) -> dict[str, Any]:
    """The `LOGGING` dictionary; `form` is `console` or `json`. Also configures structlog itself."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *SHARED[:3],
            structlog.stdlib.PositionalArgumentsFormatter(),
            *SHARED[4:],
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    render: list[Processor]
    if form == "json":
        # Without the frames' local variables, which hold passwords and what callers said.
        tracebacks = structlog.processors.ExceptionRenderer(
            structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
        )
        render = [tracebacks, structlog.processors.JSONRenderer()]
    else:
        render = [one_line, structlog.dev.ConsoleRenderer(colors=False, exception_formatter=indented_traceback)]
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {
                "()": structlog.stdlib.ProcessorFormatter,
                "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *render],
                "foreign_pre_chain": list(SHARED),
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # Its own handler would write every line a second time.
            "django": {"handlers": [], "level": level, "propagate": True},
            "django.server": {"handlers": [], "level": level, "propagate": True},
            # One line per HTTP request at INFO, one per frame at DEBUG: both too much.
            "daphne": {"level": "WARNING"},
            "websockets": {"level": "WARNING"},
            # One line per request to a speech service, with its whole address.
            "httpx": {"level": "WARNING"},
            "httpcore": {"level": "WARNING"},
            # Two lines for each task, sweeps included; what a job did is logged by whoever ran it, failures anyway.
            "celery.worker.strategy": {"level": "WARNING"},
            "celery.app.trace": {"level": "WARNING"},
            "celery.beat": {"level": "WARNING"},
            "asyncio": {"level": "WARNING"},
        },
    }
