"""What is set up: secretaries, extensions, destinations, the credential, the domain itself."""

from __future__ import annotations

from uuid import uuid4

import pytest

from eslbridge.selectors import esl_endpoint
from secretary.models import Destination, Secretary
from tenants.context import tenant_context
from tests.cast import Tenant
from tests.secretary.api.client import Api


def test_a_secretary_is_made_read_changed_and_deleted(acme: Tenant, api: Api) -> None:
    """The whole life of an object, with its ETags."""
    made = api.post(f"domains/{acme.domain_uuid}/secretaries", {"name": "Night", "language": "pt-br"})
    assert made.status_code == 201, made.json()
    where = made["Location"].removeprefix("/api/v1/")
    assert made.json()["language"] == "pt-br"
    assert api.get(where).json() == made.json()
    changed = api.patch(where, {"greeting": "Boa noite."}, If_Match=made["ETag"])
    assert changed.status_code == 200
    assert changed.json()["greeting"] == "Boa noite."
    assert changed["ETag"] != made["ETag"]
    assert api.patch(where, {"greeting": "Oi."}, If_Match=made["ETag"]).status_code == 412
    assert api.delete(where, If_Match=changed["ETag"]).status_code == 204
    assert api.get(where).status_code == 404


def test_put_makes_and_replaces(acme: Tenant, api: Api) -> None:
    """The first PUT makes (201), the second replaces (200), and what it leaves out has its default again."""
    where = f"domains/{acme.domain_uuid}/secretaries/{uuid4()}"
    first = api.put(where, {"name": "Night", "greeting": "Good evening.", "max_call_s": 60})
    assert first.status_code == 201
    second = api.put(where, {"name": "Night"})
    assert second.status_code == 200
    assert (second.json()["greeting"], second.json()["max_call_s"]) == ("", 600)
    # What was read may be sent back as it is.
    assert api.put(where, second.json()).status_code == 200


def test_put_keeps_its_conditions(acme: Tenant, api: Api) -> None:
    """If-None-Match: * only makes; If-Match only replaces that version."""
    where = f"domains/{acme.domain_uuid}/secretaries/{uuid4()}"
    assert api.put(where, {"name": "Night"}, If_Match='"abc"').status_code == 412
    made = api.put(where, {"name": "Night"}, If_None_Match="*")
    assert made.status_code == 201
    assert api.put(where, {"name": "Night"}, If_None_Match="*").status_code == 412
    assert api.put(where, {"name": "Day"}, If_Match=made["ETag"]).status_code == 200
    assert api.put(where, {"name": "Noon"}, If_Match=made["ETag"]).status_code == 412
    assert api.get(where).json()["name"] == "Day"


def test_a_body_may_not_name_another_object(acme: Tenant, api: Api) -> None:
    """The UUID of the address and of the body must agree."""
    where = f"domains/{acme.domain_uuid}/secretaries/{uuid4()}"
    answer = api.put(where, {"secretary_uuid": str(uuid4()), "name": "Night"})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "secretary_uuid"


def test_patch_and_delete_want_a_version(acme: Tenant, api: Api) -> None:
    """Without If-Match: 428. With `*`, whatever is there."""
    where = f"domains/{acme.domain_uuid}/secretaries/{acme.secretary.pk}"
    assert api.patch(where, {"name": "X"}).status_code == 428
    assert api.delete(where).status_code == 428
    assert api.patch(where, {"name": "X"}, If_Match="*").status_code == 200
    assert api.patch(where, {"name": "Y"}, If_Match='W/"1"').status_code == 412


def test_not_modified(acme: Tenant, api: Api) -> None:
    """If-None-Match with the current ETag: 304 and no body."""
    where = f"domains/{acme.domain_uuid}/secretaries/{acme.secretary.pk}"
    tag = api.get(where)["ETag"]
    answer = api.get(where, If_None_Match=f'"other", W/{tag}')
    assert (answer.status_code, answer.content, answer["ETag"]) == (304, b"", tag)


