"""What worker processes are called in the rows they work on: "host/cluster/token", and for one process "…/pid"."""

import os
import secrets
import socket

CLUSTER_VARIABLE = "MOPS_CLUSTER"  # set by the supervisor in the environment of a cluster's processes


def make_cluster_name(queue: str) -> str:
    """Make up a name for a cluster of this machine that no other cluster ever has."""
    return f"{socket.gethostname()[:50]}/{queue}/{secrets.token_hex(6)}"


def cluster_name() -> str:
    """Return the cluster this process belongs to."""
    return os.environ.get(CLUSTER_VARIABLE) or f"{socket.gethostname()[:50]}/none/{os.getpid()}"


def worker_name(cluster: str) -> str:
    """Return how this process is called."""
    return f"{cluster}/{os.getpid()}"


def pid_of(worker: str) -> int:
    """Return the process id of a worker from its name."""
    return int(worker.rpartition("/")[2])
