"""Deepgram's Voice Agent: recogniser, language model and voice behind one WebSocket."""
