"""One cluster of django-q2: the process that a supervisor starts, and everything below it."""

import os

from django_q.cluster import Cluster

from apps.core.jobs.kinship import die_with_parent
from mops.garbage import keep_what_is_loaded


def run_cluster(parent: int, ready: int) -> int:
    """Run the cluster that Q_CLUSTER_NAME names until it is told to stop; returns the exit code.

    Args:
        parent: process id of the supervisor, with which everything here dies.
        ready: file descriptor to write to when every process is there.
    """
    die_with_parent(parent)
    keep_what_is_loaded()  # its workers are forked from here
    cluster = Cluster()
    cluster.start()
    os.write(ready, b".")
    sentinel = cluster.sentinel
    while sentinel.is_alive():
        sentinel.join(1)
    # what is left below a dead sentinel has died with it; nothing here is worth an orderly exit
    os._exit(0 if sentinel.exitcode == 0 else 1)
