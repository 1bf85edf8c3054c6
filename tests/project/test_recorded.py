"""Each kind of row is governed, or says in its own words why not: append-only, derived, a log."""

import re

from django.apps import apps

from apps.core.governed import GovernedBase

SAYS_SO = re.compile(
    r"not (a )?governed|no governed|plain row|append-only|evidence|derived|written once|never changed|in the ledger",
    re.IGNORECASE,
)


def test_every_kind_is_governed_or_says_why_not():
    silent = [
        model._meta.label
        for model in apps.get_models()
        if model.__module__.startswith("apps.")
        and not issubclass(model, GovernedBase)
        and not hasattr(model, "history_object")  # versions
        and not SAYS_SO.search(
            " ".join(each.__doc__ or "" for each in model.__mro__ if each.__module__.startswith("apps."))
        )
    ]
    assert silent == []
