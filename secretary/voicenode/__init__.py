"""The voice node: one process, one event loop, and the calls that it owns.

It puts the parts together (switch, audio, speech, conversation, database) and knows the way of a call through them.
"""
