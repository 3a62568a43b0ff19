"""The demonstration: two tenants, a switch that is not there, and one real conversation from ring to transfer."""
