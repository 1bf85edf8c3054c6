"""Migrating a database without rendering every model again and again.

Django renders a model and all that are related to it anew after each operation. With some hundred models around one
table of people that is nearly all the time a migration takes. Inside `light_states`

- a constraint, an index or a trigger sets the option on the model that is rendered already: no rendering depends on it;
- a new model is rendered alone, and a new field is put on the model that is rendered already: those it points to learn
  of it as they do when the product starts;
- a changed or removed field, and changed options, render their own model alone and tell the state that relations are
  "delayed", which is Django's own word for it: before a data migration is handed the models, and at the end, all are
  rendered, once for all the data migrations up to the next such change;
- a state is copied without checking once more what was checked when it was made.

Every other operation renders as it always did. The finished schema is the same (tests/core/test_migrating.py).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from django.apps import apps as installed
from django.db.migrations.operations import RunPython
from django.db.migrations.state import ModelState, ProjectState, StateApps
from django.db.migrations.utils import field_is_referenced
from pgtrigger.migrations import AddTrigger, RemoveTrigger

_RELOAD = ProjectState.reload_model
_KEPT_IN_META = ("constraints", "indexes")


@contextmanager
def light_states() -> Iterator[None]:
    """Render no model anew, inside this block, that an operation does not change."""
    instead = _instead()
    originals = [(owner, name, getattr(owner, name)) for owner, name, _ in instead]
    for owner, name, light in instead:
        setattr(owner, name, light)
    # asked for by each foreign key that is copied, and answered by looking at all models whenever one was rendered
    installed.get_swappable_settings_name = cache(  # type: ignore[method-assign]
        installed.get_swappable_settings_name.__wrapped__.__get__(installed)  # type: ignore[attr-defined]
    )
    try:
        yield
    finally:
        del installed.get_swappable_settings_name
        for owner, name, original in originals:
            setattr(owner, name, original)


def _instead() -> list[tuple[type[Any], str, Callable[..., Any]]]:
    """Return what stands in for what inside the block."""
    option_alone: list[tuple[type[Any], str]] = [
        (ProjectState, "_append_option"),
        (ProjectState, "_remove_option"),
        (ProjectState, "_alter_option"),
        (AddTrigger, "state_forwards"),
        (RemoveTrigger, "state_forwards"),
    ]
    return [
        *((owner, name, _reloading_by(_settle, getattr(owner, name))) for owner, name in option_alone),
        (ProjectState, "add_model", _reloading_by(_render_new, ProjectState.add_model)),
        (ProjectState, "add_field", _reloading_by(_put_on, ProjectState.add_field)),
        (ProjectState, "alter_field", _altering(ProjectState.alter_field)),
        (ProjectState, "remove_field", _reloading_by(_render_alone, ProjectState.remove_field)),
        (ProjectState, "alter_model_options", _reloading_by(_render_alone, ProjectState.alter_model_options)),
        (RunPython, "database_forwards", _rendering_once(RunPython.database_forwards)),
        (ModelState, "clone", _copy),
    ]


def _reloading_by(instead: Callable[..., None], original: Callable[..., None]) -> Callable[..., None]:
    def changed(*args: Any, **kwargs: Any) -> None:
        reload = ProjectState.reload_model
        ProjectState.reload_model = instead  # type: ignore[method-assign, assignment]
        try:
            original(*args, **kwargs)
        finally:
            ProjectState.reload_model = reload  # type: ignore[method-assign]

    return changed


def _altering(original: Callable[..., None]) -> Callable[..., None]:
    """A field that foreign keys or links stand on goes the long way: its type may become theirs."""
    alone = _reloading_by(_render_alone, original)

    def alter_field(state: Any, app_label: str, model_name: str, name: str, field: Any, preserve_default: bool) -> None:
        referenced = field_is_referenced(state, (app_label, model_name.lower()), (name, field))
        alter = original if referenced or field.many_to_many or field.primary_key else alone
        alter(state, app_label, model_name, name, field, preserve_default)

    return alter_field


def _rendering_once(original: Callable[..., None]) -> Callable[..., None]:
    """A data migration changes no model: what is rendered for it serves whatever comes after."""

    def database_forwards(self: Any, app_label: str, editor: Any, from_state: Any, to_state: Any) -> None:
        if to_state.is_delayed:
            to_state.clear_delayed_apps_cache()
            to_state.is_delayed = from_state.is_delayed = False
            from_state.apps = to_state.apps
        original(self, app_label, editor, from_state, to_state)

    return database_forwards


def _copy(model: ModelState) -> ModelState:
    """Copy a model's state, in the place of `ModelState.clone`, which makes it anew and checks every field."""
    twin = object.__new__(type(model))
    twin.__dict__.update(model.__dict__)
    twin.fields, twin.options, twin.managers = dict(model.fields), dict(model.options), list(model.managers)
    return twin


def _settle(state: ProjectState, app_label: str, model_name: str, delay: bool = False) -> None:
    """Set the options on the rendered model, in the place of `ProjectState.reload_model`."""
    if "apps" not in state.__dict__:
        return
    options = state.models[app_label, model_name.lower()].options
    meta = state.apps.get_model(app_label, model_name)._meta
    for name in _KEPT_IN_META:
        setattr(meta, name, list(options.get(name, ())))


def _render_new(state: ProjectState, app_label: str, model_name: str, delay: bool = False) -> None:
    """Render a model that is new: those it points to are told, and none can know an older form of it."""
    if "apps" in state.__dict__ and _knows_its_own(state):
        state._reload({(app_label, model_name.lower())})  # type: ignore[attr-defined]  # what both ways of Django end in


def _put_on(state: ProjectState, app_label: str, model_name: str, delay: bool = False) -> None:
    """Put the field that came last on the rendered model; a model others inherit from goes the long way."""
    if "apps" not in state.__dict__ or not _knows_its_own(state):
        return
    key = app_label, model_name.lower()
    if _has_heirs(state, *key):
        _RELOAD(state, app_label, model_name, delay)
        return
    name, field = next(reversed(state.models[key].fields.items()))
    model: Any = state.apps.get_model(app_label, model_name)
    model.add_to_class(name, field.clone())
    if field.is_relation:
        state.apps.clear_cache()


def _render_alone(state: ProjectState, app_label: str, model_name: str, delay: bool = False) -> None:
    """Render one model, in the place of `ProjectState.reload_model`; a model others inherit from goes the long way."""
    if "apps" not in state.__dict__:
        return
    key = app_label, model_name.lower()
    if _has_heirs(state, *key):
        _RELOAD(state, app_label, model_name, delay)
        return
    state.is_delayed = True
    state._reload({key})  # type: ignore[attr-defined]


def _knows_its_own(state: ProjectState) -> bool:
    """Whether the models look for each other in this state; those of a copied one do so in the original.

    Where they do not, all are rendered: the next time they do.
    """
    if all(model._meta.apps is state.apps for model in state.apps.get_models(include_auto_created=True)):
        return True
    state.apps, state.is_delayed = StateApps(list(state.real_apps), state.models), False
    return False


def _has_heirs(state: ProjectState, app_label: str, model_name: str) -> bool:
    name = f"{app_label}.{model_name}"
    return any(
        isinstance(base, str) and base.lower() == name for model in state.models.values() for base in model.bases
    )
