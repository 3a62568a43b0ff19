"""What the switch knows of users and queues: `user_exists`, `user_data`, `sofia_contact`, `callcenter_config`."""

from __future__ import annotations

from eslbridge.simulator.api import Api, command
from eslbridge.simulator.options import Extension

NO_REPLY = "-ERR no reply\n"
"""What mod_event_socket makes of an empty answer."""
DIAL_STRING = "{sip_invite_domain=${dialed_domain},presence_id=${dialed_user}@${dialed_domain}}${sofia_contact(*/${dialed_user}@${dialed_domain})}"  # noqa: E501
AGENT_COLUMNS = (
    "name|instance_id|uuid|type|contact|status|state|max_no_answer|wrap_up_time|reject_delay_time|busy_delay_time"
    "|no_answer_delay_time|last_bridge_start|last_bridge_end|last_offered_call|last_status_change|no_answer_count"
    "|calls_answered|talk_time|ready_time|external_calls_count"
)


QUEUE_COLUMNS = (
    "name|strategy|moh_sound|time_base_score|tier_rules_apply|tier_rule_wait_second|tier_rule_wait_multiply_level"
    "|tier_rule_no_agent_no_wait|discard_abandoned_after|abandoned_resume_allowed|max_wait_time"
    "|max_wait_time_with_no_agent|max_wait_time_with_no_agent_time_reached|record_template|calls_answered"
    "|calls_abandoned|ring_progressively_delay|skip_agents_with_external_calls|agent_no_answer_status"
)
QUEUE_ROW = (
    "|longest-idle-agent|local_stream://default|system|false|300|true|false|60|false|0|0|5||0|0|10|true|On Break"
)


def _extension(api: Api, who: str) -> Extension | None:
    number, _, domain = who.rpartition("/")[2].partition("@")
    return api.switch.extension(number, domain)


@command("sofia_contact")
def sofia_contact(api: Api, rest: str) -> str:
    """`[<profile>/]<user>@<domain>`; `*` asks all profiles."""
    extension = _extension(api, rest.strip())
    if extension is None or extension.conduct == "unregistered":
        return "error/user_not_registered"
    return f"sofia/internal/sip:{extension.number}@192.0.2.20:5060"


@command("user_exists")
def user_exists(api: Api, rest: str) -> str:
    """`id <user> <domain>`: whether the directory knows a user, registered or not."""
    words = rest.split()
    if len(words) != 3:
        return "false"
    return "true" if api.switch.extension(words[1], words[2]) is not None else "false"


@command("user_data")
def user_data(api: Api, rest: str) -> str:
    """`<user>@<domain> attr|param|var <name>`. A user need not be registered to be in the directory."""
    words = rest.split()
    if len(words) < 3:
        return "-USAGE: <user>@<domain> [attr|var|param] <name>\n"
    extension = _extension(api, words[0])
    if extension is None:
        return NO_REPLY
    match words[1]:
        case "attr":
            return extension.number if words[2] == "id" else NO_REPLY
        case "param":
            return DIAL_STRING if words[2] == "dial-string" else NO_REPLY
    return extension.directory.get(words[2], "") or NO_REPLY


@command("callcenter_config")
def callcenter_config(api: Api, rest: str) -> str:
    """`queue list`: a heading, a line for each, `+OK`. `queue list agents <queue>` the same, and without any, or such a
    queue, only `+OK`."""
    words = rest.split()
    if words == ["queue", "list"]:
        return "\n".join([QUEUE_COLUMNS, *(f"{name}{QUEUE_ROW}" for name in api.switch.queues), "+OK\n"])
    if words[:3] != ["queue", "list", "agents"] or len(words) < 4:
        return "-ERR Invalid!\n"
    agents = api.switch.queues.get(words[3], {})
    rows = [
        f"{name}|single_box||callback|{{call_timeout=15}}user/{name}|{status}|Waiting|3|10|10|60|30|0|0|0|0|0|0|0|0|0"
        for name, status in agents.items()
    ]
    return "\n".join([AGENT_COLUMNS, *rows, "+OK\n"]) if rows else "+OK\n"
