"""Quality checks of content: a document is read once, and all rules look at what was read."""
