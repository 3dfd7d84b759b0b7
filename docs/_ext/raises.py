"""What the package's errors say: message and remedy of every ``raise`` of an error class of ours, from the sources."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path

import nanopelican_hls
from nanopelican_hls import errors, extras

PACKAGE = Path(nanopelican_hls.__file__).parent
CLASSES = {name: kind for name, kind in vars(errors).items() if isinstance(kind, type)}
#: a class of ours that a function was given
GIVEN = "error"
#: what stands where a value of the case is put in
VALUE = "..."


@dataclass(frozen=True, order=True)
class Raise:
    """One message of one ``raise`` statement; `VALUE` or ``{name}`` stands for what depends on the case."""

    error: str
    what: str
    remedy: str
    path: str
    line: int


def calls(path: Path) -> Iterator[ast.Call]:
    """The calls of our error classes in the raise statements of a module."""
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            name = getattr(node.exc.func, "id", "")
            if name in CLASSES or name == GIVEN:
                yield node.exc


def raises() -> list[Raise]:
    """All messages, by class; one that only adds a place to another error is left out."""
    found = set()
    for path in sorted(PACKAGE.rglob("*.py")):
        for call in calls(path):
            remedies = [word.value for word in call.keywords if word.arg == "remedy"]
            whats = list(_texts(call.args[0], path, call.lineno))
            if whats == ["{what}"]:
                continue
            for what, remedy in product(whats, _texts(remedies[0], path, call.lineno)):
                name = path.relative_to(PACKAGE.parent).as_posix()
                found.add(Raise(getattr(call.func, "id", ""), what, remedy, name, call.lineno))
    return sorted(found)


def _texts(node: ast.expr, path: Path, line: int) -> Iterator[str]:
    """The texts that an expression may give."""
    match node:
        case ast.Constant(value):
            yield str(value)
        case ast.JoinedStr(values):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else _value(part) for part in values)
        case ast.IfExp(_, first, second):
            yield from _texts(first, path, line)
            yield from _texts(second, path, line)
        case ast.BinOp(left, ast.Add(), right):
            for parts in product(_texts(left, path, line), _texts(right, path, line)):
                yield "".join(parts)
        case ast.Call(ast.Name("install"), [ast.Constant(package)]):
            yield extras.install(str(package))
        case ast.Call(ast.Attribute(ast.JoinedStr() as text)):  # f"...".rstrip()
            yield from _texts(text, path, line)
        case ast.Call(ast.Name(name) | ast.Attribute(_, name)) if function := _function(name, path):
            for part in ast.walk(function[0]):
                if isinstance(part, ast.Return) and part.value:
                    yield from _texts(part.value, function[1], part.lineno)
        case ast.Name(name) if values := list(_assigned(name, path, line)):
            for value, where in values:
                yield from _texts(value, where, value.lineno)
        case _:
            yield _value(node)


def _value(node: ast.expr) -> str:
    """What stands for a value: its name, if it has one."""
    match node:
        case ast.FormattedValue(value):
            return _value(value)
        case ast.Name(name) | ast.Attribute(_, name):
            return f"{{{name.lstrip('_')}}}"
        case _:
            return VALUE


def _assigned(name: str, path: Path, line: int) -> Iterator[tuple[ast.expr, Path]]:
    """What a name is set to, with the module: in the function around the line, or else in a module."""
    tree = _tree(path)
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    around = [node for node in functions if node.lineno <= line <= (node.end_lineno or 0)]
    for scope in (*around[::-1], tree):
        nodes = tree.body if scope is tree else list(ast.walk(scope))
        found = [node.value for node in nodes if isinstance(node, ast.Assign) and _is_name(node.targets, name)]
        if found:
            yield from ((value, path) for value in found)
            return
    for imported in _imported(path):
        if imported != path and (values := [n for n in _tree(imported).body if isinstance(n, ast.Assign)]):
            yield from ((node.value, imported) for node in values if _is_name(node.targets, name))


def _function(name: str, path: Path) -> tuple[ast.FunctionDef, Path] | None:
    """A function of the module, or of one that it imports."""
    for module in (path, *_imported(path)):
        for node in _tree(module).body:
            if isinstance(node, ast.FunctionDef) and node.name == name:
                return node, module
    return None


def _imported(path: Path) -> Iterator[Path]:
    """The modules of the package that a module imports, or imports from."""
    for node in _tree(path).body:
        if isinstance(node, ast.ImportFrom) and node.module:
            folder = PACKAGE.parent / node.module.replace(".", "/")
            candidates = [folder.with_suffix(".py"), *(folder / f"{alias.name}.py" for alias in node.names)]
            yield from (candidate for candidate in candidates if candidate.is_file())


def _is_name(targets: list[ast.expr], name: str) -> bool:
    return [getattr(target, "id", "") for target in targets] == [name]


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))