def test_the_password_goes_in_and_never_comes_out(acme: Tenant, api: Api) -> None:
    """Write-only; left out of a PUT it stays."""
    where = f"domains/{acme.domain_uuid}/esl-credential"
    answer = api.put(where, {"host": "pbx.acme.example", "password": "swordfish"})
    assert answer.status_code == 200
    assert "swordfish" not in answer.content.decode()
    assert "password" not in api.get(where).json()
    assert api.put(where, {"host": "pbx.acme.example", "read_timeout_s": 20}).status_code == 200
    endpoint = esl_endpoint(domain_uuid=acme.domain_uuid)
    assert endpoint is not None
    assert (endpoint.host, endpoint.password) == ("pbx.acme.example", "swordfish")
    assert api.patch(where, {"password": "two\nlines"}, If_Match="*").status_code == 400


@pytest.mark.parametrize("change", [{"host": "192.0.2.9"}, {"port": 8022}])
def test_the_password_is_not_sent_elsewhere(acme: Tenant, api: Api, change: dict[str, object]) -> None:
    """Whoever may change the address and cannot read the password does not get it by having it sent to them."""
    where = f"domains/{acme.domain_uuid}/esl-credential"
    before = esl_endpoint(domain_uuid=acme.domain_uuid)
    refused = api.patch(where, change, If_Match="*")
    assert refused.status_code == 400 and refused.json()["errors"][0]["field"] == "password"
    assert esl_endpoint(domain_uuid=acme.domain_uuid) == before
    assert api.patch(where, {**change, "password": "swordfish"}, If_Match="*").status_code == 200


def test_a_new_credential_needs_a_password(acme: Tenant, api: Api) -> None:
    """Deleted, it can only come back with a password."""
    where = f"domains/{acme.domain_uuid}/esl-credential"
    assert api.delete(where, If_Match="*").status_code == 204
    assert api.get(where).status_code == 404
    assert api.put(where, {"host": "10.0.0.1"}).json()["errors"][0]["field"] == "password"
    assert api.put(where, {"host": "10.0.0.1", "password": "swordfish"}).status_code == 201


def test_an_extension_needs_a_secretary_of_its_own_domain(acme: Tenant, globex: Tenant, api: Api) -> None:
    """Somebody else's secretary does not exist, and it says which field is wrong and how to mend it."""
    for stranger in (globex.secretary.pk, uuid4()):
        answer = api.post(
            f"domains/{acme.domain_uuid}/extensions", {"extension": "8002", "secretary_uuid": str(stranger)}
        )
        assert answer.status_code == 400
        (error,) = answer.json()["errors"]
        assert (error["field"], error["code"]) == ("secretary_uuid", "does_not_exist")
        assert error["mend"]


def test_an_extension_is_taken_once(acme: Tenant, api: Api) -> None:
    """The second mapping of 8001 is refused by field."""
    answer = api.post(
        f"domains/{acme.domain_uuid}/extensions", {"extension": "8001", "secretary_uuid": str(acme.secretary.pk)}
    )
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == ["extension"]


def test_a_destination_that_must_not_be_dialled(acme: Tenant, api: Api) -> None:
    """Policy decides, and says so by field."""
    for number in ("911", "8001"):
        answer = api.post(f"domains/{acme.domain_uuid}/destinations", {"name": "Trouble", "number": number})
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["field"] == "number"


def test_a_domain_key_may_not_decide_for_the_installation(acme: Tenant, api: Api, operator: Api) -> None:
    """Language and time zone are the domain's own; name, enabled and max_calls are not."""
    where = f"domains/{acme.domain_uuid}"
    assert api.patch(where, {"language": "pt-br"}, If_Match="*").json()["language"] == "pt-br"
    for change in ({"max_calls": 999}, {"enabled": False}, {"name": "evil.example"}):
        answer = api.patch(where, change, If_Match="*")
        assert answer.status_code == 403
        assert answer.json()["errors"][0]["code"] == "operator_only"
    assert operator.patch(where, {"max_calls": 999}, If_Match="*").json()["max_calls"] == 999


