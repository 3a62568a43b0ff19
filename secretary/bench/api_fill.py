"""What a benchmark's tables are filled with: calls of 90 days, and what calls leave behind.

Each statement names the columns that matter; `more_columns` and `more_values` are those that a table has gained since.
"""

from __future__ import annotations

from typing import Final

EMPTY: Final = {"boolean": "false", "jsonb": "'{}'", "integer": "0", "numeric": "0", "smallint": "0", "bigint": "0"}
"""A value for a column that must have one, by the column's type; else an empty text."""

# Spread over all domains; mostly short, every tenth put through.
CALLS: Final = (
    "secretary_call",
    """
insert into secretary_call (
    created_at, updated_at, domain_uuid, call_uuid, secretary_uuid, extension, caller_number, caller_name, transport,
    node, lease_until, started_at, answered_at, ended_at, outcome, outcome_detail, recording, latency{more_columns}
)
select moment, moment, s.domain_uuid, gen_random_uuid(), s.secretary_uuid, '8001', '+55119' || lpad(n::text, 8, '0'),
    'Caller ' || n, 'direct-udp', 'node-a', moment, moment, moment, moment + interval '90 seconds',
    (array['completed', 'message', 'caller_hung_up', 'transferred'])[1 + n %% 4], '', '', '{{}}'{more_values}
from (
    select n, now() - (random() * 90 * 86400) * interval '1 second' as moment, 1 + n %% %(secretaries)s as row
    from generate_series(1, %(calls)s) n
) n
join (select *, row_number() over () as row from secretary_secretary) s on s.row = n.row
""",
)

LEFT_BEHIND: Final = (
    (
        "secretary_message",
        """
insert into secretary_message (
    created_at, updated_at, domain_uuid, message_uuid, secretary_uuid, call_uuid, caller_number, caller_name, text,
    complete, read_at, urgency{more_columns}
)
select started_at, started_at, domain_uuid, gen_random_uuid(), secretary_uuid, call_uuid, caller_number, caller_name,
    'Please call me back about the invoice.', true, case when random() < 0.9 then started_at end, 'normal'{more_values}
from secretary_call where outcome = 'message'
""",
    ),
    (
        "eslbridge_job",
        """
insert into eslbridge_job (
    created_at, updated_at, domain_uuid, job_uuid, secretary_uuid, call_uuid, kind, arguments, state, outcome,
    attempts, run_after, finished_at, detail{more_columns}
)
select started_at, started_at, domain_uuid, gen_random_uuid(), secretary_uuid, call_uuid, 'transfer',
    '{{"number": "1001"}}', 'done', 'done', 1, started_at, ended_at, '{{}}'{more_values}
from secretary_call where outcome = 'transferred'
""",
    ),
    (
        "secretary_callback",
        """
insert into secretary_callback (
    created_at, updated_at, domain_uuid, callback_uuid, secretary_uuid, call_uuid, number, name, reason, consent_at,
    consent_how, consent_by, not_before, not_after, state, attempts, max_attempts, spacing_minutes,
    finished_at{more_columns}
)
select started_at, started_at, domain_uuid, gen_random_uuid(), secretary_uuid, call_uuid, '1001', caller_name,
    'the invoice', started_at, 'spoken', 'Secretary', started_at, started_at + interval '1 day', 'done', 1, 3, 30,
    ended_at{more_values}
from secretary_call where outcome = 'message' and random() < 0.4
""",
    ),
    (
        "eslbridge_dialattempt",
        """
insert into eslbridge_dialattempt (
    created_at, updated_at, domain_uuid, attempt_uuid, call_uuid, secretary_uuid, kind, number, allowed,
    reason{more_columns}
)
select started_at, started_at, domain_uuid, gen_random_uuid(), call_uuid, secretary_uuid, 'transfer', '1001', true,
    'own_number'{more_values}
from secretary_call where outcome = 'transferred'
""",
    ),
)
"""(table, statement), each from the calls."""
