"""Template helpers for account pages."""
