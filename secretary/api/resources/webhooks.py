"""Webhooks: a tenant's server that is told of what happens. The secret is shown where it is made, and never again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar

from django.core.exceptions import ValidationError as ModelError
from django.db import models
from django.urls import URLPattern, path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from secretary.api import pages
from secretary.api.problems import Problem
from secretary.api.resource import Created, Deleted, Listed, Patched, Replaced, Resource, Shown, seen
from secretary.api.serializing import PageQuery, Query, ResourceSerializer, StrictSerializer, chosen_fields
from secretary.selectors.keyset import keyset_page
from secretary.webhooks import services
from secretary.webhooks.models import Delivery, DeliveryState, Webhook


class WebhookSerializer(ResourceSerializer):
    secret = serializers.SerializerMethodField(help_text="What signs the requests. Shown where it is made, this once.")

    class Meta:
        model = Webhook
        fields = (
            "webhook_uuid", "url", "description", "events", "enabled", "secret", "previous_expires_at",
            "consecutive_failures", "failing_since", "not_before", "last_success_at", "disabled_reason", "created_at",
            "updated_at",
        )  # fmt: skip
        read_only_fields = (
            "previous_expires_at", "consecutive_failures", "failing_since", "not_before", "last_success_at",
            "disabled_reason",
        )  # fmt: skip

    def get_secret(self, webhook: Webhook) -> str | None:
        return getattr(webhook, "issued_secret", None)


class DeliverySerializer(ResourceSerializer):
    event_uuid = serializers.UUIDField(source="event_id", read_only=True)
    type = serializers.CharField(source="event.type", read_only=True)
    occurred_at = serializers.DateTimeField(source="event.occurred_at", read_only=True)

    class Meta:
        model = Delivery
        fields = (
            "delivery_uuid", "event_uuid", "type", "occurred_at", "state", "replay", "attempts", "next_attempt_at",
            "expires_at", "finished_at", "response_status", "response_body", "error", "duration_ms", "created_at",
        )  # fmt: skip
        read_only_fields = fields


class WebhookQuery(PageQuery):
    enabled = serializers.BooleanField(required=False)


class DeliveryQuery(PageQuery):
    state = serializers.ChoiceField(required=False, choices=DeliveryState.choices)


class SecretRotation(StrictSerializer):
    """How long the old secret signs beside the new one."""

    overlap_s = serializers.IntegerField(
        min_value=0,
        max_value=int(services.MAX_OVERLAP.total_seconds()),
        default=int(services.OVERLAP.total_seconds()),
    )


class Replay(StrictSerializer):
    """Which events are sent again."""

    since = serializers.DateTimeField()
    until = serializers.DateTimeField()
    only_failed = serializers.BooleanField(default=False)


class Replayed(serializers.Serializer[Any]):
    events = serializers.IntegerField()


def with_secret(issued: services.Issued) -> Webhook:
    webhook = issued.webhook
    webhook.issued_secret = issued.secret  # type: ignore[attr-defined]
    return webhook


class Webhooks(Listed, Shown, Created, Replaced, Patched, Deleted):
    path = "webhooks"
    scope = "webhooks"
    lookup = "webhook_uuid"
    model = Webhook
    serializer_class = WebhookSerializer
    page_query = WebhookQuery
    shown_once = ("secret",)

    def rows(self) -> models.QuerySet[Webhook]:
        return Webhook.objects.defer("secret", "previous_secret")

    def perform_create(self, values: dict[str, Any]) -> Webhook:
        return with_secret(services.create_webhook(**values))

    def perform_update(self, row: Webhook, values: dict[str, Any]) -> Webhook:
        return services.update_webhook(webhook_uuid=row.pk, seen_at=seen(row), **values)

    def perform_destroy(self, row: Webhook) -> None:
        services.delete_webhook(webhook_uuid=row.pk)

    @classmethod
    def urls(cls) -> list[URLPattern]:
        one = f"domains/<uuid:domain_uuid>/{cls.path}/<uuid:{cls.lookup}>"
        again = f"{one}/deliveries/<uuid:delivery_uuid>/replay"
        return [
            *super().urls(),
            path(f"{one}/rotate", WebhookSecret.as_view({"post": "rotate"}), name="webhook-rotate"),
            path(f"{one}/ping", WebhookPing.as_view({"post": "ping"}), name="webhook-ping"),
            path(f"{one}/replay", WebhookReplay.as_view({"post": "replay"}), name="webhook-replay"),
            path(f"{one}/deliveries", Deliveries.as_view({"get": "list"}), name="webhook-deliveries"),
            path(again, DeliveryReplay.as_view({"post": "again"}), name="webhook-delivery-replay"),
        ]


class _OfWebhook(Resource):
    """Something of one webhook."""

    path = "webhooks"
    scope = "webhooks"
    lookup = "webhook_uuid"
    model = Webhook
    serializer_class: ClassVar[type[ResourceSerializer]] = WebhookSerializer
    query_class = Query

    def rows(self) -> models.QuerySet[Webhook]:
        return Webhook.objects.defer("secret", "previous_secret")


class WebhookSecret(_OfWebhook):
    operation = "webhook-secret"
    shown_once = ("secret",)

    @extend_schema(request=SecretRotation, responses={201: WebhookSerializer})
    def rotate(self, request: Request, **_: Any) -> Response:
        """Give it a new secret; the old one signs beside it for `overlap_s`."""
        wanted = self.body(SecretRotation(data=request.data))
        overlap = timedelta(seconds=wanted["overlap_s"])
        issued = services.rotate_secret(webhook_uuid=self.row().pk, overlap=overlap)
        return self.shown(with_secret(issued), status=201)


class WebhookPing(_OfWebhook):
    operation = "webhook"

    @extend_schema(request=StrictSerializer, responses={202: DeliverySerializer})
    def ping(self, request: Request, **_: Any) -> Response:
        """Send it a test event."""
        self.body(StrictSerializer(data=request.data))
        return Response(DeliverySerializer(services.send_ping(webhook_uuid=self.row().pk)).data, status=202)


class WebhookReplay(_OfWebhook):
    operation = "webhook"

    @extend_schema(request=Replay, responses={202: Replayed})
    def replay(self, request: Request, **_: Any) -> Response:
        """Send the events of a time again, oldest first."""
        wanted = self.body(Replay(data=request.data))
        return Response({"events": services.replay_range(webhook_uuid=self.row().pk, **wanted)}, status=202)


class Deliveries(_OfWebhook):
    operation = "webhook-deliveries"
    serializer_class: ClassVar[type[ResourceSerializer]] = DeliverySerializer
    query_class = DeliveryQuery
    pagination_class = pages.CursorPages

    @extend_schema(responses=DeliverySerializer)
    def list(self, request: Request, **_: Any) -> Response:
        """What was sent to it and how that went, the newest first."""
        query = self.query()
        only = chosen_fields(query.get("fields"), DeliverySerializer)
        rows = Delivery.objects.select_related("event").filter(webhook=self.row())
        if "state" in query:
            rows = rows.filter(state=query["state"])
        page = keyset_page(rows, at="created_at", size=query["limit"], **pages.edges(query.get("cursor", "")))
        items = DeliverySerializer(page.items, many=True, only=only).data
        return Response(pages.page_body(page, [*items]))


class DeliveryReplay(_OfWebhook):
    operation = "webhook-delivery"

    @extend_schema(request=StrictSerializer, responses={202: DeliverySerializer})
    def again(self, request: Request, **kwargs: Any) -> Response:
        """Send the event of one delivery again, under the same id."""
        self.body(StrictSerializer(data=request.data))
        try:
            delivery = services.replay_delivery(webhook_uuid=self.row().pk, delivery_uuid=kwargs["delivery_uuid"])
        except Delivery.DoesNotExist as error:
            raise Problem("not_found") from error
        except ModelError as error:
            raise Problem("conflict", " ".join(error.messages)) from error
        return Response(DeliverySerializer(delivery).data, status=202)
