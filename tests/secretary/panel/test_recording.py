"""Recordings over HTTP: the whole, a part, and never a file that the row does not name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connections
from django.test import AsyncClient, Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from secretary.models import Call
from secretary.panel.audio import byte_range, stored_file
from tenants.context import tenant_context
from tests.secretary.panel.cast import Cast, assemble


@pytest.fixture
def address(cast: Cast) -> str:
    return reverse("panel:recording", args=[cast.acme.domain.pk, cast.acme.objects["call_uuid"]])


@pytest.fixture
def sound(cast: Cast, data_dir: Path) -> bytes:
    return (data_dir / "acme" / "call.wav").read_bytes()


def body(response: object) -> bytes:
    return b"".join(response.streaming_content)  # type: ignore[attr-defined]


def test_whole(address: str, sound: bytes, alice: Client) -> None:
    """Without a range: the file, its length, and that ranges are taken."""
    response = alice.get(address)
    assert response.status_code == 200 and body(response) == sound
    assert response["Content-Type"] == "audio/wav"
    assert response["Accept-Ranges"] == "bytes" and response["Content-Length"] == str(len(sound))
    assert response["Cache-Control"].startswith("private") and response["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("0-", 0, None),
        ("0-0", 0, 0),
        ("100-299", 100, 299),
        ("500-", 500, None),
        ("-44", -44, None),
        ("0-99999999", 0, None),
    ],
)
def test_part(asked: str, first: int, last: int | None, address: str, sound: bytes, alice: Client) -> None:
    """A range gives exactly its bytes as 206, and says which they are."""
    size = len(sound)
    begin = first if first >= 0 else size + first
    end = last if last is not None else size - 1
    response = alice.get(address, headers={"Range": f"bytes={asked}"})
    assert response.status_code == 206 and body(response) == sound[begin : end + 1]
    assert response["Content-Range"] == f"bytes {begin}-{end}/{size}"
    assert response["Content-Length"] == str(end - begin + 1)


@pytest.mark.parametrize("asked", ["bytes=64100-", "bytes=999999999999-", "bytes=-0"])
def test_behind_the_end(asked: str, address: str, sound: bytes, alice: Client) -> None:
    """416 with the size."""
    response = alice.get(address, headers={"Range": asked})
    assert response.status_code == 416 and response["Content-Range"] == f"bytes */{len(sound)}"


@pytest.mark.parametrize("asked", ["", "bytes=5-2", "bytes=-", "bytes=a-b", "items=0-5", "bytes=0-1,3-5", "x=\xb2-"])
def test_senseless_range(asked: str, address: str, sound: bytes, alice: Client) -> None:
    """A range that means nothing is ignored, as RFC 9110 allows: the whole comes."""
    response = alice.get(address, headers={"Range": asked})
    assert response.status_code == 200 and body(response) == sound


def test_changed_meanwhile(address: str, sound: bytes, alice: Client) -> None:
    """If-Range with the current tag gives the part; with another one the whole."""
    tag = alice.get(address)["ETag"]
    assert alice.get(address, headers={"Range": "bytes=0-9", "If-Range": tag}).status_code == 206
    assert alice.get(address, headers={"Range": "bytes=0-9", "If-Range": '"old"'}).status_code == 200


def test_head(address: str, sound: bytes, alice: Client) -> None:
    """HEAD tells the length and sends nothing."""
    response = alice.head(address)
    assert response.status_code == 200 and response["Content-Length"] == str(len(sound))
    assert not response.content


@pytest.mark.parametrize(
    "path",
    [
        "",
        "acme/gone.wav",
        "../secret.wav",
        "acme/../../secret.wav",
        "/etc/passwd",
        "acme",
        "acme/link.wav",
        "acme/notes.txt",
        "acme/call.wav\0.txt",
        "//acme/call.wav",
    ],
)
def test_never_another_file(path: str, address: str, data_dir: Path, cast: Cast, alice: Client) -> None:
    """A row that names nothing, no sound, or something outside the folder of data (also by a link) plays nothing."""
    (data_dir.parent / "secret.wav").write_bytes(b"RIFF secret")
    (data_dir / "acme" / "link.wav").symlink_to(data_dir.parent / "secret.wav")
    (data_dir / "acme" / "notes.txt").write_text("no sound")
    assert stored_file(path) is None
    if "\0" not in path:  # PostgreSQL stores none
        with tenant_context(cast.acme.domain.pk):
            Call.objects.update(recording=path)
        assert alice.get(address).status_code == 404
        page = alice.get(address.removesuffix("recording"))
        assert page.status_code == 200 and b"<audio" not in page.content


@given(st.text(max_size=40), st.integers(0, 10**6))
def test_any_header(header: str, size: int) -> None:
    """Whatever the header says, a range lies inside the file, or there is none."""
    for text in (header, f"bytes={header}"):
        try:
            found = byte_range(text, size)
        except ValueError:
            continue
        assert found is None or 0 <= found[0] <= found[1] < size


@pytest.mark.django_db(transaction=True)
async def test_asynchronous_server(data_dir: Path) -> None:
    """Under ASGI the file is sent in blocks as it is read, and closed."""
    cast = await sync_to_async(assemble)(data_dir)
    client = AsyncClient()
    await client.aforce_login(cast.people["admin"])
    address = reverse("panel:recording", args=[cast.acme.domain.pk, cast.acme.objects["call_uuid"]])
    response: Any = await client.get(address, headers={"Range": "bytes=10-"})
    assert response.status_code == 206 and response.is_async
    got = b"".join([block async for block in response.streaming_content])
    assert got == (data_dir / "acme" / "call.wav").read_bytes()[10:]
    # The thread that served the request keeps its connection otherwise, and the test database could not be dropped.
    await sync_to_async(connections.close_all)()
