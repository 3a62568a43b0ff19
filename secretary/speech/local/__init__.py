"""The local secretary: listens, decides and speaks without any network. The newcomer's default and everybody's safety net."""
