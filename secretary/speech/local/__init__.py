"""The local secretary: hears, decides and speaks without a network. The newcomer's default, everybody's safety net."""
