"""The headers of channel events: the caller's profile, the channel's state, and a SIP call's variables.

Names, order and values follow a real call recorded from FreeSWITCH 1.11 (7.4 KB of channel data).
"""

from __future__ import annotations

import random
import string
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from eslbridge.simulator.events import Headers, Value

if TYPE_CHECKING:
    from eslbridge.simulator.channel import Channel

STATE_NUMBERS = {
    "CS_NEW": 0,
    "CS_INIT": 1,
    "CS_ROUTING": 2,
    "CS_SOFT_EXECUTE": 3,
    "CS_EXECUTE": 4,
    "CS_EXCHANGE_MEDIA": 5,
    "CS_PARK": 6,
    "CS_CONSUME_MEDIA": 7,
    "CS_HIBERNATE": 8,
    "CS_RESET": 9,
    "CS_HANGUP": 10,
    "CS_REPORTING": 11,
    "CS_DESTROY": 12,
}
USER_AGENT = "FreeSWITCH-mod_sofia/1.11.3-dev+git~20260821T141014Z~cc93a683ca~64bit"
_TIMES = ("Progress-Time", "Progress-Media-Time", "Hangup-Time", "Transfer-Time", "Resurrect-Time", "Bridged-Time")


def now_us() -> int:
    """Wall time in microseconds, as FreeSWITCH stamps things."""
    return time.time_ns() // 1000


@dataclass(slots=True)
class Profile:
    """Who calls whom, as the switch knows it."""

    caller_number: str
    destination: str
    context: str
    caller_name: str = ""
    network_addr: str = "127.0.0.1"
    source: str = "mod_sofia"
    dialplan: str = "XML"
    created_us: int = 0


def _token(length: int) -> str:
    return "".join(random.choices(string.ascii_letters + string.digits, k=length))  # noqa: S311 - SIP tags, no secret


def profile_headers(channel: Channel, prefix: str) -> Headers:
    """`Caller-…` (every event) or `Channel-…` (the `connect` reply)."""
    profile = channel.profile
    direction = channel.direction
    stamps = {
        "Hangup-Time": channel.hangup_us,
        "Transfer-Time": channel.transfer_us,
        "Bridged-Time": channel.bridged_us,
    }
    stamps["Progress-Media-Time"] = channel.progress_media_us
    headers: Headers = [("Direction", direction), ("Logical-Direction", direction)]
    if direction == "inbound":
        headers.append(("Username", profile.caller_number))
    headers.append(("Dialplan", profile.dialplan))
    name = profile.caller_name
    headers += [("Caller-ID-Name", name), ("Caller-ID-Number", profile.caller_number)]
    headers += [("Orig-Caller-ID-Name", name), ("Orig-Caller-ID-Number", profile.caller_number)]
    if direction == "outbound":
        headers += [("Callee-ID-Name", "Outbound Call"), ("Callee-ID-Number", profile.destination)]
    headers += [
        ("Network-Addr", profile.network_addr),
        ("ANI", profile.caller_number),
        ("Destination-Number", profile.destination),
        ("Unique-ID", channel.uuid),
        ("Source", profile.source),
        ("Context", profile.context),
        ("Channel-Name", channel.name),
        ("Profile-Index", "1"),
        ("Profile-Created-Time", str(profile.created_us)),
        ("Channel-Created-Time", str(channel.created_us)),
        ("Channel-Answered-Time", str(channel.answered_us)),
    ]
    headers += [(f"Channel-{kind}", str(stamps.get(kind, 0))) for kind in _TIMES]
    headers += [("Channel-Last-Hold", "0"), ("Channel-Hold-Accum", "0"), ("Screen-Bit", "true")]
    headers += [("Privacy-Hide-Name", "false"), ("Privacy-Hide-Number", "false")]
    return [(f"{prefix}-{name}", value) for name, value in headers if value]


