"""Migrating a database without rendering every model again and again.

Django renders a model and all that are related to it anew after each operation, also where only a constraint, an
index or a trigger was added, which no rendering depends on. With some hundred models around one table of people that
is most of the time a migration takes: measured, two thirds of it. Inside `light_states` such operations set the
option on the model that is rendered already.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db.migrations.state import ProjectState
from pgtrigger.migrations import AddTrigger, RemoveTrigger

_KEPT_IN_META = ("constraints", "indexes")
# who changes nothing but an option of a model, and tells the state to render it again
_OPTION_ALONE: tuple[tuple[type[Any], str], ...] = (
    (ProjectState, "_append_option"),
    (ProjectState, "_remove_option"),
    (ProjectState, "_alter_option"),
    (AddTrigger, "state_forwards"),
    (RemoveTrigger, "state_forwards"),
)


@contextmanager
def light_states() -> Iterator[None]:
    """Render no model anew, inside this block, for a constraint, an index or a trigger."""
    originals = [(owner, name, getattr(owner, name)) for owner, name in _OPTION_ALONE]
    for owner, name, original in originals:
        setattr(owner, name, _without_rendering(original))
    try:
        yield
    finally:
        for owner, name, original in originals:
            setattr(owner, name, original)


def _without_rendering(original: Callable[..., None]) -> Callable[..., None]:
    def changed(*args: Any, **kwargs: Any) -> None:
        render = ProjectState.reload_model
        ProjectState.reload_model = _settle  # type: ignore[method-assign, assignment]
        try:
            original(*args, **kwargs)
        finally:
            ProjectState.reload_model = render  # type: ignore[method-assign]

    return changed


def _settle(state: ProjectState, app_label: str, model_name: str, delay: bool = False) -> None:
    """Set the options on the rendered model, in the place of `ProjectState.reload_model`."""
    if "apps" not in state.__dict__:
        return
    options = state.models[app_label, model_name.lower()].options
    meta = state.apps.get_model(app_label, model_name)._meta
    for name in _KEPT_IN_META:
        setattr(meta, name, list(options.get(name, ())))
