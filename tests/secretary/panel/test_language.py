"""Both languages: complete, compiled, and chosen by the person."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from django.conf import settings
from django.test import Client
from django.urls import reverse

from tests.secretary.panel.cast import Cast

CATALOGUE = Path(settings.BASE_DIR) / "locale" / "pt_BR" / "LC_MESSAGES" / "django.po"


def placeholders(text: str) -> list[str]:
    return sorted(part.split(")")[0] for part in text.split("%(")[1:])


def plain(value: object) -> object:
    """Singular and plural as a tuple, whichever sequence a reader of catalogues gives."""
    return tuple(value) if isinstance(value, (list, tuple)) else value


def test_everything_is_translated() -> None:
    """No message without a translation, none marked doubtful, and each keeps its placeholders."""
    with CATALOGUE.open("rb") as file:
        catalogue = read_po(file)
    assert catalogue.plural_forms.startswith("nplurals=2; plural=(n > 1)")
    for message in catalogue:
        if not message.id:
            continue
        ids = message.id if isinstance(message.id, tuple) else (message.id,)
        strings = message.string if isinstance(message.string, tuple) else (message.string,)
        assert all(strings), f"not translated: {message.id}"
        assert not message.fuzzy, f"doubtful: {message.id}"
        for string in strings:
            assert placeholders(str(string)) == placeholders(str(ids[-1])), message.id


def test_compiled_catalogue_is_current() -> None:
    """The .mo holds exactly what the .po says."""
    with CATALOGUE.open("rb") as source, CATALOGUE.with_suffix(".mo").open("rb") as compiled:
        expected, found = (
            {plain(message.id): plain(message.string) for message in catalogue if message.id}
            for catalogue in (read_po(source), read_mo(compiled))
        )
    assert found == expected


def test_no_message_is_missing(tmp_path: Path) -> None:
    """Every marked text of code and templates is in the catalogue. Wants GNU gettext's xgettext."""
    from shutil import copytree, which

    if which("xgettext") is None:
        pytest.skip("xgettext (Debian's gettext) is not installed")
    root = Path(settings.BASE_DIR)
    for name in ("secretary", "tenants", "eslbridge", "templates", "locale"):
        copytree(root / name, tmp_path / name, ignore=lambda _folder, names: [n for n in names if n == "__pycache__"])
    subprocess.run(
        [sys.executable, "-m", "django", "makemessages", "--locale=pt_BR", "--no-location", "--no-obsolete", "-v0"],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
        check=True,
        timeout=120,
    )
    with (tmp_path / CATALOGUE.relative_to(root)).open("rb") as fresh, CATALOGUE.open("rb") as kept:
        wanted = {message.id for message in read_po(fresh)}
        there = {message.id for message in read_po(kept)}
    assert wanted - there == set(), "run script/manage makemessages -l pt_BR --no-location --no-obsolete, and translate"


def test_choosing_a_language(cast: Cast, alice: Client) -> None:
    """The menu's choice is kept and leads back to the page; the browser's wish decides until then."""
    home = reverse("panel:home", args=[cast.acme.domain.pk])
    assert "Latest calls" in alice.get(home).content.decode()
    assert "Últimas chamadas" in alice.get(home, headers={"Accept-Language": "pt-BR,pt;q=0.9"}).content.decode()
    response = alice.post(reverse("set_language"), {"language": "pt-br", "next": home})
    assert response["Location"] == home
    page = alice.get(home).content.decode()
    assert "Últimas chamadas" in page and 'lang="pt-br"' in page


def test_numbers_in_drawings_stay_plain(cast: Cast, alice: Client) -> None:
    """Portuguese writes 1,5 in text; in SVG and data attributes it must remain 1.5, or nothing is drawn."""
    address = reverse("panel:call", args=[cast.acme.domain.pk, cast.acme.objects["call_uuid"]])
    page = alice.get(address, headers={"Accept-Language": "pt-BR"}).content.decode()
    drawn = re.findall(r' (?:x|width|data-start|data-end|data-seek|data-lanes)="([^"]*)"', page)
    assert any("." in value for value in drawn)
    assert [value for value in drawn if not re.fullmatch(r"-?\d+(\.\d+)?", value)] == []


def test_refusals_in_portuguese(cast: Cast, alice: Client) -> None:
    """Also what a service says about a collision."""
    response = alice.post(
        reverse("panel:destination-new", args=[cast.acme.domain.pk]),
        {"name": "acme sales", "kind": "extension", "number": "1002", "priority": "0"},
        headers={"Accept-Language": "pt-BR"},
    )
    assert "“acme sales” já leva a “acme sales”" in response.content.decode()