def state_headers(channel: Channel) -> Headers:
    """The channel's own part of an event, without variables (DTMF, CHANNEL_STATE)."""
    # In the recordings the number runs ahead of the name while a hangup is under way.
    state = "CS_HANGUP" if channel.is_down and channel.state != "CS_REPORTING" else channel.state
    headers: Headers = [
        ("Channel-State", channel.state),
        ("Channel-Call-State", channel.call_state),
        ("Channel-State-Number", str(STATE_NUMBERS[state])),
        ("Channel-Name", channel.name),
        ("Unique-ID", channel.uuid),
        ("Call-Direction", channel.direction),
        ("Presence-Call-Direction", channel.direction),
        ("Channel-HIT-Dialplan", "true" if channel.direction == "inbound" else "false"),
        ("Channel-Call-UUID", channel.uuid),
        ("Answer-State", channel.answer_state),
    ]
    if channel.hangup_cause:
        headers.append(("Hangup-Cause", channel.hangup_cause))
    if channel.has_media:
        for way in ("Read", "Write"):
            headers += [
                (f"Channel-{way}-Codec-Name", channel.codec),
                (f"Channel-{way}-Codec-Rate", "8000"),
                (f"Channel-{way}-Codec-Bit-Rate", "64000"),
            ]
    headers += profile_headers(channel, "Caller")
    if channel.other_leg is not None:
        headers += profile_headers(channel.other_leg, "Other-Leg")
    return headers


def sip_variables(channel: Channel, session_id: int, domain: str) -> dict[str, Value]:
    """A SIP caller's variables at the moment the dialplan starts."""
    profile = channel.profile
    number, dialled, host = profile.caller_number, profile.destination, profile.network_addr
    display = profile.caller_name
    tag, branch, call_id = _token(13), _token(12), channel.uuid
    port = 30000 + session_id * 2 % 20000
    sdp = (
        f"v=0\r\no=FreeSWITCH 1795178983 1795178984 IN IP4 {host}\r\ns=FreeSWITCH\r\nc=IN IP4 {host}\r\nt=0 0\r\n"
        f"m=audio {port} RTP/AVP 0 8 101 13\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n"
        "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=rtpmap:13 CN/8000\r\na=ptime:20\r\n"
    )
    named = f'"{display}" ' if display else ""
    return {
        "direction": "inbound",
        "uuid": channel.uuid,
        "session_id": str(session_id),
        "sip_from_user": number,
        "sip_from_uri": f"{number}@{domain}",
        "sip_from_host": domain,
        "video_media_flow": "disabled",
        "text_media_flow": "disabled",
        "channel_name": channel.name,
        "sip_call_id": call_id,
        "sip_local_network_addr": host,
        "sip_network_ip": host,
        "sip_network_port": "5060",
        "sip_invite_stamp": str(channel.created_us),
        "sip_received_ip": host,
        "sip_received_port": "5060",
        "sip_via_protocol": "udp",
        "sip_from_user_stripped": number,
        "sip_from_tag": tag,
        "sofia_profile_name": "internal",
        "sofia_profile_url": f"sip:mod_sofia@{host}:5060",
        "recovery_profile_name": "internal",
        "sip_Remote-Party-ID": f"{named}<sip:{number}@{domain}>;party=calling;screen=yes;privacy=off",
        "sip_cid_type": "rpid",
        "sip_full_via": f"SIP/2.0/UDP {host};rport=5060;branch=z9hG4bK{branch}",
        "sip_from_display": display,
        "sip_full_from": f"{named}<sip:{number}@{domain}>;tag={tag}",
        "sip_full_to": f"<sip:{dialled}@{domain}:5060>",
        "sip_allow": "INVITE, ACK, BYE, CANCEL, OPTIONS, MESSAGE, INFO, UPDATE, REGISTER, REFER, NOTIFY",
        "sip_req_user": dialled,
        "sip_req_port": "5060",
        "sip_req_uri": f"{dialled}@{domain}:5060",
        "sip_req_host": domain,
        "sip_to_user": dialled,
        "sip_to_port": "5060",
        "sip_to_uri": f"{dialled}@{domain}:5060",
        "sip_to_host": domain,
        "sip_contact_user": "mod_sofia",
        "sip_contact_port": "5060",
        "sip_contact_uri": f"mod_sofia@{host}:5060",
        "sip_contact_host": host,
        "sip_user_agent": USER_AGENT,
        "sip_via_host": host,
        "sip_via_rport": "5060",
        "max_forwards": "70",
        "switch_r_sdp": sdp,
        "ep_codec_string": "CORE_PCM_MODULE.PCMU@8000h@20i@64000b,CORE_PCM_MODULE.PCMA@8000h@20i@64000b",
    }


