"""About the installation and about oneself."""

from __future__ import annotations

import time
from typing import Any

import redis
import structlog
from django.db import connection
from django.urls import URLPattern, path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from secretary.api import limits, shared_memory
from secretary.api.problems import Problem
from secretary.api.view import ApiView

log = structlog.get_logger(__name__)


class HealthSerializer(serializers.Serializer[Any]):
    status = serializers.CharField()
    database_ms = serializers.FloatField()
    redis_ms = serializers.FloatField()


class Health(ApiView):
    operation = "health"

    @extend_schema(responses=HealthSerializer)
    def get(self, request: Request) -> Response:
        """Whether PostgreSQL and Redis answer, and how fast (ms). 503 where one of them does not."""
        self.query()
        begun = time.perf_counter()
        with connection.cursor() as cursor:
            cursor.execute("select 1")
        database_ms = (time.perf_counter() - begun) * 1000
        begun = time.perf_counter()
        try:
            shared_memory.client().ping()
        except redis.RedisError as error:
            log.warning("api.redis", error=str(error)[:200])
            raise Problem("unavailable", headers={"Retry-After": "2"}) from error
        redis_ms = (time.perf_counter() - begun) * 1000
        return Response({"status": "ok", "database_ms": round(database_ms, 2), "redis_ms": round(redis_ms, 2)})


class MeSerializer(serializers.Serializer[Any]):
    kind = serializers.CharField(help_text="`domain-key`, `installation-key`, `fusionpbx-user` or `panel-user`.")
    name = serializers.CharField()
    domain_uuid = serializers.UUIDField(allow_null=True)
    scopes = serializers.ListField(child=serializers.CharField())
    rate_per_minute = serializers.IntegerField()


class Me(ApiView):
    operation = "me"

    @extend_schema(responses=MeSerializer)
    def get(self, request: Request) -> Response:
        """Who you are to this API, and what you may."""
        self.query()
        principal = self.principal
        return Response(
            {
                "kind": principal.kind,
                "name": principal.name,
                "domain_uuid": principal.domain_uuid,
                "scopes": sorted(principal.scopes),
                "rate_per_minute": limits.limit_of(principal),
            }
        )


def urls() -> list[URLPattern]:
    return [path("health", Health.as_view(), name="health"), path("me", Me.as_view(), name="me")]
