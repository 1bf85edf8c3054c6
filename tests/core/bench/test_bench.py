"""`manage.py bench` prints one object a line with the figures it promises."""

import json
import os
import subprocess
import sys

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from apps.core.bench.registry import Result, Taken, interleaved, middle, timed

KEYS = {"name", "rows", "seconds", "limit_seconds", "usual_seconds", "to_limit", "to_usual", "goal", "met"}


def test_result_line_has_ratios():
    line = Result("x", 10, 2.0, 1.0, 6.0, "fast", True, {"bytes": 3}).as_line()
    assert (line["to_limit"], line["to_usual"], line["bytes"]) == (2.0, 3.0, 3)
    assert line.keys() >= KEYS


def test_result_without_comparison_has_null_ratios():
    line = Result("x", 10, 2.0, None, None, "fast", True).as_line()
    assert (line["to_limit"], line["to_usual"]) == (None, None)


@pytest.mark.django_db
def test_interleaved_runs_paths_in_turn_and_warms_up():
    order = []
    seconds = interleaved(lambda: order.append("a"), lambda: order.append("b"), rounds=3)
    assert order == ["a", "b"] * 4
    assert len(seconds) == 2


@pytest.mark.django_db
def test_what_was_worked_is_told_beside_the_clock():
    waited = timed(lambda: connection.cursor().execute("SELECT pg_sleep(0.01)"))
    assert waited.worked >= 0 and waited.seconds >= 0.01  # noqa: PT018  # both of one measurement
    assert middle([Taken(1, 9), Taken(3, 7), Taken(2, 8)]) == Taken(2, 8)


def test_unknown_benchmark_is_refused_with_the_known_ones():
    with pytest.raises(CommandError, match=r"There is no benchmark 'nonsense'; there are: .*page"):
        call_command("bench", "nonsense")


def test_page_benchmark_runs_in_a_database_of_its_own(spare_home):
    command = [sys.executable, "manage.py", "bench", "page", "--rows", "40"]
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, "MOPS_HOME": str(spare_home)}, check=False
    )
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert [line["name"] for line in lines] == ["page home", "page list", "page detail", "page history"]
    assert all(line.keys() >= KEYS and line["queries"] > 0 for line in lines)
