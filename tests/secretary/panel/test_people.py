"""People of a domain, as an administrator and as the invited person meet it; and the operator's view."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries, Settings

from secretary.models import Destination
from secretary.selectors.own import own_destinations
from tenants.context import platform_context, tenant_context
from tenants.models import Domain, Invitation, Member
from tenants.services import add_member, create_domain
from tests.secretary.panel.cast import PASSWORD, Cast

NEW = "quite a long password"


def text(response: Any) -> str:
    return unescape(response.content.decode())


def address(cast: Cast, name: str, *args: object) -> str:
    return reverse(f"panel:{name}", args=[cast.acme.domain.pk, *args])


def invite(client: Client, cast: Cast, email: str = "nora@acme.example", role: str = "agent") -> str:
    """Invite; gives the link's path, as shown where there is no mail server."""
    page = text(client.post(address(cast, "invite"), {"email": email, "role": role}))
    found = re.search(r'value="http://testserver(/invitation/[^"]+)"', page)
    assert found is not None, page
    return found[1]


def test_invite_and_join(cast: Cast, alice: Client) -> None:
    """The link is shown once; it makes an account, signs it in, and serves no second time."""
    link = invite(alice, cast)
    assert link.split("/")[-2] not in text(alice.get(address(cast, "people")))
    nora = Client()
    response = nora.get(link)
    assert response["Location"] == reverse("invitation")
    assert "nora@acme.example" in text(nora.get(reverse("invitation")))
    weak = nora.post(reverse("invitation"), {"first_name": "Nora", "password": "short"})
    assert weak.status_code == 422 and not User.objects.filter(username="nora@acme.example").exists()
    done = nora.post(reverse("invitation"), {"first_name": "Nora", "last_name": "Lee", "password": NEW})
    assert done["Location"] == address(cast, "home")
    assert nora.get(address(cast, "home")).status_code == 200
    assert "Nora Lee" in text(alice.get(address(cast, "people")))
    for client in (nora, Client()):
        assert client.get(link, follow=True).status_code == 404


def test_join_with_an_account(cast: Cast, alice: Client) -> None:
    """Bob of globex signs in with what he has, and belongs to both; another's account does not serve."""
    User.objects.filter(username="bob").update(email="bob@globex.example")
    link = invite(alice, cast, "bob@globex.example", "viewer")
    bob = Client()
    page = text(bob.get(link, follow=True))
    assert "There is an account with this address already" in page
    wrong = Client()
    wrong.force_login(cast.people["agent"])
    assert wrong.get(link, follow=True).status_code == 200
    refused = wrong.post(reverse("invitation"))
    assert refused.status_code == 403 and "for another address" in text(refused)
    response = bob.post(f"{reverse('login')}?next={reverse('invitation')}", {"username": "bob", "password": PASSWORD})
    assert response["Location"] == reverse("invitation")
    assert bob.post(reverse("invitation"))["Location"] == address(cast, "home")
    assert "acme.example" in text(bob.get(reverse("panel:domains"))) and "globex" in text(
        bob.get(reverse("panel:domains"))
    )
    assert bob.get(address(cast, "people")).status_code == 403


def test_by_letter(cast: Cast, alice: Client, settings: Settings) -> None:
    """With a mail server, the link goes into the mailbox and nowhere else."""
    settings.EMAIL_URL = "smtp://mail.example"
    response = alice.post(address(cast, "invite"), {"email": "nora@acme.example", "role": "agent"}, follow=True)
    (letter,) = mail.outbox
    link = re.search(r"http://testserver/invitation/(\S+)/", letter.body)
    assert letter.to == ["nora@acme.example"] and link is not None and "acme.example" in letter.subject
    assert link[1] not in text(response) and "on its way to nora@acme.example" in text(response)


def test_letter_in_the_inviters_language(cast: Cast, alice: Client, settings: Settings) -> None:
    """A page in Portuguese sends a letter in Portuguese."""
    settings.EMAIL_URL = "smtp://mail.example"
    values = {"email": "nora@acme.example", "role": "agent"}
    alice.post(address(cast, "invite"), values, headers={"Accept-Language": "pt-BR"})
    assert "convite" in mail.outbox[0].subject.lower()


