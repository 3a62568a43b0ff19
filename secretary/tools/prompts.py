"""Versions of a secretary's facts about the business: made live, named, taken back. Each is one transaction."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from secretary.models import Secretary
from secretary.services.optimistic import lock_settings
from secretary.services.secretaries import update_secretary
from secretary.tools.models import PromptVersion
from tenants import audit
from tenants.origin import current_actor


@transaction.atomic
def write_prompt(*, secretary_uuid: UUID, text: str, name: str = "") -> PromptVersion:
    """Make a text the live prompt, as a version of its own, with a name or without.

    Raises Secretary.DoesNotExist, ValidationError.
    """
    lock_settings()
    secretary = Secretary.objects.get(pk=secretary_uuid)
    if secretary.prompt != text:
        update_secretary(secretary_uuid=secretary.pk, seen_at=secretary.updated_at, prompt=text)
    version = PromptVersion.objects.filter(secretary_id=secretary.pk).order_by("-number").first()
    if version is None or version.text != text:  # live, and from before versions were kept
        version = PromptVersion(
            secretary_id=secretary.pk,
            number=1 if version is None else version.number + 1,
            text=text,
            author=current_actor().label[:200],
        )
        version.save(force_insert=True)
    return name_version(version_uuid=version.pk, name=name) if name else version


@transaction.atomic
def name_version(*, version_uuid: UUID, name: str) -> PromptVersion:
    """Give a version a name, or take it away. Raises DoesNotExist, ValidationError."""
    version = PromptVersion.objects.select_for_update(of=("self",)).get(pk=version_uuid)
    before = audit.before(version)
    version.name = name
    version.full_clean(exclude=("secretary",))
    version.save()
    audit.saved(version, before)
    return version


@transaction.atomic
def restore(*, version_uuid: UUID) -> PromptVersion:
    """Make the text of an earlier version live again, as the newest version. Raises DoesNotExist, ValidationError."""
    lock_settings()
    version = PromptVersion.objects.get(pk=version_uuid)
    live = write_prompt(secretary_uuid=version.secretary_id, text=version.text)
    audit.log(
        "secretary.prompt-restored",
        audit.Subject("secretary", str(version.secretary_id)),
        new={"version": version.number, "as": live.number},
    )
    return live
