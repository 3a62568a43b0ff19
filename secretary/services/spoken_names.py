"""Names that callers speak: within a domain each may lead to one place only. Inside a tenant."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from secretary.models import Destination


def spoken_key(name: str) -> str:
    """What two names have in common that a caller pronounces the same way: neither case nor spaces are heard."""
    return " ".join(name.split()).casefold()


def check_spoken_names(destination: Destination) -> None:
    """Raises ValidationError (`name`, `aliases`) where a name leads to another destination already, or is said twice.

    Call it with the settings locked: see `optimistic.lock_settings`.
    """
    name, aliases = destination.name, destination.aliases
    taken: dict[str, str] = {}
    for other in Destination.objects.exclude(pk=destination.pk):
        for spoken in (other.name, *other.aliases):
            taken.setdefault(spoken_key(spoken), other.name)
    errors: dict[str, list[str]] = {}
    own = spoken_key(name)
    if own in taken:
        errors["name"] = [_collision(name, taken[own])]
    complaints = [_collision(alias, taken[spoken_key(alias)]) for alias in aliases if spoken_key(alias) in taken]
    if any(spoken_key(alias) == own for alias in aliases):
        complaints.append(
            _("“%(name)s” is the name itself, which is understood anyway. Remove it here.") % {"name": name}
        )
    if complaints:
        errors["aliases"] = complaints
    if errors:
        raise ValidationError(errors)


def _collision(spoken: str, owner: str) -> str:
    return _("“%(spoken)s” leads to “%(owner)s” already. Choose another word, or remove it there first.") % {
        "spoken": spoken,
        "owner": owner,
    }
