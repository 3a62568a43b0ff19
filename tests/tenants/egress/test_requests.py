"""Requests over real sockets, by threads and by asyncio: what comes back, and what is not let out or not waited for."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import ssl
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tenants.egress import EgressError, Limits, Response, aio, client
from tenants.egress.policy import EgressPolicy, parse_allowed
from tests.receiver import Receiver, answer, drip, raw, receiving, silence

Send = Callable[..., Response]
QUICK = Limits(connect_s=0.5, total_s=0.6, max_body=1000)


def by_thread(method: str, url: str, resolved: Sequence[str] | None = None, **more: Any) -> Response:
    resolve = client.system_resolve if resolved is None else lambda host, port: resolved
    return client.request(method, url, resolve=resolve, **more)


def by_asyncio(method: str, url: str, resolved: Sequence[str] | None = None, **more: Any) -> Response:
    async def resolve(host: str, port: int) -> Sequence[str]:
        assert resolved is not None
        return resolved

    return asyncio.run(aio.request(method, url, resolve=aio.system_resolve if resolved is None else resolve, **more))


@pytest.fixture(params=[by_thread, by_asyncio], ids=["threads", "asyncio"])
def send(request: pytest.FixtureRequest) -> Send:
    chosen: Send = request.param
    return chosen


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as running:
        yield running


def open_for(*receivers: Receiver, ca_file: str = "") -> EgressPolicy:
    return EgressPolicy(
        frozenset({80, 443}), parse_allowed([f"127.0.0.1:{one.port}" for one in receivers]), ca_file=ca_file
    )


def failure(send: Send, *args: Any, **more: Any) -> str:
    with pytest.raises(EgressError) as caught:
        send(*args, **more)
    assert "127.0.0.1" not in str(caught.value)
    return caught.value.reason


def test_post(send: Send, receiver: Receiver) -> None:
    """Method, path, headers and body arrive; status, headers and body come back."""
    receiver.then(answer(201, b"made", ["X-Id: 7"]))
    response = send(
        "POST", receiver.url("/a?b=c"), headers={"X-A": "1"}, body=b"{}", policy=open_for(receiver), limits=QUICK
    )
    assert (response.status, response.body, response.headers["x-id"], response.cut) == (201, b"made", "7", False)
    [got] = receiver.received
    assert (got.method, got.path, got.body, got.headers["x-a"]) == ("POST", "/a?b=c", b"{}", "1")
    assert got.headers["host"] == f"127.0.0.1:{receiver.port}"


@pytest.mark.parametrize("name", ["Host", "content-length", "Transfer-Encoding", "Connection"])
def test_our_headers(send: Send, receiver: Receiver, name: str) -> None:
    """Nobody sets the headers that decide where a request ends or whom it is for."""
    with pytest.raises(ValueError):
        send("POST", receiver.url(), headers={name: "1"}, policy=open_for(receiver))
    with pytest.raises(ValueError):
        send("POST", receiver.url(), headers={"X-A": "1\r\nX-B: 2"}, policy=open_for(receiver))
    assert receiver.connections == 0


def test_nothing_inside_is_reached(send: Send, receiver: Receiver) -> None:
    """Without the operator's word no connection to this machine is even begun, by address or by name."""
    policy = EgressPolicy(frozenset({receiver.port}))
    for host in ("127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "127。0。0。1"):
        assert failure(send, "GET", f"http://{host}:{receiver.port}/", policy=policy) == "address"
    assert failure(send, "GET", f"http://hook.example:{receiver.port}/", ["127.0.0.1"], policy=policy) == "address"
    assert receiver.connections == 0


def test_rebinding(send: Send, receiver: Receiver) -> None:
    """The name is asked for once; a second answer, whatever it would be, is never heard."""
    answers = [["127.0.0.1"], ["10.0.0.1"], ["10.0.0.1"]]
    asked: list[str] = []

    class Shifting(list[str]):
        """Gives another address each time it is looked at anew, as a hostile name server would."""

        def __iter__(self) -> Iterator[str]:
            asked.append("once")
            return iter(answers.pop(0))

    url = f"http://hook.example:{receiver.port}/"
    assert send("GET", url, Shifting(), policy=open_for(receiver), limits=QUICK).status == 200
    assert asked == ["once"]
    assert receiver.received[0].headers["host"] == f"hook.example:{receiver.port}"


def test_redirects_are_not_followed(send: Send, receiver: Receiver) -> None:
    """A redirect to an internal address is an answer like any other."""
    with receiving() as inside:
        receiver.then(answer(302, b"", [f"Location: {inside.url('/admin')}"]))
        response = send("POST", receiver.url(), policy=open_for(receiver), limits=QUICK)
        assert response.status == 302 and inside.connections == 0


def test_second_address(send: Send, receiver: Receiver) -> None:
    """Where the first address does not answer, the next one is tried."""
    policy = EgressPolicy(frozenset({receiver.port}), parse_allowed(["127.0.0.0/8"]))
    url = f"http://hook.example:{receiver.port}/"
    assert send("GET", url, ["127.0.0.2", "127.0.0.1"], policy=policy, limits=QUICK).status == 200
    assert failure(send, "GET", url, ["127.0.0.2", "127.0.0.3"], policy=policy, limits=QUICK) == "connect"


def test_no_address(send: Send) -> None:
    """A name that does not exist."""
    assert failure(send, "GET", "http://hook.example/", [], policy=EgressPolicy(frozenset({80}))) == "resolve"


SLOW = {
    "silence": silence(),
    "a head that never ends": drip(b"HTTP/1.1 200 OK\r\nX: ", b"y"),
    "a body that never ends": drip(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n", b"y"),
    "chunks that never end": drip(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\ny\r\n"),
}


@pytest.mark.parametrize("how", SLOW)
def test_slow(send: Send, receiver: Receiver, how: str) -> None:
    """The time is up when it is up, however alive the receiver is."""
    receiver.then(SLOW[how])
    begun = time.monotonic()
    assert failure(send, "GET", receiver.url(), policy=open_for(receiver), limits=QUICK) == "timeout"
    assert time.monotonic() - begun < 2


def test_slow_handshake(send: Send, receiver: Receiver) -> None:
    """A receiver that takes the connection and says nothing of TLS."""
    begun = time.monotonic()
    with receiving(silence()) as plain:
        reason = failure(send, "GET", plain.url(scheme="https"), policy=open_for(plain), limits=QUICK)
    assert reason in ("timeout", "tls") and time.monotonic() - begun < 2


def test_slow_name_server() -> None:
    """A name server that is a tenant's own may take as long as it likes; we do not."""
    begun = time.monotonic()
    with pytest.raises(EgressError) as caught:
        client.request(
            "GET",
            "http://hook.example/",
            resolve=lambda host, port: time.sleep(3) or [],  # type: ignore[func-returns-value]
            policy=EgressPolicy(frozenset({80})),
            limits=Limits(total_s=0.2),
        )
    assert caught.value.reason == "timeout" and time.monotonic() - begun < 1


def test_big_body(send: Send, receiver: Receiver) -> None:
    """A body beyond the limit is an error, or is cut where the caller wants only its beginning."""
    receiver.then(answer(200, b"x" * 5_000_000))
    policy = open_for(receiver)
    assert failure(send, "GET", receiver.url(), policy=policy, limits=Limits(max_body=1000)) == "too_large"
    response = send("GET", receiver.url(), policy=policy, limits=Limits(max_body=1000, cut=True))
    assert response.body == b"x" * 1000 and response.cut
    receiver.then(answer(200, b"x" * 1000))
    assert not send("GET", receiver.url(), policy=policy, limits=Limits(max_body=1000)).cut


def test_nothing_is_unpacked(send: Send, receiver: Receiver) -> None:
    """A compressed body, which nobody asked for, stays what it is."""
    receiver.then(answer(200, b"\x1f\x8b bomb", ["Content-Encoding: gzip"]))
    response = send("GET", receiver.url(), policy=open_for(receiver), limits=QUICK)
    assert response.body == b"\x1f\x8b bomb" and "accept-encoding" not in receiver.received[0].headers


BROKEN = {
    "nothing": raw(b""),
    "no HTTP": raw(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"),
    "a body cut short": raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"),
    "two lengths": raw(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\na"),
    "a huge head": raw(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000),
    "another protocol": raw(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"),
    "interim answers without end": raw(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 50),
}


@pytest.mark.parametrize("how", BROKEN)
def test_broken(send: Send, receiver: Receiver, how: str) -> None:
    """What is no whole HTTP answer is told as that."""
    receiver.then(BROKEN[how])
    assert failure(send, "POST", receiver.url(), body=b"x", policy=open_for(receiver), limits=QUICK) == "protocol"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-made authority's certificate for hook.example and 127.0.0.1, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hook.example")])
    names = [x509.DNSName("hook.example"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    plain = serialization.NoEncryption()
    pem = serialization.Encoding.PEM
    path.write_bytes(made.public_bytes(pem) + key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
    return path


def test_tls(send: Send, certificate: Path) -> None:
    """The certificate is for the name, though the connection goes to a pinned address; another name is refused."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate)
    asked: list[str | None] = []
    server.sni_callback = lambda _socket, name, _context: asked.append(name)
    with receiving(tls=server) as secure:
        trusting = open_for(secure, ca_file=str(certificate))
        url = f"https://hook.example:{secure.port}/"
        assert send("GET", url, ["127.0.0.1"], policy=trusting, limits=QUICK).status == 200
        assert asked == ["hook.example"]
        assert send("GET", secure.url(scheme="https"), policy=trusting, limits=QUICK).status == 200
        other = f"https://other.example:{secure.port}/"
        assert failure(send, "GET", other, ["127.0.0.1"], policy=trusting, limits=QUICK) == "tls"
        assert failure(send, "GET", url, ["127.0.0.1"], policy=open_for(secure), limits=QUICK) == "tls"
        assert len(secure.received) == 2
