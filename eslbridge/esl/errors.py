"""What can go wrong on an Event Socket, as one tree under `ControlError`.

ControlError
└── EslError
    ├── ProtocolError          the peer does not speak Event Socket, or said too much
    ├── CommandRefused         we refuse to send this: it is not a safe command
    ├── CommandFailed          the switch answered -ERR or -USAGE
    ├── CommandTimeout         the switch did not answer in time
    └── NotConnected           there is no connection, or it broke while waiting
        └── AuthenticationFailed   wrong password, or refused by the switch's access list
"""

from __future__ import annotations

from eslbridge.control import ControlError


class EslError(ControlError):
    """Anything that went wrong between us and FreeSWITCH."""


class ProtocolError(EslError):
    """Bytes that are not Event Socket, or a block beyond the limits. The connection cannot be used any more."""


class CommandRefused(EslError, ValueError):
    """A command that could mean something else to FreeSWITCH than it means to us. Nothing was sent."""


class CommandFailed(EslError):
    """FreeSWITCH answered with an error; `reply` is its text."""

    def __init__(self, command: str, reply: str) -> None:
        super().__init__(f"{command}: {reply}")
        self.reply = reply


class CommandTimeout(EslError):
    """No answer within the deadline."""


class NotConnected(EslError):
    """No connection to the switch, or it ended before the answer came."""


class AuthenticationFailed(NotConnected):
    """The switch does not accept our password or our address. Trying again will not help."""
