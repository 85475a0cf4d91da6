"""The verbs in which the families of models say how they narrow the widest specs."""

from __future__ import annotations

from collections.abc import Mapping

from .interactions import Interaction
from .specs import ParameterSpec

Specs = dict[str, ParameterSpec]


def narrow(specs: Specs, source: str, **changes: Mapping[str, object]) -> None:
    """Change fields of these specs; `source` documents them, and those without changes as well."""
    for name, change in changes.items():
        specs[name] = specs[name].but(source=source, **change)


def refuse(specs: Specs, reason: str, source: str, *names: str) -> None:
    for name in names:
        specs[name] = specs[name].refused(reason, source)


def bind(specs: Specs, name: str, *interactions: Interaction) -> None:
    specs[name] = specs[name].binding(*interactions)


def doubt(specs: Specs, reason: str, *names: str) -> None:
    """Say of these, or of all, that they may not fit, unless more is known of one."""
    for name in names or tuple(specs):
        spec = specs[name]
        if spec.supported and not spec.reason:
            specs[name] = spec.but(reason=reason)
