"""Who calls, what they may, and how often: identities, roles, routes and limits."""
