"""OpenAI Realtime, as generally available: OpenAI itself, Azure, and servers that speak the same protocol."""
