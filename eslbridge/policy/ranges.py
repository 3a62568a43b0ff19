"""Numbers that nobody's secretary dials: emergency services, and where money is stolen by telephone.

The types of numbers (premium, shared cost, personal) and the networks of no country come from the library; here stands
what it does not know: where revenue-share fraud sends its calls. Sources: the countries and territories that carriers'
fraud lists have in common (few real calls, high termination rates, known number resellers). A domain that does
business with one of them allows that country by name.
"""

from __future__ import annotations

from typing import Final

# No model dials these: a person in need presses the keys. The short ones of the world for external numbers; inside a
# domain, where 100 or 110 is somebody's desk, those that a PBX commonly routes to the emergency services.
EMERGENCY_INSIDE: Final = frozenset({"000", "112", "190", "192", "193", "911", "933", "999"})
EMERGENCY: Final = EMERGENCY_INSIDE | frozenset(
    {"100", "101", "102", "108", "110", "111", "113", "115", "116", "117", "118", "119", "120", "122", "123", "131"}
    | {"132", "133", "144", "155", "158", "191", "194", "197", "198", "199", "988", "991", "995", "997", "998"}
)

HIGH_RISK_COUNTRIES: Final = frozenset(
    # Africa
    {"BI", "DJ", "GM", "GN", "GW", "KM", "LR", "MR", "SC", "SL", "SO", "ST", "TD", "ZW", "ER", "CF", "CG", "GA"}
    # islands with few inhabitants and many resold numbers
    | {"AC", "SH", "FK", "IO", "CK", "KI", "MV", "NR", "NU", "PG", "SB", "TK", "TL", "TO", "TV", "VU", "WF", "WS"}
    | {"CU", "KP"}
)
"""ISO 3166 codes, as phonenumbers calls regions (AC: Ascension)."""

HIGH_RISK_PREFIXES: Final = (
    # They look domestic in North America: one-ring and lottery fraud.
    "1268", "1284", "1473", "1649", "1658", "1664", "1767", "1784", "1876",
    "6723",  # Norfolk Island
)  # fmt: skip
"""E.164 digits without the plus."""

NO_COUNTRY: Final = "001"
"""The library's region for +800, +808, +870 (Inmarsat), +878, +881 (Iridium, Globalstar), +882, +883 and +979."""
SATELLITE_PREFIXES: Final = ("870", "878", "881", "882", "883", "888", "979")
"""The same by digits: whatever the library thinks of a single number behind them."""

REFUSED_FEATURES: Final = ("*33", "*3472")
"""FusionPBX's feature codes that give a stranger's line something to listen to or to dial with: eavesdrop and DISA."""
