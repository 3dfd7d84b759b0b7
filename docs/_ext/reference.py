"""Sphinx extension: what the pages take from the sources, and links to files outside ``docs/``.

A page says ``<!-- generated: cli -->`` where `GENERATORS` has the text. All of it is Markdown, which tests read without
Sphinx (`page`).
"""

from __future__ import annotations

import argparse
import ast
import dataclasses
import inspect
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import raises

import nanopelican_hls
from nanopelican_hls.cli import REPOSITORY, build_parser
from nanopelican_hls.config import FirmwareConfig, TrainingConfig
from nanopelican_hls.markdown import table
from nanopelican_hls.topology.config import MultiplicityBins, NetworkConfig, QuantiserConfig, QuantisersConfig

if TYPE_CHECKING:
    from sphinx.application import Sphinx

DOCS = Path(__file__).parents[1]
ROOT = DOCS.parent
SECTIONS = {
    "network": NetworkConfig,
    "network.multiplicity_bins": MultiplicityBins,
    "quantisers": QuantisersConfig,
    "a quantiser": QuantiserConfig,
    "training": TrainingConfig,
    "firmware": FirmwareConfig,
}


def setup(app: Sphinx) -> dict[str, Any]:
    def read(app: Sphinx, name: str, source: list[str]) -> None:
        source[0] = page(Path(app.env.doc2path(name)), source[0])

    app.connect("source-read", read)
    return {"parallel_read_safe": True}


def page(path: Path, text: str) -> str:
    """A page as the site has it: with what is generated, and with links that lead to the site or to the repository."""
    source = path
    if "<!-- page of benchmarks/ -->" in text:
        source = ROOT / "benchmarks" / path.name
        text = source.read_text(encoding="utf-8")
    text = re.sub(r"<!-- generated: (\w+) -->", lambda match: GENERATORS[match[1]](), text)
    return re.sub(r"\]\(([^)#\s:]+)", lambda match: f"]({_link(match[1], source.parent, path.parent)}", text)


def _link(target: str, read: Path, shown: Path) -> str:
    """A link of a file in the folder `read`, in a page of the site in the folder `shown`."""
    linked = Path(os.path.normpath(read / target))
    if not linked.is_relative_to(ROOT) or not linked.exists():
        return target
    inside = linked.relative_to(ROOT)
    if inside.parts[0] == "benchmarks" and linked.suffix == ".md":
        linked = DOCS / inside
    elif inside.parts[0] != "docs" and linked.suffix not in (".png", ".svg"):
        return repository(inside)
    return os.path.relpath(linked, shown)


def repository(path: Path) -> str:
    """Address of a file or folder of the repository."""
    kind = "tree" if (ROOT / path).is_dir() else "blob"
    return f"https://{REPOSITORY}/{kind}/main/{path.as_posix()}"


def _cell(text: str) -> str:
    """Text in a table, with its pages of the documentation as links."""
    text = " ".join(text.replace("|", "\\|").split())
    # no markup: names such as second_order_steps and <name>
    parts = re.split(r"(`[^`]*`)", text)
    parts[::2] = [re.sub(r"([*_<>{}\[\]])", r"\\\1", part) for part in parts[::2]]
    return re.sub(r"(?<![\w/])docs/([\w/]+)\.md", r"[docs/\1.md](../\1.md)", "".join(parts))


def _code(text: str) -> str:
    """Text as code, in a table."""
    ticks = "``" if "`" in text else "`"
    return f"{ticks}{' '.join(text.split())}{ticks}".replace("|", "\\|")


def cli() -> str:
    """Every command with its options."""
    return "\n\n".join(_commands(build_parser(), 2))


def _commands(parser: argparse.ArgumentParser, level: int) -> Iterator[str]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, command in action.choices.items():
                yield f"{'#' * level} {command.prog.removeprefix('nanopelican ') if level > 2 else name}"
                yield _cell(command.description or "")
                if rows := [_option(command, option) for option in command._actions if _shown(option)]:
                    yield table(("argument", "meaning"), rows)
                if command.epilog:
                    yield _cell(command.epilog)
                yield from _commands(command, level + 1)


def _shown(action: argparse.Action) -> bool:
    hidden = (argparse._HelpAction, argparse._SubParsersAction)
    return action.help != argparse.SUPPRESS and not isinstance(action, hidden)


