"""A database for the length of a benchmark: made, migrated, filled, dropped."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlsplit, urlunsplit

import psycopg
from django.conf import settings
from psycopg import sql

from secretary.bench.api_fill import CALLS, EMPTY, LEFT_BEHIND

MANAGE: Final = Path(settings.BASE_DIR) / "manage.py"
LIMITS: Final = {"API_INSTALLATION_RATE": "1000000000", "LOG_LEVEL": "WARNING", "HTTPS_ONLY": "false"}


@dataclass(frozen=True, slots=True)
class Calls:
    count: int


class ScratchDatabase:
    """`with ScratchDatabase() as database`. Raises RuntimeError where the role may make none."""

    def __init__(self) -> None:
        self.url = urlsplit(settings.DATABASE_URL)
        self.name = f"{self.url.path.removeprefix('/')}_bench_api"[:63]
        mine = self.url._replace(path=f"/{self.name}")
        keys = ",".join(settings.FIELD_ENCRYPTION_KEYS)
        given = {"SECRET_KEY": settings.SECRET_KEY, "FIELD_ENCRYPTION_KEYS": keys, "REDIS_URL": settings.REDIS_URL}
        # What came from files has been read already; a variable and its file at once would be refused.
        names = {"DATABASE_URL", *given, *LIMITS}
        rest = {name: value for name, value in os.environ.items() if name.removesuffix("_FILE") not in names}
        self.environment = {**rest, **given, **LIMITS, "DATABASE_URL": urlunsplit(mine)}

    def __enter__(self) -> Self:
        try:
            self._drop()
            self._admin(sql.SQL("create database {}").format(sql.Identifier(self.name)))
        except psycopg.errors.InsufficientPrivilege as error:
            raise RuntimeError(
                "The database role may not make a database for the benchmark. Run it on throwaway servers:"
                " python -m secretary.embedded run python manage.py bench api"
            ) from error
        except psycopg.Error as error:
            raise RuntimeError(f"The database: {str(error).strip()}") from error
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._drop()

    def migrate(self) -> None:
        self._manage("migrate", "--verbosity", "0")

    def key(self) -> str:
        """A key to the installation."""
        return self._manage("api_key", "bench").strip().splitlines()[-1]

    def fill_calls(self, count: int) -> Calls:
        """Write calls for the secretaries that are there, and what they left behind.

        COPY is not possible through row-level security.
        """
        with psycopg.connect(self.environment["DATABASE_URL"], autocommit=True) as connection:
            with connection.transaction(), connection.cursor() as cursor:
                cursor.execute(
                    "select set_config('app.platform', 'on', true), set_config('statement_timeout', '0', true)"
                )
                cursor.execute("select count(*) from secretary_secretary")
                row = cursor.fetchone()
                values: dict[str, Any] = {"secretaries": row[0] if row else 0, "calls": count}
                cursor.execute(self._filling(cursor, *CALLS), values)
                done = cursor.rowcount
                for table, statement in LEFT_BEHIND:
                    cursor.execute(self._filling(cursor, table, statement), {})
            connection.execute("analyze")
        return Calls(done)

    def _filling(self, cursor: psycopg.Cursor[Any], table: str, statement: str) -> sql.SQL:
        """The statement, with an empty value for whatever column the table has gained since."""
        cursor.execute(
            "select column_name, data_type from information_schema.columns where table_name = %s"
            " and table_schema = current_schema() and is_nullable = 'NO' and column_default is null",
            [table],
        )
        named = set(statement.partition("(")[2].partition("{more_columns}")[0].replace(",", " ").split())
        more = [(name, kind) for name, kind in cursor.fetchall() if name not in named]
        columns = "".join(f", {name}" for name, _ in more)
        values = "".join(f", {EMPTY.get(kind, chr(39) * 2)}" for _, kind in more)
        return sql.SQL(statement.format(more_columns=columns, more_values=values))

    def _drop(self) -> None:
        self._admin(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(self.name)))

    def _admin(self, statement: sql.Composed) -> None:
        with psycopg.connect(settings.DATABASE_URL, autocommit=True) as connection:
            connection.execute(statement)

    def _manage(self, *arguments: str) -> str:
        command = [sys.executable, str(MANAGE), *arguments]
        done = subprocess.run(  # noqa: S603
            command, cwd=settings.BASE_DIR, env=self.environment, capture_output=True, text=True, timeout=120
        )
        if done.returncode:
            raise RuntimeError(f"manage.py {arguments[0]}: {done.stderr[-1000:]}")
        return done.stdout
