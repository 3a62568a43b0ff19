"""A token opens one connection, for one call of one domain, soon or never."""

from __future__ import annotations

import pytest

from eslbridge.media.tokens import TokenBook, TokenRefusedError

ACME = {"call_uuid": "a0000000-0000-4000-8000-000000000001", "domain_uuid": "d0000000-0000-4000-8000-00000000000a"}
GLOBEX = {"call_uuid": "b0000000-0000-4000-8000-000000000001", "domain_uuid": "d0000000-0000-4000-8000-00000000000b"}


@pytest.fixture
def book():
    return TokenBook()


def refused(book, token, now=1.0, **claim):
    with pytest.raises(TokenRefusedError) as error:
        book.redeem(token, now, **claim)
    return error.value.why


def test_a_token_opens_its_call_once(book):
    """The second time it is used up, also within its life."""
    token = book.issue(**ACME, leg="leg", now=0)
    assert len(token) == 43
    grant = book.redeem(token, 1.0, **ACME)
    assert (grant.leg, grant.call_uuid, grant.domain_uuid) == ("leg", ACME["call_uuid"], ACME["domain_uuid"])
    assert refused(book, token) == "used"


def test_an_expired_token_opens_nothing(book):
    """After its life, whoever presents it."""
    token = book.issue(**ACME, leg=None, now=0, ttl_s=10)
    assert refused(book, token, 10.0) == "expired"
    assert refused(book, token, 5.0) == "used"


@pytest.mark.parametrize("token", ["", "x", "A" * 43, "../../etc/passwd", "\udce9\udcff", "a" * 5000])
def test_an_unknown_token_opens_nothing(book, token):
    """Whatever is in it."""
    book.issue(**ACME, leg=None, now=0)
    assert refused(book, token) == "unknown"


@pytest.mark.parametrize(
    "claim",
    [GLOBEX, {"call_uuid": GLOBEX["call_uuid"]}, {"domain_uuid": GLOBEX["domain_uuid"]}, {"call_uuid": ""}],
)
def test_the_token_of_one_tenant_does_not_open_a_call_of_another(book, claim):
    """Acme's token with globex's call is refused, and is spent by the attempt."""
    token = book.issue(**ACME, leg=None, now=0)
    assert refused(book, token, **claim) == "foreign"
    assert refused(book, token, **ACME) == "used"


def test_nothing_of_the_token_itself_is_kept(book):
    """Whoever reads the memory learns no token."""
    token = book.issue(**ACME, leg=None, now=0)
    assert all(token.encode() not in digest for digest in book._grants)


def test_tokens_do_not_pile_up(book):
    """What was never used is forgotten a minute after it expired."""
    for n in range(1000):
        book.issue(**ACME, leg=None, now=n, ttl_s=1)
    assert len(book) < 70


def test_a_revoked_token_is_unknown(book):
    """The call ended before the switch connected."""
    token = book.issue(**ACME, leg=None, now=0)
    book.revoke(token)
    book.revoke(token)
    assert refused(book, token) == "unknown"


@pytest.mark.parametrize("ttl_s", [0, -1, 61])
def test_a_token_lives_for_a_minute_at_most(book, ttl_s):
    """A longer life is a programming error."""
    with pytest.raises(ValueError, match="60 s"):
        book.issue(**ACME, leg=None, now=0, ttl_s=ttl_s)
