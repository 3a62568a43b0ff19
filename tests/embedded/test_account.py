"""Whom the servers run as, and that no foreign folder's permissions change for it."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from secretary.embedded.account import Account, can, own_folder, reachable_home, runnable, service_account
from secretary.embedded.errors import EmbeddedError

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root can run servers as somebody else")


def test_ordinary_user_runs_the_servers_as_himself(monkeypatch: pytest.MonkeyPatch) -> None:
    """No other account is involved."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert service_account() is None


def test_user_id_without_a_name_is_told_what_to_do() -> None:
    """PostgreSQL's own message (`could not look up effective user ID`) helps nobody."""
    with pytest.raises(EmbeddedError, match="DATABASE_URL"):
        Account.of_uid(3_999_999_999)


@root_only
def test_owner_of_an_existing_cluster_goes_on_owning_it(open_folder: Path) -> None:
    """A PostgreSQL package that was installed later brings an account that cannot read it."""
    own_folder(open_folder / "postgres", Account("nobody", 65534, 65534))
    account = service_account(open_folder / "postgres")
    assert account is not None and account.name == "nobody"


@root_only
def test_closed_parent_is_left_closed(open_folder: Path) -> None:
    """A checkout under /root: the servers' data goes elsewhere, and /root stays as it is."""
    closed = open_folder / "root"
    closed.mkdir(mode=0o700)
    account = service_account()
    home = reachable_home(closed / "project" / "var", account)
    try:
        assert not home.is_relative_to(closed)
        assert can(account, "-x", home)
        assert stat.S_IMODE(closed.stat().st_mode) == 0o700
        assert reachable_home(closed / "project" / "var", account) == home
    finally:
        home.rmdir()


@root_only
def test_unreachable_program_is_copied(open_folder: Path) -> None:
    """The environment's servers lie under a closed folder, too."""
    closed = open_folder / "root"
    closed.mkdir(mode=0o700)
    program = closed / "true"
    program.write_bytes(Path("/bin/true").read_bytes())
    program.chmod(0o755)
    account = service_account()
    copy = runnable(program, account, open_folder)
    assert copy != program and can(account, "-x", copy)
    assert runnable(program, account, open_folder) == copy


def test_open_folder_is_used_as_it_is(open_folder: Path) -> None:
    """The usual case: everything stays in the project's own folder."""
    assert reachable_home(open_folder / "var", service_account()) == open_folder / "var"
