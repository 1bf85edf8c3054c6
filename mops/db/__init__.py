"""The two database engines of mops, and the roles that own and serve its data."""
