"""A safe language of formulas over signals: arithmetic, comparison, choice and a few functions, on whole columns."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, Final

import numpy as np

from lineshaft.config.problems import suggestion
from lineshaft.errors import ConfigError
from lineshaft.model.samples import Float64Array

_LONGEST: Final = 1_000
_DEEPEST: Final = 50
_LARGEST: Final = 1e300

_OPERATORS: Final[dict[type[ast.AST], Callable[..., Any]]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
    ast.FloorDiv: np.floor_divide,
    ast.Mod: np.mod,
    ast.Pow: np.power,
    ast.USub: np.negative,
    ast.UAdd: np.positive,
    ast.Not: lambda x: np.where(np.isnan(x), np.nan, np.asarray(x) == 0),
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
FUNCTIONS: Final[Mapping[str, tuple[Callable[..., Any], int, int]]] = {
    "abs": (np.abs, 1, 1),
    "sqrt": (np.sqrt, 1, 1),
    "exp": (np.exp, 1, 1),
    "log": (np.log, 1, 1),
    "log10": (np.log10, 1, 1),
    "sin": (np.sin, 1, 1),
    "cos": (np.cos, 1, 1),
    "tan": (np.tan, 1, 1),
    "atan2": (np.arctan2, 2, 2),
    "hypot": (np.hypot, 2, 2),
    "floor": (np.floor, 1, 1),
    "ceil": (np.ceil, 1, 1),
    "round": (np.rint, 1, 1),
    "sign": (np.sign, 1, 1),
    "clip": (lambda x, low, high: np.minimum(np.maximum(x, low), high), 3, 3),
    "min": (lambda *parts: np.minimum.reduce(np.broadcast_arrays(*parts)), 2, 10),
    "max": (lambda *parts: np.maximum.reduce(np.broadcast_arrays(*parts)), 2, 10),
    "mean": (lambda *parts: np.add.reduce(np.broadcast_arrays(*parts)) / len(parts), 2, 10),
}
"""Name -> (function of columns, fewest arguments, most arguments)."""
_CONSTANTS: Final = {"pi": np.pi, "e": np.e}
_NODES: Final = (ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.Call, ast.Name, ast.Constant)
_GRAMMAR: Final = "numbers, names, + - * / // % **, < <= > >= == !=, and or not, x if condition else y, functions"


class Expression:
    """A checked formula; `names` are the ones that it may use, and `used` the ones that it does.

    Raises ConfigError that says at which character (from 1) it is wrong; its hint says what is allowed there.
    """

    def __init__(self, text: str, names: Iterable[str]) -> None:
        self.text = text
        self._names = tuple(names)
        self._tree = _parsed(text)
        self._shift = len(text) - len(text.lstrip())
        self._check(self._tree, 0)
        self.used = frozenset(
            node.id for node in ast.walk(self._tree) if isinstance(node, ast.Name) and node.id in self._names
        )
        self._evaluator = _evaluator()

    def __call__(self, columns: Mapping[str, Float64Array], rows: int) -> Float64Array:
        """float64[rows]: the formula over columns of equal length; NaN where it has no finite result.

        A comparison is 1.0 or 0.0; one with NaN is NaN, because nobody knows.
        """
        self._evaluator.names = {**_CONSTANTS, **columns}
        with np.errstate(all="ignore"):
            result = self._evaluator.eval(self.text, previously_parsed=self._tree)
        values: Float64Array = np.array(np.broadcast_to(np.asarray(result, np.float64), rows))
        values[~np.isfinite(values)] = np.nan
        return values

    def with_numbers(self, numbers: Mapping[str, float]) -> str:
        """The formula with numbers in place of some of its names."""

        class Put(ast.NodeTransformer):
            def visit_Name(self, node: ast.Name) -> ast.AST:
                return ast.Constant(numbers[node.id]) if node.id in numbers else node

        return ast.unparse(Put().visit(_parsed(self.text)))

    def _check(self, node: ast.AST, depth: int) -> None:
        if depth > _DEEPEST:
            raise ConfigError(f"is nested more than {_DEEPEST} deep")
        if not isinstance(node, _NODES):
            raise self._wrong(node, "this is not allowed in a formula", _GRAMMAR)
        kinds: list[ast.AST] = []
        if isinstance(node, ast.BinOp | ast.UnaryOp):
            kinds = [node.op]
        elif isinstance(node, ast.Compare):
            kinds = list(node.ops)
        if any(type(kind) not in _OPERATORS for kind in kinds):
            raise self._wrong(node, "this operator is not known", _GRAMMAR)
        match node:
            case ast.Constant(value) if isinstance(value, bool) or not isinstance(value, int | float):
                raise self._wrong(node, f"{value!r} is not a number", _GRAMMAR)
            case ast.Constant(int() | float() as value) if abs(value) > _LARGEST:
                raise self._wrong(node, "this number is too large", f"up to {_LARGEST:g}")
            case ast.Name(name) if name not in self._names and name not in _CONSTANTS:
                words = f"unknown name '{name}'" + suggestion(name, self._names)
                raise self._wrong(node, words, ", ".join(sorted({*self._names, *_CONSTANTS})))
            case ast.Call():
                self._check_call(node)
        for child in node.args if isinstance(node, ast.Call) else ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self._check(child, depth + 1)

    def _check_call(self, node: ast.Call) -> None:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name not in FUNCTIONS:
            words = f"unknown function '{name}'" + suggestion(name, list(FUNCTIONS)) if name else "cannot be called"
            raise self._wrong(node, words, ", ".join(sorted(FUNCTIONS)))
        _, fewest, most = FUNCTIONS[name]
        if node.keywords or not fewest <= len(node.args) <= most:
            allowed = f"{fewest}" if fewest == most else f"{fewest} to {most}"
            raise self._wrong(node, f"{name} takes {allowed} arguments", allowed)

    def _wrong(self, node: ast.AST, words: str, hint: str) -> ConfigError:
        at = getattr(node, "col_offset", 0) + self._shift + 1
        return ConfigError(f"at character {at}: {words}", hint=hint)


def _parsed(text: str) -> ast.expr:
    if not text.strip():
        raise ConfigError("is empty", hint=_GRAMMAR)
    if len(text) > _LONGEST:
        raise ConfigError(f"has more than {_LONGEST} characters")
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except SyntaxError as error:
        shift = len(text) - len(text.lstrip())
        end = len(text.strip()) + 1
        at = min(error.offset, end) if error.lineno == 1 and error.offset else end
        raise ConfigError(f"at character {at + shift}: {error.msg}", hint=_GRAMMAR) from error
    except (RecursionError, MemoryError, ValueError) as error:
        raise ConfigError(f"cannot be read as a formula: {error}", hint=_GRAMMAR) from error
    return tree.body


def _evaluator() -> Any:
    """simpleeval with columns instead of single numbers, and with nothing else than the nodes of `_NODES`."""
    import simpleeval  # type: ignore[import-untyped]  # only a plant with formulas needs it

    functions = {name: function for name, (function, _, _) in FUNCTIONS.items()}
    made = simpleeval.SimpleEval(operators=dict(_OPERATORS), functions=functions, names={})
    own: dict[type[ast.AST], Callable[..., Float64Array]] = {
        ast.BoolOp: _either,
        ast.Compare: _compared,
        ast.IfExp: _chosen,
    }
    nodes = {kind: made.nodes[kind] for kind in _NODES}
    made.nodes = nodes | {kind: partial(function, made) for kind, function in own.items()} | {ast.Constant: _number}
    return made


def _column(evaluator: Any, node: ast.expr) -> Float64Array:
    return np.asarray(evaluator._eval(node), np.float64)


def _either(evaluator: Any, node: ast.BoolOp) -> Float64Array:
    """`and`, `or` of three values: known to be true, known to be false, NaN."""
    parts = np.broadcast_arrays(*[_column(evaluator, part) for part in node.values])
    unknown = np.logical_or.reduce([np.isnan(part) for part in parts])
    if isinstance(node.op, ast.And):
        false = np.logical_or.reduce([part == 0 for part in parts])
        return np.where(false, 0.0, np.where(unknown, np.nan, 1.0))
    true = np.logical_or.reduce([(part != 0) & ~np.isnan(part) for part in parts])
    return np.where(true, 1.0, np.where(unknown, np.nan, 0.0))


def _compared(evaluator: Any, node: ast.Compare) -> Float64Array:
    left = _column(evaluator, node.left)
    result: Float64Array = np.float64(1.0)  # type: ignore[assignment]
    for operation, part in zip(node.ops, node.comparators, strict=True):
        right = _column(evaluator, part)
        unknown = np.isnan(left) | np.isnan(right)
        result = result * np.where(unknown, np.nan, _OPERATORS[type(operation)](left, right))
        left = right
    return result


def _chosen(evaluator: Any, node: ast.IfExp) -> Float64Array:
    test = _column(evaluator, node.test)
    chosen = np.where(test != 0, _column(evaluator, node.body), _column(evaluator, node.orelse))
    return np.where(np.isnan(test), np.nan, chosen)


def _number(node: ast.Constant) -> Any:
    return np.float64(node.value)  # type: ignore[arg-type]  # checked to be a number
