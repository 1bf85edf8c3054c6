"""A private PostgreSQL server for every machine that has no DATABASE_URL."""
