"""ElevenLabs Agents: a conversation over a WebSocket with an agent that the tenant has made at ElevenLabs."""
