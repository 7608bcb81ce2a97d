"""A function app of its own: the least that could take a check."""
