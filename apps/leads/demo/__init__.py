"""The demo: an invented company at work, made through the real operations by the people who would have done it."""
