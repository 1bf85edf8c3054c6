"""mops, the back office of Marketing Operations."""
