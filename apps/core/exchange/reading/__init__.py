"""Strangers' files, read in a process of their own with bounded memory and time.

Nothing here but `table.py` runs inside mops: `child.py` starts without Django and without the environment's secrets,
reads one file with one of the readers beside it and writes lines of JSON. Whatever a file does to its reader ends as
one sentence.
"""
