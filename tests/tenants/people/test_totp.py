"""One-time passwords: the RFC's own figures, the window, replay."""

from __future__ import annotations

import base64
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenants.people import totp

SECRET = base64.b32encode(b"12345678901234567890").decode()


@pytest.mark.parametrize(
    ("at", "code"),
    [
        (59, "94287082"),
        (1111111109, "07081804"),
        (1111111111, "14050471"),
        (1234567890, "89005924"),
        (2000000000, "69279037"),
        (20000000000, "65353130"),
    ],
)
def test_rfc_6238(at: int, code: str) -> None:
    """Appendix B of RFC 6238 (its last six digits: the RFC's have eight)."""
    assert totp.code_at(SECRET, at // totp.STEP_S) == code[-6:]


@pytest.mark.parametrize(("steps", "fits"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_window(steps: int, fits: bool) -> None:
    """The code of the step before and after is accepted, of none further away."""
    now = 1_800_000_010.0
    code = totp.code_at(SECRET, int(now // 30) + steps)
    assert (totp.matching_step(SECRET, code, now=now) is not None) is fits


def test_used_steps_are_over() -> None:
    """A code that was accepted, or an older one, is not accepted again."""
    now = 1_800_000_000.0
    step = int(now // 30)
    code = totp.code_at(SECRET, step)
    assert totp.matching_step(SECRET, code, now=now, after=step - 1) == step
    assert totp.matching_step(SECRET, code, now=now, after=step) is None
    assert totp.matching_step(SECRET, totp.code_at(SECRET, step - 1), now=now, after=step) is None


@given(st.text(max_size=40))
def test_rubbish(typed: str) -> None:
    """Whatever is typed is judged, never an error; and what is no code of the moment does not fit."""
    codes = {totp.code_at(SECRET, step) for step in (59_999_999, 60_000_000, 60_000_001)}
    assert (totp.matching_step(SECRET, typed, now=1_800_000_000.0) is not None) is (typed in codes)


def test_uri() -> None:
    """An authenticator app reads issuer, account and secret; none of them can break out of its place."""
    uri = totp.uri(SECRET, account="al?ice&x=1@acme.example", issuer="Voice Secretary")
    parts = urlsplit(uri)
    assert (parts.scheme, parts.netloc) == ("otpauth", "totp")
    assert parse_qs(parts.query) == {
        "secret": [SECRET], "issuer": ["Voice Secretary"], "digits": ["6"], "period": ["30"],
    }  # fmt: skip
    assert len({totp.new_secret() for _ in range(100)}) == 100
