"""Alerts for tests."""

from apps.core.alerts.domain.alerting import raise_alert


def an_alert(fingerprint="disk.full", **fields):
    """An open alert."""
    return raise_alert(fingerprint, **{"title": "The disk is full", "severity": "warning", **fields})
