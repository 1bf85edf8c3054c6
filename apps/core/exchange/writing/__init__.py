"""Tables written as CSV, Excel and JSON, so that reading them again gives the same."""
