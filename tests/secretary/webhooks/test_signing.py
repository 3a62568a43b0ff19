"""Signatures: who has a secret can tell our messages from others."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secretary.webhooks import signing
from secretary.webhooks.signing import SignatureError, verify

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
OLD, NEW = signing.new_secret(), signing.new_secret()


def test_known_answer() -> None:
    """The example of the Standard Webhooks specification's reference libraries."""
    signature = signing.sign(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        message_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        timestamp=1614265330,
        body=b'{"test": 2432232314}',
    )
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@given(st.binary(max_size=200), st.uuids())
def test_round(body: bytes, message_id: object) -> None:
    """What is signed with either secret is accepted with either, within the tolerance."""
    sent = signing.headers([NEW, OLD], message_id=str(message_id), now=NOW, body=body)
    assert sent["webhook-signature"].count("v1,") == 2
    for secrets in ([NEW], [OLD], [signing.new_secret(), OLD]):
        for late in (-299, 0, 299):
            now = NOW + timedelta(seconds=late)
            assert verify(secrets, headers=sent, body=body, now=now) == str(message_id)


@given(st.binary(min_size=1, max_size=50), st.data())
def test_any_change_is_noticed(body: bytes, data: st.DataObject) -> None:
    """One changed byte of the body, another id or another time: refused."""
    sent = signing.headers([NEW], message_id="a", now=NOW, body=body)
    at = data.draw(st.integers(0, len(body) - 1))
    changed = body[:at] + bytes([body[at] ^ data.draw(st.integers(1, 255))]) + body[at + 1 :]
    stamp = str(int(sent["webhook-timestamp"]) + 1)
    for headers, received in (
        (sent, changed),
        ({**sent, "webhook-id": "b"}, body),
        ({**sent, "webhook-timestamp": stamp}, body),
    ):
        with pytest.raises(SignatureError):
            verify([NEW], headers=headers, body=received, now=NOW)


def test_refused() -> None:
    """Another secret, an old recording, a missing header, nonsense."""
    sent = signing.headers([NEW], message_id="a", now=NOW, body=b"{}")
    with pytest.raises(SignatureError, match="no signature matches"):
        verify([OLD], headers=sent, body=b"{}", now=NOW)
    for late in (-301, 301):
        with pytest.raises(SignatureError, match="too old or too new"):
            verify([NEW], headers=sent, body=b"{}", now=NOW + timedelta(seconds=late))
    for name in sent:
        with pytest.raises(SignatureError, match="missing"):
            verify([NEW], headers={key: value for key, value in sent.items() if key != name}, body=b"{}", now=NOW)
    for name, value in {"webhook-timestamp": "١٢", "webhook-signature": "v1,ü v2,x"}.items():
        with pytest.raises(SignatureError):
            verify([NEW], headers={**sent, name: value}, body=b"{}", now=NOW)
    with pytest.raises(SignatureError, match="the secret is none"):
        verify(["whsec_ü!"], headers=sent, body=b"{}", now=NOW)


def test_secrets_are_long_and_new() -> None:
    """256 bits, never the same."""
    made = {signing.new_secret() for _ in range(100)}
    assert len(made) == 100 and all(len(secret) == len("whsec_") + 44 for secret in made)