def test_the_operator_makes_and_deletes_domains(acme: Tenant, operator: Api) -> None:
    """PUT with FusionPBX's UUID makes one. It must be disabled before it can go, with all that it has."""
    where = f"domains/{uuid4()}"
    assert operator.put(where, {"name": "initech.example"}).status_code == 201
    assert operator.put(where, {"name": "initech.example", "max_calls": 3}).json()["max_calls"] == 3
    acme.call()
    mine = f"domains/{acme.domain_uuid}"
    assert operator.delete(mine, If_Match="*").status_code == 409
    assert operator.patch(mine, {"enabled": False}, If_Match="*").status_code == 200
    assert operator.delete(mine, If_Match="*").status_code == 204
    assert operator.get(mine).status_code == 404
    with tenant_context(acme.domain_uuid):
        assert not Secretary.objects.exists()


def test_a_name_is_taken_once(acme: Tenant, operator: Api) -> None:
    """Two domains of one name would be one dialplan context: 409, by POST 400 with the field."""
    assert operator.put(f"domains/{uuid4()}", {"name": acme.name}).status_code == 409
    assert operator.post("domains", {"name": acme.name}).json()["errors"][0]["field"] == "name"


def test_fields_are_chosen(acme: Tenant, api: Api) -> None:
    """`fields=` shows those, and complains about what it does not know."""
    answer = api.get(f"domains/{acme.domain_uuid}/secretaries?fields=name,language")
    assert answer.json()["items"] == [{"name": "Reception of acme.example", "language": "en"}]
    where = f"domains/{acme.domain_uuid}/secretaries/{acme.secretary.pk}"
    assert set(api.get(f"{where}?fields=name").json()) == {"name"}
    assert api.get(f"{where}?fields=nonsense").json()["errors"][0]["field"] == "fields"


def test_filters_and_unknown_parameters(acme: Tenant, api: Api) -> None:
    """A filter filters; a parameter that nobody knows is an error, not a surprise."""
    listed = f"domains/{acme.domain_uuid}/destinations"
    assert [one["name"] for one in api.get(f"{listed}?number=1001").json()["items"]] == ["Sales"]
    assert api.get(f"{listed}?number=1002").json()["items"] == []
    assert api.get(f"{listed}?numbr=1001").json()["errors"][0]["code"] == "unknown_parameter"
    assert api.post(f"{listed}?x=1", {"name": "A", "number": "1"}).status_code == 400


def test_a_destination_says_how_it_gets_calls(acme: Tenant, globex: Tenant, api: Api) -> None:
    """Announced, for how long it rings, and who stands in: one of its own domain."""
    mine = f"domains/{acme.domain_uuid}/destinations"
    with tenant_context(globex.domain_uuid):
        foreign = Destination.objects.create(name="Theirs", number="1009")
    first = api.post(mine, {"name": "Front desk", "number": "1009"}).json()["destination_uuid"]
    body = {"name": "Service", "number": "1010", "transfer_mode": "announced", "ring_s": 15}
    told = api.post(mine, {**body, "fallback_uuid": first}).json()
    assert (told["transfer_mode"], told["ring_s"], told["fallback_uuid"]) == ("announced", 15, first)
    refused = api.post(mine, {**body, "name": "Other", "fallback_uuid": str(foreign.pk)})
    assert refused.status_code == 400
    assert [error["field"] for error in refused.json()["errors"]] == ["fallback_uuid"]
    refused = api.post(mine, {**body, "name": "Queue", "kind": "queue"})
    assert [error["field"] for error in refused.json()["errors"]] == ["transfer_mode"]