def test_mail_server_gone(cast: Cast, alice: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The administrator is told; the invitation stays and can be sent again."""
    settings.EMAIL_URL = "smtp://mail.example"

    def broken(*args: object, **kwargs: object) -> int:
        raise ConnectionRefusedError

    monkeypatch.setattr("secretary.panel.mail.send_mail", broken)
    values = {"email": "nora@acme.example", "role": "agent"}
    page = text(alice.post(address(cast, "invite"), values, follow=True))
    assert "did not take the letter" in page and "nora@acme.example" in page


def test_letters_have_no_forged_headers(cast: Cast, alice: Client, settings: Settings) -> None:
    """A line break in an address is no address."""
    settings.EMAIL_URL = "smtp://mail.example"
    values = {"email": "nora@acme.example\nBcc: everybody@evil.example", "role": "agent"}
    assert alice.post(address(cast, "invite"), values).status_code == 422 and not mail.outbox


def test_link_follows_no_forged_host(cast: Cast, alice: Client) -> None:
    """A request with somebody else's Host makes no link to there."""
    values = {"email": "nora@acme.example", "role": "agent"}
    response = alice.post(address(cast, "invite"), values, headers={"Host": "evil.example"})
    assert response.status_code == 400


def test_resend_and_revoke(cast: Cast, alice: Client) -> None:
    """The old link is dead after the one, every link after the other."""
    old = invite(alice, cast)
    with tenant_context(cast.acme.domain.pk):
        uuid = Invitation.objects.get(email="nora@acme.example").pk
    page = text(alice.post(address(cast, "invitation-resend", uuid)))
    new = re.search(r'value="http://testserver(/invitation/[^"]+)"', page)
    assert new is not None
    assert Client().get(old, follow=True).status_code == 404
    assert Client().get(new[1], follow=True).status_code == 200
    alice.post(address(cast, "invitation-revoke", uuid))
    assert Client().get(new[1], follow=True).status_code == 404
    assert alice.post(address(cast, "invitation-resend", uuid)).status_code == 404


def member(cast: Cast, role: str) -> Member:
    with tenant_context(cast.acme.domain.pk):
        return Member.objects.get(user=cast.people[role])


def form_of(row: Member, role: str, *destinations: UUID) -> dict[str, Any]:
    return {"role": role, "destinations": [str(uuid) for uuid in destinations], "seen": row.updated_at.isoformat()}


def test_role_and_destinations(cast: Cast, alice: Client, sign_in: Callable[[str], Client]) -> None:
    """Changed at once, also for somebody who is signed in; a foreign destination is refused."""
    vera = member(cast, "viewer")
    client = sign_in("viewer")
    assert client.get(address(cast, "people")).status_code == 403
    sales = cast.acme.objects["destination_uuid"]
    response = alice.post(address(cast, "member", vera.pk), form_of(vera, "admin", sales))
    assert response.status_code == 302
    with tenant_context(cast.acme.domain.pk):
        assert own_destinations(member_uuid=vera.pk) == {sales}
    assert client.get(address(cast, "people")).status_code == 200
    theirs = cast.globex.objects["destination_uuid"]
    response = alice.post(address(cast, "member", vera.pk), form_of(member(cast, "viewer"), "admin", theirs))
    assert response.status_code == 422


def test_last_administrator(cast: Cast, alice: Client, sign_in: Callable[[str], Client]) -> None:
    """Neither Alice herself nor the operator can leave acme without one; both are told why."""
    row = member(cast, "admin")
    for client in (alice, sign_in("operator")):
        response = client.post(address(cast, "member", row.pk), form_of(row, "viewer"))
        assert response.status_code == 422 and "the last administrator" in text(response)
        assert "the last administrator" in text(client.get(address(cast, "member-remove", row.pk)))
        assert client.post(address(cast, "member-remove", row.pk)).status_code == 409
    assert member(cast, "admin").role == "admin"


def test_removed(cast: Cast, alice: Client, sign_in: Callable[[str], Client]) -> None:
    """Who is removed finds nothing, from the next click on; their account stays."""
    vera = sign_in("viewer")
    assert vera.get(address(cast, "home")).status_code == 200
    alice.post(address(cast, "member-remove", member(cast, "viewer").pk))
    assert vera.get(address(cast, "home")).status_code == 404
    assert vera.get(reverse("panel:account")).status_code == 200


def test_two_administrators_in_two_tabs(cast: Cast, alice: Client) -> None:
    """The second is told what the first did."""
    row = member(cast, "viewer")
    assert alice.post(address(cast, "member", row.pk), form_of(row, "agent")).status_code == 302
    response = alice.post(address(cast, "member", row.pk), form_of(row, "admin"))
    assert response.status_code == 409 and "Somebody else changed this" in text(response)


def test_rule(cast: Cast, alice: Client) -> None:
    """A domain's administrator asks for two factors."""
    seen = cast.acme.domain.updated_at.isoformat()
    alice.post(address(cast, "rule"), {"second_factor": "everybody", "seen": seen})
    with tenant_context(cast.acme.domain.pk):
        assert Domain.objects.get().second_factor == "everybody"


def test_five_hundred_domains(
    cast: Cast, sign_in: Callable[[str], Client], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """The operator chooses from all, a page at a time, by a part of the name; queries do not grow with them."""
    with platform_context():
        Domain.objects.bulk_create(Domain(name=f"tenant{i:03}.example") for i in range(500))
    operator = sign_in("operator")
    names: list[str] = []
    query = ""
    while True:
        page = text(operator.get(reverse("panel:domains") + query))
        names += re.findall(r"<strong>([^<]+)</strong>", page)
        more = re.search(r'href="(\?[^"]*after=[^"]*)"', page)
        if more is None:
            break
        query = more[1]
    assert len(names) == len(set(names)) == 502 and names == sorted(names)
    found = re.findall(r"<strong>([^<]+)</strong>", text(operator.get(reverse("panel:domains") + "?q=TENANT04")))
    assert found == [f"tenant04{i}.example" for i in range(10)]
    assert "No domain fits" in text(operator.get(reverse("panel:domains") + "?q=%25"))
    # The session; the account; and in the platform's context a page of domains and one's roles in them.
    with django_assert_num_queries(12):
        operator.get(reverse("panel:domains") + "?q=tenant")


def test_choice_is_ones_own(cast: Cast, sign_in: Callable[[str], Client]) -> None:
    """Others see the domains they belong to, and search among those only."""
    add_member(domain_uuid=create_domain(name="acme2.example").pk, user_id=cast.people["agent"].pk, role="viewer")
    page = text(sign_in("agent").get(reverse("panel:domains")))
    assert "acme.example" in page and "acme2.example" in page and "globex" not in page
    assert "globex" not in text(sign_in("agent").get(reverse("panel:domains") + "?q=globex.ex")).replace(
        "globex.ex", ""
    )


def test_an_agents_own(cast: Cast, sign_in: Callable[[str], Client]) -> None:
    """Calls put through to the agent's destinations and messages for them; nothing else, on no page."""
    from datetime import timedelta

    from django.utils import timezone

    from secretary.models import Call, Message

    with tenant_context(cast.acme.domain.pk):
        other = Destination.objects.create(name="Secret desk", number="1009")
        now = timezone.now()
        done = {"outcome": "transferred", "ended_at": now, "started_at": now - timedelta(seconds=9)}
        hidden = Call.objects.create(destination=other, caller_name="unseen caller", recording="acme/call.wav", **done)
        nobodys = Call.objects.create(caller_name="unseen too", **done)
        for call, to in ((hidden, None), (hidden, other), (nobodys, None), (None, None)):
            message = Message.objects.create(call=call, destination=to, caller_name="unseen friend", text="unseen text")
        mine = Message.objects.create(
            call=hidden, destination_id=cast.acme.objects["destination_uuid"], caller_name="visible friend"
        )
    gus = sign_in("agent")
    for name in ("home", "calls", "messages"):
        page = text(gus.get(address(cast, name)))
        assert "unseen" not in page and "Secret desk" not in page, name
        assert "unseen" in text(sign_in("viewer").get(address(cast, name))), name
    assert "acme caller" in text(gus.get(address(cast, "calls")))
    page = text(gus.get(address(cast, "messages")))
    assert "visible friend" in page and "acme friend" in page and str(hidden.pk) not in page
    for name, row in (("call", hidden), ("recording", hidden), ("call", nobodys), ("message-audio", message)):
        assert gus.get(address(cast, name, row.pk)).status_code == 404
    assert gus.post(address(cast, "message-mark", message.pk), {"read": "1"}).status_code == 404
    assert gus.post(address(cast, "message-mark", mine.pk), {"read": "1"}).status_code == 302


def test_an_agent_without_a_destination(cast: Cast, alice: Client, sign_in: Callable[[str], Client]) -> None:
    """Sees nothing, rather than everything."""
    alice.post(address(cast, "member", member(cast, "agent").pk), form_of(member(cast, "agent"), "agent"))
    page = text(sign_in("agent").get(address(cast, "calls")))
    assert "acme caller" not in page and "No calls yet" in page


def test_operators(cast: Cast, sign_in: Callable[[str], Client]) -> None:
    """Listed, invited, made, removed; the last one stays."""
    olga = sign_in("operator")
    page = text(olga.post(reverse("panel:operator-invite"), {"email": "otto@host.example"}))
    link = re.search(r'value="http://testserver(/invitation/op\.[^"]+)"', page)
    assert link is not None
    otto = Client()
    otto.get(link[1])
    otto.post(reverse("invitation"), {"first_name": "Otto", "password": NEW})
    assert otto.get(reverse("panel:operators")).status_code == 200
    user = User.objects.get(username="otto@host.example")
    assert user.is_superuser and not user.is_staff
    assert otto.post(reverse("panel:operator-remove", args=[cast.people["operator"].pk])).status_code == 302
    assert olga.get(reverse("panel:operators")).status_code == 302, "signed out with the role"
    otto.post(reverse("panel:operator-remove", args=[user.pk]))
    user.refresh_from_db()
    assert user.is_superuser


def test_operator_helps(cast: Cast, sign_in: Callable[[str], Client]) -> None:
    """An account is found, signed out, switched off and on, given a link for a new password."""
    olga, vera = sign_in("operator"), sign_in("viewer")
    pk = cast.people["viewer"].pk
    assert "vera" in text(olga.get(reverse("panel:everybody") + "?q=VER"))
    assert "acme.example" in text(olga.get(reverse("panel:person", args=[pk])))
    olga.post(reverse("panel:person-sign-out", args=[pk]))
    assert vera.get(reverse("panel:account")).status_code == 302
    page = text(olga.post(reverse("panel:person-reset-link", args=[pk])))
    link = re.search(r'value="http://testserver(/password/reset/[^"]+)"', page)
    assert link is not None
    address = Client().get(link[1])["Location"]
    assert address.endswith("/set-password/")
    olga.post(reverse("panel:person-switch", args=[pk]), {"active": "0"})
    assert not User.objects.get(pk=pk).is_active
    assert Client().post(reverse("login"), {"username": "vera", "password": PASSWORD}).status_code == 200
    olga.post(reverse("panel:person-switch", args=[pk]), {"active": "1"})
    assert User.objects.get(pk=pk).is_active
    assert olga.get(reverse("panel:person", args=[2**40])).status_code == 404


def test_no_reset_links_where_there_is_mail(cast: Cast, sign_in: Callable[[str], Client], settings: Settings) -> None:
    """With a mail server, not even the operator sees a link that opens an account."""
    settings.EMAIL_URL = "smtp://mail.example"
    address = reverse("panel:person-reset-link", args=[cast.people["viewer"].pk])
    assert sign_in("operator").post(address).status_code == 404
