"""Webhooks and the record of changes over the API."""

from __future__ import annotations

from uuid import uuid4

from secretary.webhooks.models import Delivery, Webhook
from tenants.context import tenant_context
from tests.cast import Tenant
from tests.secretary.api.client import Api

HOOK = {"url": "https://crm.example.com/hook", "events": ["call.ended", "message.created"]}


def test_the_secret_is_shown_where_it_is_made(acme: Tenant, api: Api) -> None:
    """By POST, by a PUT that makes, by a rotation; and nowhere else, not even in a repeated answer."""
    listed = f"domains/{acme.domain_uuid}/webhooks"
    made = api.post(listed, HOOK, Idempotency_Key="a").json()
    assert made["secret"]
    assert api.post(listed, HOOK, Idempotency_Key="a").json()["secret"] is None
    where = f"{listed}/{made['webhook_uuid']}"
    assert api.get(where).json()["secret"] is None
    assert made["secret"] not in api.get(listed).content.decode()
    new = api.post(f"{where}/rotate", {"overlap_s": 60}).json()
    assert new["secret"] not in (None, made["secret"])
    with tenant_context(acme.domain_uuid):
        assert Webhook.objects.get().previous_secret == made["secret"]
    put = f"{listed}/{uuid4()}"
    assert api.put(put, HOOK).json()["secret"]
    assert api.put(put, HOOK).json()["secret"] is None


def test_no_address_inside(acme: Tenant, api: Api) -> None:
    """An internal address is refused by field."""
    for url in ("http://127.0.0.1/", "https://10.0.0.1/x", "ftp://crm.example.com/", "https://u:p@crm.example.com/"):
        answer = api.post(f"domains/{acme.domain_uuid}/webhooks", {**HOOK, "url": url})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "url")


def test_deliveries_and_sending_again(acme: Tenant, api: Api) -> None:
    """A ping is a delivery; one that is open is not sent again, one that is over is."""
    listed = f"domains/{acme.domain_uuid}/webhooks"
    where = f"{listed}/{api.post(listed, HOOK).json()['webhook_uuid']}"
    delivery = api.post(f"{where}/ping").json()
    assert delivery["state"] == "waiting"
    again = f"{where}/deliveries/{delivery['delivery_uuid']}/replay"
    assert api.post(again).status_code == 409
    with tenant_context(acme.domain_uuid):
        Delivery.objects.update(state="failed")
    assert api.post(again).json()["event_uuid"] == delivery["event_uuid"]
    assert [one["replay"] for one in api.get(f"{where}/deliveries").json()["items"]] == [True, False]
    assert len(api.get(f"{where}/deliveries?state=failed").json()["items"]) == 1


def test_the_record_is_read(acme: Tenant, globex: Tenant, api: Api) -> None:
    """Newest first, found by what, by whom and by request; of this domain alone."""
    made = api.post(f"domains/{acme.domain_uuid}/secretaries", {"name": "Night"}, X_Request_Id="abc").json()
    where = f"domains/{acme.domain_uuid}/audit"
    (event,) = api.get(f"{where}?request_id=abc").json()["items"]
    assert (event["action"], event["object_id"]) == ("secretary.created", made["secretary_uuid"])
    assert event["new"]["name"] == "Night"
    assert api.get(f"{where}?object_id={globex.secretary.pk}").json()["items"] == []
    assert api.get(f"{where}?action=secretary.created&limit=1").json()["items"] == [event]
