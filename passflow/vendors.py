"""Finds every vendor: the modules of ``passflow.sources``, ``wallets`` and ``crms``, and plug-ins of the same groups.

A plug-in is a distribution with an entry point in the group ``passflow.sources`` (or ``wallets``, ``crms``) whose name is
the vendor's ``type`` and whose value is its module or its settings class. A plug-in that cannot be loaded is set aside with
an error that names it; the other vendors stay available.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pkgutil import iter_modules
from types import MappingProxyType, ModuleType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import Field

from passflow.errors import ConfigError
from passflow.ports import VendorSettings

Group = Literal["sources", "wallets", "crms"]
Found = Mapping[str, type[VendorSettings]]


def find(group: Group) -> Found:
    """Every vendor of a group that can be used here, by its type name, in alphabetical order."""
    return _scan(group)[0]


def problems(group: Group) -> tuple[ConfigError, ...]:
    """What is wrong with the plug-ins of a group that were set aside, one error each."""
    return tuple(_scan(group)[1].values())


def get(group: Group, name: str) -> type[VendorSettings]:
    """The settings class of one vendor.

    Raises:
        ConfigError: nothing of that type is installed, or its plug-in is broken.
    """
    found, broken = _scan(group)
    if name in found:
        return found[name]
    if name in broken:
        raise broken[name]
    known = ", ".join(found) or "none"
    raise ConfigError(
        f"No vendor of type {name!r} is installed in {group}.",
        fix=f"Use one of these types: {known}; or install the package that brings it.",
        code="vendor.unknown",
    )


def union(group: Group) -> Any:
    """The type of a program file's block: any vendor of the group, told apart by ``type``; None when there is none."""
    classes = tuple(find(group).values())
    if len(classes) < 2:  # pydantic refuses a discriminator where there is nothing to tell apart
        return classes[0] if classes else None
    return Annotated[Union[classes], Field(discriminator="type")]  # noqa: UP007 - the members are known at run time only


def type_name(settings: type[VendorSettings]) -> str | None:
    """The literal ``type`` of a settings class, or None when it has none (a base class)."""
    field = settings.model_fields.get("type")
    if field is None or get_origin(field.annotation) is not Literal:
        return None
    names = get_args(field.annotation)
    return names[0] if len(names) == 1 and isinstance(names[0], str) else None


def forget() -> None:
    """Forgets what was found, so that the next question scans again; for tests that add a vendor."""
    _scan.cache_clear()


@cache
def _scan(group: Group) -> tuple[Found, Mapping[str, ConfigError]]:
    package = import_module(f"passflow.{group}")
    found: dict[str, type[VendorSettings]] = {}
    broken: dict[str, ConfigError] = {}
    for info in iter_modules(package.__path__):
        if not info.name.startswith("_"):
            found.update(_settings_in(import_module(f"{package.__name__}.{info.name}")))
    for point in entry_points(group=package.__name__):
        try:
            plugged = dict(_settings_of(point))
        except Exception as error:  # noqa: BLE001 - foreign code may fail in any way, and must not hide the others
            broken[point.name] = _broken(point, f"cannot be loaded ({type(error).__name__})")
            continue
        if not plugged:
            broken[point.name] = _broken(point, "holds no settings class with a literal `type`")
        for name, settings in plugged.items():
            if name in found and found[name] is not settings:
                broken[f"{name} ({point.value})"] = _broken(point, f"claims the type {name!r}, which is taken")
            else:
                found[name] = settings
    return MappingProxyType(dict(sorted(found.items()))), MappingProxyType(broken)


def _settings_of(point: EntryPoint) -> Iterator[tuple[str, type[VendorSettings]]]:
    loaded = point.load()
    if isinstance(loaded, ModuleType):
        yield from _settings_in(loaded)
    elif inspect.isclass(loaded) and issubclass(loaded, VendorSettings) and (name := type_name(loaded)):
        yield name, loaded


def _settings_in(module: ModuleType) -> Iterator[tuple[str, type[VendorSettings]]]:
    for value in vars(module).values():
        if not (inspect.isclass(value) and issubclass(value, VendorSettings)):
            continue
        own = value.__module__ == module.__name__ or value.__module__.startswith(f"{module.__name__}.")
        if own and (name := type_name(value)):
            yield name, value


def _broken(point: EntryPoint, what: str) -> ConfigError:
    package = point.dist.name if point.dist else point.value
    return ConfigError(
        f"The plug-in {package!r} ({point.group}: {point.name}) {what}.",
        fix=f"Update or remove the package {package}.",
        code="vendor.broken",
    )
