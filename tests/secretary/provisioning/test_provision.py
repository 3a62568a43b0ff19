"""Whole domains from a document: by the API and from a file."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.management import CommandError, call_command

from eslbridge.selectors import esl_endpoint
from secretary.models import Destination, ExtensionMapping, Secretary
from tenants.context import tenant_context
from tenants.models import Domain
from tenants.selectors import find_domain, get_domain
from tests.cast import Tenant, make_tenant
from tests.secretary.api.client import Api, bearer, domain_key, installation_key


@pytest.fixture
def acme(db: None) -> Tenant:
    return make_tenant("acme.example")


@pytest.fixture
def operator(db: None) -> Api:
    return bearer(installation_key())


def document(name: str, domain_uuid: UUID | None = None, **more: Any) -> dict[str, Any]:
    return {
        "domain_uuid": str(domain_uuid or uuid4()),
        "name": name,
        "language": "pt-br",
        "esl_credential": {"host": "10.0.0.5", "password": "swordfish"},
        "secretaries": [{"name": "Reception", "greeting": "Bom dia."}, {"name": "Night"}],
        "extensions": [{"extension": "8001", "secretary": "Reception"}, {"extension": "8002", "secretary": "Night"}],
        "destinations": [{"name": "Sales", "aliases": ["vendas"], "number": "1001"}],
        **more,
    }


def test_a_whole_domain_and_again(operator: Api) -> None:
    """Made; the second time nothing changes, not even an ETag."""
    whole = document("initech.example")
    first = operator.post("provision", {"domains": [whole]})
    assert first.status_code == 200, first.json()
    (item,) = first.json()["items"]
    assert (item["result"], item["counts"]["secretaries"]["created"]) == ("created", 2)
    domain_uuid = UUID(whole["domain_uuid"])
    endpoint = esl_endpoint(domain_uuid=domain_uuid)
    assert endpoint is not None
    assert endpoint.password == "swordfish"
    with tenant_context(domain_uuid):
        assert ExtensionMapping.objects.get(extension="8002").secretary.name == "Night"
    listed = f"domains/{domain_uuid}/secretaries"
    before = operator.get(listed).json()
    (again,) = operator.post("provision", {"domains": [whole]}).json()["items"]
    assert again["result"] == "unchanged"
    assert again["counts"]["extensions"] == {"created": 0, "changed": 0, "deleted": 0, "unchanged": 2}
    assert operator.get(listed).json() == before


def test_what_is_left_out_stays(operator: Api) -> None:
    """Objects and fields that the document does not name are not touched; with prune, objects go."""
    whole = document("initech.example")
    where = f"domains/{whole['domain_uuid']}/provision"
    assert operator.put(where, whole).json()["result"] == "created"
    change = {"secretaries": [{"name": "Reception", "voice": "en-gb"}]}
    done = operator.put(where, change).json()
    assert (done["result"], done["counts"]["secretaries"]["changed"]) == ("changed", 1)
    with tenant_context(whole["domain_uuid"]):
        assert Secretary.objects.get(name="Reception").greeting == "Bom dia."
        assert Secretary.objects.count() == 2
    pruned = operator.put(where, {**change, "prune": True}).json()
    assert pruned["counts"]["secretaries"]["deleted"] == 1
    with tenant_context(whole["domain_uuid"]):
        assert [one.name for one in Secretary.objects.all()] == ["Reception"]
        assert Destination.objects.count() == 1
        assert [one.extension for one in ExtensionMapping.objects.all()] == ["8001"]


def test_a_dry_run_changes_nothing(operator: Api) -> None:
    """It says what would happen, with the database's own judgement, and does nothing."""
    whole = document("initech.example")
    done = operator.post("provision?dry_run=true", {"domains": [whole]}).json()
    assert done["items"][0]["result"] == "created"
    assert get_domain(domain_uuid=whole["domain_uuid"]) is None


