"""Webhooks: what happens in a domain, told to the tenant's own servers. At least once, signed, for three days.

    outbox.emit(domain_uuid, "call.ended", payload)    in the transaction of the fact itself
        └─ WebhookEvent, one Delivery for each webhook that wants it ── on commit ─▶ Celery, queue `webhooks`
    lanes.run(domain_uuid)                             claim, send, write down, until nothing is due
    sweep.sweep()                                      every 15 s: what was lost, what is due again, what is over

`docs/webhooks.md` is written for those who receive them.
"""
