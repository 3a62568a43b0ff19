"""Servers on loopback that stand in for speech providers, scripted by the tests, held to the vendors' own types."""
