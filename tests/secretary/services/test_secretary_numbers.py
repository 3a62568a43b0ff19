"""Where a secretary sends callers is judged when it is stored."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from secretary.services.secretaries import create_secretary
from tenants.context import tenant_context
from tests.cast import Tenant


@pytest.mark.parametrize("field", ["fallback_number", "closed_number"])
@pytest.mark.parametrize(
    ("number", "refused"),
    [("1009", ""), ("*991001", ""), ("12125551234", ""), ("8001", "secretary_loop"), ("911", "emergency"),
     ("19005551234", "premium"), ("011881612345678", "satellite")],
)  # fmt: skip
def test_numbers(acme: Tenant, field: str, number: str, refused: str) -> None:
    """A colleague, a box or a mobile telephone; never a circle, an emergency or a trap."""
    with tenant_context(acme.domain_uuid):
        if not refused:
            assert getattr(create_secretary(name="Night", **{field: number}), field) == number
            return
        with pytest.raises(ValidationError) as error:
            create_secretary(name="Night", **{field: number})
    assert [one.code for one in error.value.error_dict[field]] == [refused]