def _option(parser: argparse.ArgumentParser, action: argparse.Action) -> tuple[str, str]:
    """The argument as it is typed, and its meaning with its default."""
    formatter = parser._get_formatter()
    default = action.option_strings and formatter._get_default_metavar_for_optional(action)
    values = "" if action.nargs == 0 else formatter._format_args(action, default or action.dest)
    text = formatter._expand_help(action) if action.help else ""
    if action.default not in (None, False, argparse.SUPPRESS, []) and "default" not in text:
        text += f" (default: {action.default})"
    if action.required and action.option_strings:
        text += " (required)"
    return _code(f"{', '.join(action.option_strings)} {values}".strip()), _cell(text)


def configuration() -> str:
    """Every key of a configuration, from the dataclasses."""
    parts = []
    for section, kind in SECTIONS.items():
        rows = [(_code(name), _code(given), default, _cell(text)) for name, given, default, text in _keys(kind)]
        columns = 4 if any(row[3] for row in rows) else 3
        head = ("key", "type", "default", "")[:columns]
        parts += [f"## {section}", inspect.getdoc(kind) or "", table(head, [row[:columns] for row in rows])]
    return _links("\n\n".join(parts))


def _keys(kind: type) -> Iterator[tuple[str, str, str, str]]:
    """Name, type, default and comment of each field."""
    lines = inspect.getsource(kind).splitlines()
    (definition,) = ast.parse("\n".join(lines)).body
    assert isinstance(definition, ast.ClassDef)
    for node in definition.body:
        if isinstance(node, ast.AnnAssign):
            _, _, comment = lines[node.lineno - 1].partition("#: ")
            annotation = ast.unparse(node.annotation)
            values = _choices(kind, annotation)
            yield ast.unparse(node.target), values or annotation, _default(kind, ast.unparse(node.target)), comment


def _choices(kind: type, annotation: str) -> str:
    """Values of an enumeration."""
    values = getattr(vars(inspect.getmodule(kind)).get(annotation), "__members__", None)
    return ", ".join(member.value for member in values.values()) if values else ""


def _default(kind: type, name: str) -> str:
    (field,) = (field for field in dataclasses.fields(kind) if field.name == name)
    if field.default_factory is not dataclasses.MISSING:
        return "see below"
    if field.default is dataclasses.MISSING:
        return "must be given"
    value = getattr(field.default, "value", field.default)
    if isinstance(value, tuple):
        return _code(str(list(value)))
    return _code({None: "null", True: "true", False: "false"}.get(value, str(value)) if _plain(value) else str(value))


def _plain(value: object) -> bool:
    return value is None or isinstance(value, bool)


def _links(text: str) -> str:
    return re.sub(r"(?<![\w/\[])docs/([\w/]+)\.md", r"[docs/\1.md](../\1.md)", text)


def api() -> str:
    """The functions of the package, by autodoc."""
    parts = []
    for name in nanopelican_hls.__all__:
        if not name.startswith("_"):
            kind = "autoclass" if inspect.isclass(getattr(nanopelican_hls, name)) else "autofunction"
            members = "\n   :members:" if kind == "autoclass" else ""
            parts += [f"## {name}", f"```{{eval-rst}}\n.. {kind}:: nanopelican_hls.{name}{members}\n```"]
    return "\n\n".join(parts)


def errors() -> str:
    """Every message, by class."""
    parts = []
    every = raises.raises()
    for name, kind in raises.CLASSES.items():
        parts += [f"## {name}", _links(inspect.getdoc(kind) or "").split("\n\n")[0]]
        if rows := _rows([found for found in every if found.error == name]):
            parts.append(rows)
    parts += ["## Of the class that the caller has", _rows([found for found in every if found.error == raises.GIVEN])]
    return "\n\n".join(parts)


def _rows(found: list[raises.Raise]) -> str:
    rows: dict[tuple[str, str], list[str]] = {}
    for each in found:
        path = Path(each.path)
        module = path.parent.name if path.stem == "__init__" else path.stem
        where = f"[{_cell(module)}]({repository(path)}#L{each.line})"
        rows.setdefault((each.what, each.remedy), []).append(where)
    cells = [(_code(what), _cell(remedy), ", ".join(where)) for (what, remedy), where in rows.items()]
    return table(("message", "what to do", "from"), cells) if cells else ""


GENERATORS = {"cli": cli, "configuration": configuration, "api": api, "errors": errors}
