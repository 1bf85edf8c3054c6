"""`manage.py test` runs pytest; `--proof` runs the long proofs at full figures."""

import os
from argparse import ArgumentParser
from typing import Any

import pytest


class PytestRunner:
    """Django's test command, carried out by pytest."""

    def __init__(
        self,
        verbosity: int = 1,
        failfast: bool = False,
        keepdb: bool = False,
        proof: bool = False,
        workers: str = "",
        **kwargs: Any,
    ) -> None:
        """Translate Django's options into pytest's."""
        self.args = ["-q"] if verbosity == 0 else ["-v"] if verbosity > 1 else []
        self.args += ["--exitfirst"] if failfast else []
        self.args += ["--reuse-db"] if keepdb else []
        self.args += ["--proof"] if proof else []
        self.args += ["--durations=25"] if os.environ.get("CI") else []
        self.args += ["-n", workers, "--dist", "loadscope"] if workers else []

    @classmethod
    def add_arguments(cls, parser: ArgumentParser) -> None:
        """Offer the options that `manage.py test --help` lists."""
        parser.add_argument("--keepdb", action="store_true", help="Keep the test database for the next run.")
        parser.add_argument("--proof", action="store_true", help="Run the long proofs at full figures.")
        default = str(os.cpu_count() or 1) if os.environ.get("CI") else ""
        parser.add_argument("--workers", default=default, help="How many processes run the tests.")

    def run_tests(self, test_labels: list[str], **kwargs: Any) -> int:
        """Run pytest and return its exit code."""
        return int(pytest.main([*self.args, *test_labels]))
