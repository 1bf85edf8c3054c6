"""THE MAP in the README cannot rot: every function, page and job it names exists, and every job is on it."""

import re
from importlib import import_module
from pathlib import Path

import pytest
from django.urls import resolve

from apps.core.jobs.registry import all_jobs

README = (Path(__file__).resolve().parent.parent.parent / "README.md").read_text()
MAP = README.split("## THE MAP", 1)[1].split("\n## ", 1)[0]
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in MAP.splitlines() if line.startswith("| ")][1:]


def cells(column):
    found = [re.findall(r"`([^`]+)`", row[column]) for row in ROWS]
    return sorted({name for names in found for name in names})


def test_map_has_rows_of_four_cells():
    assert len(ROWS) > 20
    assert {len(row) for row in ROWS} == {4}


@pytest.mark.parametrize("path", cells(1))
def test_function_on_the_map_exists(path):
    module, _, name = path.partition(":")
    assert callable(getattr(import_module(module.removesuffix(".py").replace("/", ".")), name))


@pytest.mark.parametrize("url", cells(2))
def test_page_on_the_map_exists(url):
    assert resolve(url.replace("<id>", "1"))


@pytest.mark.parametrize("key", cells(3))
def test_job_on_the_map_is_registered(key):
    assert key in {job.key for job in all_jobs()}


def test_every_job_is_on_the_map():
    assert set({job.key for job in all_jobs()}) - set(cells(3)) == set()
