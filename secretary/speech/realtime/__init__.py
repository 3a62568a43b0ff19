"""What the realtime speech providers share: the connection, the order of turns, words beside their sound, memory."""