def test_one_bad_domain_does_not_stop_the_others(acme: Tenant, operator: Api) -> None:
    """207; each failure names its path, and nothing of a failed domain is there."""
    good, taken = document("good.example"), document(acme.name)
    bad = document("bad.example", extensions=[{"extension": "8001", "secretary": "Nobody"}])
    worse = document("worse.example", secretaries=[{"name": "A", "max_call_s": 1}], nonsense=1)
    answer = operator.post("provision", {"domains": [good, bad, taken, worse, 7, {}]})
    assert answer.status_code == 207
    results = [item["result"] for item in answer.json()["items"]]
    assert results == ["created", "failed", "failed", "failed", "failed", "failed"]
    problems = [item["problem"] for item in answer.json()["items"]]
    assert problems[1]["errors"][0]["field"] == "domains[1].extensions[0].secretary"
    assert problems[2]["code"] == "conflict"
    assert problems[3]["errors"][0]["field"] == "domains[3].nonsense"
    for failed in (bad, taken, worse):
        assert get_domain(domain_uuid=failed["domain_uuid"]) is None


SALES = {"name": "Sales", "number": "1"}


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"extensions": [{"extension": "8001", "secretary": "Night"}] * 2}, "extensions[1].extension"),
        ({"secretaries": [{"name": "A"}, {"name": "A"}], "extensions": []}, "secretaries[1].name"),
        ({"destinations": [{"name": "A", "number": "911"}]}, "destinations[0].number"),
        ({"destinations": [SALES, {"name": "B", "aliases": ["sales"], "number": "2"}]}, "destinations[1].aliases"),
        ({"esl_credential": {"host": "10.0.0.5"}}, "esl_credential.password"),
        ({"esl_credential": {"password": "a\nb"}}, "esl_credential.password"),
        ({"extensions": [{"extension": "8001"}]}, "extensions[0].secretary_uuid"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"name": "not a name"}, "name"),
    ],
)  # fmt: skip
def test_documents_that_contradict_themselves(operator: Api, change: dict[str, Any], path: str) -> None:
    """Refused by the path of the field, and nothing is made."""
    whole = {**document("initech.example"), **change}
    answer = operator.put(f"domains/{whole['domain_uuid']}/provision", whole)
    assert answer.status_code == 400, answer.json()
    assert [error["field"] for error in answer.json()["errors"]] == [path]
    assert get_domain(domain_uuid=whole["domain_uuid"]) is None


def test_a_password_does_not_move_with_a_document(operator: Api) -> None:
    """A telephone system at another address is refused without its password: it would be sent there."""
    whole = document("initech.example")
    where = f"domains/{whole['domain_uuid']}/provision"
    assert operator.put(where, whole).status_code == 200
    refused = operator.put(where, {**whole, "esl_credential": {"host": "192.0.2.9"}})
    assert [error["field"] for error in refused.json()["errors"]] == ["esl_credential.password"]
    assert operator.put(where, {**whole, "esl_credential": {"read_timeout_s": 20}}).status_code == 200


def test_somebody_elses_uuid(acme: Tenant, operator: Api) -> None:
    """A secretary of another domain is not taken over: 409 or failed, and it stays where it is."""
    whole = document(
        "initech.example",
        secretaries=[{"secretary_uuid": str(acme.secretary.pk), "name": "Stolen"}],
        extensions=[],
    )
    answer = operator.post("provision", {"domains": [whole]})
    assert answer.json()["items"][0]["result"] == "failed"
    with tenant_context(acme.domain_uuid):
        assert Secretary.objects.get().name == "Reception of acme.example"


def test_a_domains_own_key_provisions_its_own_domain(acme: Tenant) -> None:
    """As far as it may change the domain otherwise."""
    api = bearer(domain_key(acme.domain_uuid, "provision:write"))
    where = f"domains/{acme.domain_uuid}/provision"
    assert api.put(where, {"secretaries": [{"name": "Night"}]}).json()["result"] == "changed"
    assert api.put(where, {"name": acme.name, "language": "pt-br"}).json()["result"] == "changed"
    assert api.put(where, {"max_calls": 5_000}).status_code == 403
    assert api.post("provision", {"domains": [{}]}).status_code == 403


