"""Carrying out jobs: what a worker says to a switch, and what it makes of the answers."""
