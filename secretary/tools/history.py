"""What became of a secretary's prompt: a row for every change of it, written with the change itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from uuid import UUID

from django.db.models import Max

from secretary.models import Secretary
from secretary.tools.models import PromptVersion
from secretary.tools.models.prompt_version import KEPT
from tenants.origin import current_actor


def keep(secretary: Secretary, old: str | None) -> None:
    """The prompt was changed from `old` (None: the secretary is new). In the transaction of the change."""
    keep_all({secretary: old})


def keep_all(changed: Mapping[Secretary, str | None]) -> None:
    """The same for many secretaries at once, in two statements. Inside the tenant."""
    rows = {row: old for row, old in changed.items() if row.prompt != (old or "")}
    if not rows:
        return
    last = _last(row.pk for row in rows)
    author = current_actor().label[:200]
    versions = []
    for row, old in rows.items():
        number = last.get(row.pk, 0)
        if not number and old:
            # Written before versions were kept: nobody knows by whom.
            number += 1
            versions.append(_version(row, number, old, ""))
        versions.append(_version(row, number + 1, row.prompt, author))
    PromptVersion.objects.bulk_create(versions, batch_size=500)
    for row in rows:
        if last.get(row.pk, 0) >= KEPT:
            _forget_surplus(row)


def _version(secretary: Secretary, number: int, text: str, author: str) -> PromptVersion:
    return PromptVersion(
        domain_id=secretary.domain_uuid, secretary_id=secretary.pk, number=number, text=text, author=author
    )


def _last(secretaries: Iterable[UUID]) -> dict[UUID, int]:
    rows = PromptVersion.objects.filter(secretary_id__in=list(secretaries)).order_by().values_list("secretary_id")
    return dict(rows.annotate(last=Max("number")))


def _forget_surplus(secretary: Secretary) -> None:
    unnamed = PromptVersion.objects.filter(secretary=secretary, name="").order_by("-number")
    surplus = list(unnamed.values_list("pk", flat=True)[KEPT:])
    PromptVersion.objects.filter(pk__in=surplus).delete()


def live_version(secretary_uuid: UUID) -> int | None:
    """The number of the version that is live; None where none was ever kept. Inside the tenant."""
    last: int | None = PromptVersion.objects.filter(secretary_id=secretary_uuid).aggregate(last=Max("number"))["last"]
    return last
