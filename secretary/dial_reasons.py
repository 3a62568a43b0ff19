"""Why a number is not dialled, in words for people: the reasons of `eslbridge.policy`."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

DIAL_REASONS: Mapping[str, str | Promise] = {
    "ok": _("dialled"),
    "unknown_kind": _("a destination of a kind that does not exist"),
    "disabled": _("the destination is switched off"),
    "malformed": _("this is no telephone number"),
    "emergency": _("emergency numbers are never dialled for a caller"),
    "secretary_loop": _("it leads back to a secretary, and a caller could go round for ever"),
    "feature_code": _("a feature code that is not for callers"),
    "looks_external": _("too long for an extension: it would leave the domain"),
    "invalid": _("no such number is known"),
    "external": _("neither a stored destination, nor on the secretary's list"),
    "allow_list": _("not on this secretary's list, and she may call nothing else outside"),
    "country": _("the domain does not call this country"),
    "premium": _("a premium or shared-cost number"),
    "satellite": _("a satellite or international network"),
    "high_risk": _("a country or range that is known for toll fraud"),
    "blocked": _("the domain has blocked such numbers"),
    "own_number": _("the domain's own number: it would lead back here"),
    "toll_allow": _("the telephone system does not permit this class of calls (toll_allow)"),
    "per_call": _("too many dials in one call"),
    "per_hour": _("as many public numbers as the domain may dial in an hour were dialled"),
    "per_day": _("as many public numbers as the domain may dial in a day were dialled"),
    "calls_full": _("as many calls as the domain may have at once were going on"),
    "minutes": _("the domain's minutes or budget were used up"),
}
