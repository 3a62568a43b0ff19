"""Gemini Live: Google's BidiGenerateContent over a WebSocket."""
