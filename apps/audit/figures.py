"""Figures of the ledger for monitoring: are the seals keeping up?"""

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily

from apps.audit.domain.watching_seals import seal_lag


def seal_figures() -> Iterator[GaugeMetricFamily]:
    """Yield how far the seals are behind the ledger."""
    lag = seal_lag()
    yield GaugeMetricFamily("mops_ledger_unsealed", "Ledger entries that are not sealed yet.", lag.unsealed)
    yield GaugeMetricFamily("mops_ledger_unsealed_seconds", "How long the oldest of them waits.", lag.seconds)
