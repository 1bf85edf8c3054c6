"""British English, with the clock of twenty-four hours that our own pages use."""
