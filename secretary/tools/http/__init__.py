"""Tools of a tenant's own: one HTTP request each, to its own server, through the egress guard."""