FILE = """\
domains:
  - name: initech.example
    time_zone: America/Sao_Paulo
    esl_credential: {host: 10.0.0.5, password: swordfish}
    secretaries:
      - name: Reception
        fallback_number: 0100
    extensions:
      - {extension: 8001, secretary: Reception}
    destinations:
      - {name: Sales, number: 1001}
      - {name: Outside, number: +551130001000, kind: external}
"""


def run(tmp_path: Path, text: str, *options: str) -> str:
    file = tmp_path / "domains.yaml"
    file.write_text(text)
    out, err = StringIO(), StringIO()
    try:
        call_command("provision", str(file), *options, stdout=out, stderr=err)
    except CommandError as error:
        return f"{out.getvalue()}{err.getvalue()}{error}"
    return out.getvalue()


def test_from_a_file(db: None, tmp_path: Path) -> None:
    """Made, with the numbers as they were written; the second time unchanged; then only the difference."""
    assert "initech.example" in run(tmp_path, FILE, "--dry-run")
    assert find_domain(name="initech.example") is None
    made = run(tmp_path, FILE)
    assert ": created" in made
    assert "+ secretary Reception" in made
    domain = find_domain(name="initech.example")
    assert domain is not None
    with tenant_context(domain.pk):
        assert Secretary.objects.get().fallback_number == "0100"
        assert Destination.objects.get(name="Outside").number == "+551130001000"
    assert ": unchanged" in run(tmp_path, FILE)
    changed = run(tmp_path, FILE.replace("swordfish", "octopus").replace("0100", "0200"), "--dry-run")
    assert "fallback_number: '0100' → '0200'" in changed
    assert "octopus" not in changed
    assert "swordfish" not in changed
    with tenant_context(domain.pk):
        assert Secretary.objects.get().fallback_number == "0100"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("number: 1001", "number: 911", "line 11: domains[0].destinations[0].number"),
        ("secretary: Reception", "secretary: Nobody", "line 9: domains[0].extensions[0].secretary"),
        ("time_zone: America", "time_zone: Mars", "line 3: domains[0].time_zone"),
        ("time_zone:", "timezone:", "line 3: domains[0].timezone"),
        ("    secretaries:", "    name: twice.example\n    secretaries:", "line 5: 'name' stands here twice"),
        ("    secretaries:", "   secretaries:", "line 5"),
        ("domains:", "domain:", "must hold one list"),
        ("domains:", "domains: !!python/object/apply:os.system [id]", "line"),
    ],
)
def test_mistakes_in_a_file(db: None, tmp_path: Path, old: str, new: str, message: str) -> None:
    """Each is told with its line, and nothing is half done."""
    assert message in run(tmp_path, FILE.replace(old, new, 1))
    assert find_domain(name="initech.example") is None


def test_the_first_key(acme: Tenant) -> None:
    """`manage.py api_key` prints a key that works."""
    out = StringIO()
    call_command("api_key", "FusionPBX", stdout=out)
    assert bearer(out.getvalue().strip()).get("me").json()["kind"] == "installation-key"
    out = StringIO()
    call_command("api_key", "CRM", "--domain", acme.name, "--scope", "calls:read", "--days", "30", stdout=out)
    me = bearer(out.getvalue().strip()).get("me").json()
    assert (me["kind"], me["scopes"]) == ("domain-key", ["calls:read"])
    with pytest.raises(CommandError, match="no domain"):
        call_command("api_key", "CRM", "--domain", "nobody.example")


def test_five_hundred_at_most(operator: Api) -> None:
    """More is refused before anything is done; none is refused as well."""
    assert operator.post("provision", {"domains": [{}] * 501}).status_code == 400
    assert operator.post("provision", {"domains": []}).status_code == 400
    assert operator.post("provision", {"domains": {}}).status_code == 400
    with tenant_context(uuid4()):
        assert not Domain.objects.exists()
