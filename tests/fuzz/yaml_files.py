"""Configurations: documents of the dataclasses, with keys and values changed, and YAML that is no configuration."""

from __future__ import annotations

import copy
import dataclasses
import functools
import types
import typing
from collections.abc import Mapping
from enum import Enum
from pathlib import Path

import yaml
from hypothesis import strategies as st

from nanopelican_hls import zoo
from nanopelican_hls.config import Config, load_config, parse_mapping, to_mapping

from .mutations import EDGE, NAMES, NUMBERS, damaged

FILE = "model.yaml"


def _bomb(levels: int) -> str:
    """A value that is small as text, and has 10 to the power of ``levels`` entries."""
    text = "[x]"
    for level in range(levels):
        text = f"[&b{level} {text}{f', *b{level}' * 9}]"
    return text


#: what a YAML reader must not build, and texts that grow, nest or refer to themselves
HOSTILE = (
    "!!python/object/apply:os.system ['touch ran']",
    "!!python/object/new:os.system ['touch ran']",
    "!!python/name:os.system",
    "!!python/module:os",
    "&a [*a, *a]",
    "&a {k: *a}",
    "{<<: &a {x: 1}, <<: *a}",
    "!!binary //79",
    "!!set {a, b}",
    "!!timestamp 2001-99-99",
    "!!float 1e99999",
    "!!int 0x" + "f" * 400,
    "!!int 0x" + "f" * 9000,
    "9" * 6000,
    "1:59:59.5",
    "[" * 2000,
    "? [a, b]\n: c",
    _bomb(4),
    _bomb(9),
)
ANY = st.recursive(
    st.one_of(st.none(), st.booleans(), EDGE, NUMBERS, NAMES, st.dates(), st.binary(max_size=4)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.one_of(NAMES, EDGE), inner, max_size=4)),
    max_leaves=8,
)


@functools.cache
def documents() -> list[dict]:
    """The configurations of the zoo, with all defaults."""
    found = [to_mapping(load_config(name)) for name in zoo.names()]
    return [{key: value for key, value in one.items() if key != "name"} for one in found]


def values(kind) -> st.SearchStrategy:
    """Values of a type annotation, mostly such as are accepted."""
    origin = typing.get_origin(kind)
    if origin in (types.UnionType, typing.Union):
        return st.one_of(*(st.none() if o is type(None) else values(o) for o in typing.get_args(kind)))
    if origin is tuple:
        return st.lists(values(typing.get_args(kind)[0]), max_size=5)
    if origin is Mapping:
        return st.dictionaries(st.sampled_from(["d", "r", "z", "w_d", "logit", "x"]), values(typing.get_args(kind)[1]))
    if dataclasses.is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        return st.fixed_dictionaries({}, optional={f.name: values(hints[f.name]) for f in dataclasses.fields(kind)})
    if issubclass(kind, Enum):
        return st.sampled_from([member.value for member in kind])
    if kind is bool:
        return st.booleans()
    if kind is int:
        return st.one_of(st.integers(0, 30), EDGE)
    return st.one_of(NUMBERS, st.sampled_from(["1e-3", "inf", "nan"])) if kind is float else NAMES


@st.composite
def cases(draw):
    kind = draw(st.integers(0, 9))
    if kind == 0:
        return {
            FILE: draw(st.one_of(ANY.map(yaml.dump), st.text(max_size=60), st.sampled_from(HOSTILE))).encode(
                errors="ignore"
            )
        }
    document = copy.deepcopy(draw(st.sampled_from(documents())))
    for _ in range(draw(st.integers(0, 4))):
        _change(draw, document, Config)
    content = yaml.dump(document, Dumper=yaml.CSafeDumper, sort_keys=draw(st.booleans()))
    if kind == 1:
        # a value of the text that is none of plain YAML's
        lines = content.splitlines()
        place = draw(st.integers(0, len(lines) - 1))
        key = lines[place].partition(":")[0]
        lines[place] = f"{key}: {draw(st.sampled_from(HOSTILE))}"
        content = "\n".join(lines)
    result = content.encode()
    return {FILE: draw(damaged(result)) if kind == 2 else result}


def _change(draw, section: dict, kind) -> None:
    """Change one value of a section or of one in it, by its type or to anything; or lose it, or add a key."""
    hints = typing.get_type_hints(kind)
    key = draw(st.sampled_from(sorted(name for name in hints if name != "name")))
    inner = next((k for k in (hints[key], *typing.get_args(hints[key])) if dataclasses.is_dataclass(k)), None)
    if inner is not None and isinstance(section.get(key), dict) and draw(st.integers(0, 9)):
        _change(draw, section[key], inner)
        return
    match draw(st.integers(0, 9)):
        case 0:
            section.pop(key, None)
        case 1:
            section[key] = draw(ANY)
        case 2:
            section[draw(NAMES)] = draw(ANY)
        case _:
            section[key] = draw(values(hints[key]))


def read(folder: Path) -> None:
    config = load_config(folder / FILE)
    assert parse_mapping(to_mapping(config), "again") == config, "what is read is not what is written"
