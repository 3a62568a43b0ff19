"""The record of changes may forget what is old: see `tenants.record_keeping`."""

from django.db import migrations

from tenants.append_only import Expiring


class Migration(migrations.Migration):
    dependencies = [("tenants", "0005_what_callers_are_told")]

    operations = [Expiring("auditevent"), Expiring("installationevent")]
