"""What the public functions of vibration, diagnosis and remaining life say of themselves."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from typing import Any

from lineshaft.analytics import bearings, motor_current, remaining_life, tool_wear, vibration


def functions() -> Iterator[tuple[str, Callable[..., Any]]]:
    """Every public function and method of those modules, with its name."""
    modules = [motor_current, tool_wear]
    for package in (bearings, remaining_life, vibration):
        inside = pkgutil.iter_modules(package.__path__, f"{package.__name__}.")
        modules += [importlib.import_module(one.name) for one in inside]
    for module in modules:
        for name, found in vars(module).items():
            if name.startswith("_") or getattr(found, "__module__", "") != module.__name__:
                continue
            where = f"{module.__name__.removeprefix('lineshaft.analytics.')}.{name}"
            if inspect.isfunction(found):
                yield where, found
            elif inspect.isclass(found):
                for method, own in vars(found).items():
                    plain = inspect.unwrap(getattr(own, "__func__", own))
                    if inspect.isfunction(plain) and not method.startswith("_"):
                        yield f"{where}.{method}", plain


def test_a_public_function_says_what_it_raises() -> None:
    """Each has a docstring, and announces ValueError where its body raises it."""
    found = dict(functions())
    assert len(found) > 80
    silent = [name for name, function in found.items() if not inspect.getdoc(function)]
    hidden = [
        name
        for name, function in found.items()
        if "raise ValueError" in inspect.getsource(function) and "ValueError" not in (inspect.getdoc(function) or "")
    ]
    assert (silent, hidden) == ([], [])