def media_variables(channel: Channel, session_id: int) -> dict[str, Value]:
    """What appears once the call has media."""
    host = channel.profile.network_addr
    payload = "0" if channel.codec == "PCMU" else "8"
    local, remote = 20000 + session_id * 2 % 10000, 30000 + session_id * 2 % 20000
    sdp = (
        f"v=0\r\no=FreeSWITCH 1795184985 1795184986 IN IP4 {host}\r\ns=FreeSWITCH\r\nc=IN IP4 {host}\r\nt=0 0\r\n"
        f"m=audio {local} RTP/AVP {payload} 101 13\r\na=rtpmap:{payload} {channel.codec}/8000\r\n"
        "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=rtpmap:13 CN/8000\r\na=ptime:20\r\na=sendrecv\r\n"
    )
    return {
        "rtp_use_codec_string": "PCMU,PCMA",
        "remote_video_media_flow": "inactive",
        "remote_text_media_flow": "inactive",
        "remote_audio_media_flow": "sendrecv",
        "audio_media_flow": "sendrecv",
        "rtp_audio_recv_pt": payload,
        "rtp_use_codec_name": channel.codec,
        "rtp_use_codec_rate": "8000",
        "rtp_use_codec_ptime": "20",
        "rtp_use_codec_channels": "1",
        "rtp_last_audio_codec_string": f"{channel.codec}@8000h@20i@1c",
        "read_codec": channel.codec,
        "original_read_codec": channel.codec,
        "read_rate": "8000",
        "original_read_rate": "8000",
        "write_codec": channel.codec,
        "write_rate": "8000",
        "dtmf_type": "rfc2833",
        "rtp_local_sdp_str": sdp,
        "local_media_ip": host,
        "local_media_port": str(local),
        "advertised_media_ip": host,
        "rtp_use_timer_name": "soft",
        "rtp_use_pt": payload,
        "rtp_use_ssrc": str(3_000_000_000 + session_id),
        "rtp_2833_send_payload": "101",
        "rtp_2833_recv_payload": "101",
        "remote_media_ip": host,
        "remote_media_port": str(remote),
        "endpoint_disposition": "ANSWER",
    }


def hangup_variables(channel: Channel) -> dict[str, Value]:
    """The call's account, added before CHANNEL_HANGUP_COMPLETE."""

    def stamp(us: int) -> str:
        return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(us / 1e6)) if us else ""

    created, answered, ended = channel.created_us, channel.answered_us, channel.hangup_us
    total, billed = ended - created, ended - answered if answered else 0
    found: dict[str, Value] = {
        "hangup_cause": channel.hangup_cause,
        "hangup_cause_q850": str(CAUSES.get(channel.hangup_cause, 16)),
        "digits_dialed": channel.digits or "none",
        "start_stamp": stamp(created),
        "profile_start_stamp": stamp(channel.profile.created_us),
        "answer_stamp": stamp(answered),
        "end_stamp": stamp(ended),
        "start_epoch": str(created // 1_000_000),
        "start_uepoch": str(created),
        "answer_epoch": str(answered // 1_000_000),
        "answer_uepoch": str(answered),
        "bridge_epoch": str(channel.bridged_us // 1_000_000),
        "bridge_uepoch": str(channel.bridged_us),
        "end_epoch": str(ended // 1_000_000),
        "end_uepoch": str(ended),
        "last_app": channel.last_app[0],
        "last_arg": channel.last_app[1],
        "caller_id": f'"{channel.profile.caller_name}" <{channel.profile.caller_number}>',
        "duration": str(total // 1_000_000),
        "billsec": str(billed // 1_000_000),
        "mduration": str(total // 1000),
        "billmsec": str(billed // 1000),
        "uduration": str(total),
        "billusec": str(billed),
        "sip_hangup_disposition": "recv_bye" if channel.hung_up_by_phone else "send_bye",
        "rtp_audio_in_media_packet_count": str(channel.media.frames_in),
        "rtp_audio_out_media_packet_count": str(channel.media.frames_out),
    }
    return {name: value for name, value in found.items() if value}


CAUSES = {
    "UNALLOCATED_NUMBER": 1,
    "NO_ROUTE_DESTINATION": 3,
    "NORMAL_CLEARING": 16,
    "USER_BUSY": 17,
    "NO_USER_RESPONSE": 18,
    "NO_ANSWER": 19,
    "CALL_REJECTED": 21,
    "EXCHANGE_ROUTING_ERROR": 25,
    "DESTINATION_OUT_OF_ORDER": 27,
    "INVALID_NUMBER_FORMAT": 28,
    "NORMAL_TEMPORARY_FAILURE": 41,
    "RECOVERY_ON_TIMER_EXPIRE": 102,
    "ORIGINATOR_CANCEL": 487,
    "USER_NOT_REGISTERED": 606,
    "BLIND_TRANSFER": 600,
    "ALLOTTED_TIMEOUT": 602,
    "MANAGER_REQUEST": 503,
}
"""Hangup causes and their Q.850 numbers (FreeSWITCH's own above 127)."""
