"""The environment of this process, read once for every settings module."""

from mops.settings.env import read_environment

ENV = read_environment()
