"""The web panel: pages for the people of a domain. Reads through selectors, writes through services."""
