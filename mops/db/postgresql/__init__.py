"""Django's PostgreSQL engine with two roles: one owns and migrates, the other serves."""
