"""Migrating a database without rendering every model again and again.

Django renders a model and all that are related to it anew after each operation. With some hundred models around one
table of people that is nearly all the time a migration takes. Inside `light_states`

- a constraint, an index or a trigger sets the option on the model that is rendered already: no rendering depends on it;
- a new model or field renders its own model alone and tells the state that relations are "delayed", which is Django's
  own word for it: before a data migration is handed the models, and at the end, Django then renders all of them.

Every other operation renders as it always did. The finished schema is the same (tests/core/test_migrating.py).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db.migrations.state import ProjectState
from pgtrigger.migrations import AddTrigger, RemoveTrigger

_RELOAD = ProjectState.reload_model
_KEPT_IN_META = ("constraints", "indexes")
# who changes nothing but an option of a model, and tells the state to render it again
_OPTION_ALONE: tuple[tuple[type[Any], str], ...] = (
    (ProjectState, "_append_option"),
    (ProjectState, "_remove_option"),
    (ProjectState, "_alter_option"),
    (AddTrigger, "state_forwards"),
    (RemoveTrigger, "state_forwards"),
)
# who adds a model or a field: nothing of other models changes but what they know of this one
_MODEL_ALONE: tuple[tuple[type[Any], str], ...] = (
    (ProjectState, "add_model"),
    (ProjectState, "add_field"),
)


@contextmanager
def light_states() -> Iterator[None]:
    """Render no model anew, inside this block, that an operation does not change."""
    originals = [(owner, name, getattr(owner, name)) for owner, name in (*_OPTION_ALONE, *_MODEL_ALONE)]
    for owner, name, original in originals:
        instead = _settle if (owner, name) in _OPTION_ALONE else _render_alone
        setattr(owner, name, _rendering_by(instead, original))
    try:
        yield
    finally:
        for owner, name, original in originals:
            setattr(owner, name, original)


def _rendering_by(instead: Callable[..., None], original: Callable[..., None]) -> Callable[..., None]:
    def changed(*args: Any, **kwargs: Any) -> None:
        render = ProjectState.reload_model
        ProjectState.reload_model = instead  # type: ignore[method-assign, assignment]
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


def _render_alone(state: ProjectState, app_label: str, model_name: str, delay: bool = False) -> None:
    """Render one model, in the place of `ProjectState.reload_model`; a model others inherit from goes the long way."""
    if "apps" not in state.__dict__:
        return
    key = app_label, model_name.lower()
    if _has_heirs(state, *key):
        _RELOAD(state, app_label, model_name, delay)
        return
    state.is_delayed = True
    state._reload({key})  # type: ignore[attr-defined]  # what both ways of Django end in


def _has_heirs(state: ProjectState, app_label: str, model_name: str) -> bool:
    name = f"{app_label}.{model_name}"
    return any(
        isinstance(base, str) and base.lower() == name for model in state.models.values() for base in model.bases
    )
