"""LLVM IR without loops and calls, as text, to integers: what a C++ function stores.

Only what clang makes of integer arithmetic is known: anything else (a loop, a call, floating point, an allocation) is
an error that names the instruction. So a function that passes here is hardware in principle, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from nanopelican_hls.errors import SolverError
from nanopelican_hls.solver.integer import Integer, Space, both, choice

#: sizes of types in bytes, other than those of integers
POINTER_BYTES = 8
COMPARISONS = {"eq", "ne", "ugt", "uge", "ult", "ule", "sgt", "sge", "slt", "sle"}
#: flags of instructions, which say what the compiler knows, and not what is computed
FLAGS = frozenset({"nuw", "nsw", "exact", "inbounds", "noundef", "disjoint", "nneg", "local_unnamed_addr", "nonnull"})
TOKEN = re.compile(r'"[^"]*"|c"[^"]*"|[%@][-\w.$]+|[%@]"[^"]*"|-?\d+|[\w.]+|\.\.\.|[\[\](){}<>,=*]')
#: calls that compute nothing
MARKERS = ("llvm.lifetime.", "llvm.experimental.noalias", "llvm.dbg.", "llvm.assume")


def _error(what: str, where: str) -> SolverError:
    return SolverError(what, where=where, remedy="write the C++ with integers, loops of constant length and no calls")


@dataclass(frozen=True)
class Type:
    """A type with its size: an integer (`bits`), an array or a structure (`parts` with their offsets), or a pointer."""

    size: int
    bits: int = 0
    align: int = 1
    parts: tuple[tuple[int, Type], ...] = ()
    element: Type | None = None


@dataclass(frozen=True)
class Pointer:
    """A place in a global or allocated object, in bytes."""

    block: str
    offset: Integer


@dataclass
class Block:
    """Memory: integers by their places in bytes, and how many bytes each has. Inputs are variables."""

    cells: dict[int, tuple[int, Integer]] = field(default_factory=dict)
    constant: bool = False


@dataclass(frozen=True)
class Duty:
    """What C++ leaves to the programmer: the result of signed arithmetic, or the place in a table, has bounds.

    Attributes
    ----------
    result : an integer, exactly.
    condition : 1 if the instruction is executed, else 0.
    low, high : bounds, at whose sides 0 lies.
    where : the instruction.
    """

    result: Integer
    condition: Integer
    low: int
    high: int
    where: str


Value = Integer | Pointer


@dataclass
class Module:
    """The functions and globals of a file of LLVM IR.

    Attributes
    ----------
    functions : lines of each function, by name.
    globals : text of each global's definition, by name.
    types, known : structures by name, as text and parsed.
    """

    functions: dict[str, list[str]]
    globals: dict[str, str]
    types: dict[str, str]
    known: dict[str, Type] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> Module:
        functions: dict[str, list[str]] = {}
        found: dict[str, str] = {}
        types: dict[str, str] = {}
        name = ""
        for line in text.splitlines():
            if line.startswith("define"):
                name = re.search(r'@([-\w.$]+|"[^"]*")\(', line)[1]  # type: ignore[index]
                functions[name] = []
            elif line == "}":
                name = ""
            elif name:
                functions[name].append(line.split(" ; ")[0] if '"' not in line else line)
            elif line.startswith("@"):
                key, _, definition = line.partition(" = ")
                found[key[1:]] = definition
            elif line.startswith("%"):
                key, _, definition = line.partition(" = type ")
                types[key] = definition
        return cls(functions, found, types)


class _Reader:
    """Tokens of a line."""

    def __init__(self, text: str, run: Execution) -> None:
        self.tokens, self.at, self.text, self.run = TOKEN.findall(text), 0, text, run

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def next(self) -> str:
        token = self.peek()
        self.at += 1
        return token

    def accept(self, token: str) -> bool:
        if self.peek() != token:
            return False
        self.at += 1
        return True

    def expect(self, token: str) -> None:
        if not self.accept(token):
            raise _error(f"{token!r} expected, not {self.peek()!r}", self.text.strip())

    def skip_flags(self) -> set[str]:
        flags = set()
        while self.peek() in FLAGS or self.peek() in ("align", "dereferenceable"):
            word = self.next()
            flags.add(word)
            if word == "align":
                self.next()
            elif word == "dereferenceable":
                self.at += 3
        return flags

    def type(self) -> Type:
        token = self.next()
        if found := re.fullmatch(r"i(\d+)", token):
            bits = int(found[1])
            size = 1 << max(0, (bits - 1).bit_length() - 3)
            return Type(size, bits, min(size, 16))
        if token == "ptr":
            return Type(POINTER_BYTES, align=POINTER_BYTES)
        if token == "void":
            return Type(0)
        if token == "[":
            count = int(self.next())
            self.expect("x")
            element = self.type()
            self.expect("]")
            return Type(count * element.size, align=element.align, element=element)
        if token in ("{", "<"):
            packed = token == "<"
            if packed:
                self.expect("{")
            parts = []
            while not self.accept("}"):
                parts.append(self.type())
                self.accept(",")
            if packed:
                self.expect(">")
            return _structure(parts, packed)
        module = self.run.module
        if token in module.types:
            if token not in module.known:
                module.known[token] = _Reader(module.types[token], self.run).type()
            return module.known[token]
        raise _error(f"a value of type {token!r}", self.text.strip())

    def value(self, kind: Type) -> Value:
        """An operand: a constant, a register, or an expression of constants."""
        space, token = self.run.space, self.next()
        if token.startswith("%"):
            return self.run.register(token, self.text)
        if token.startswith("@"):
            return Pointer(token[1:], space.constant(0))
        if re.fullmatch(r"-?\d+", token):
            return space.constant(int(token))
        if token in ("true", "false"):
            return space.constant(int(token == "true"))
        if token in ("null", "zeroinitializer"):
            return space.constant(0)
        if token in ("undef", "poison"):
            return self.run.unknown(kind.bits)
        if token == "getelementptr":
            self.skip_flags()
            self.expect("(")
            place = self.element_pointer()
            self.expect(")")
            return place
        raise _error(f"an operand {token!r}", self.text.strip())

    def typed(self) -> tuple[Type, Value]:
        kind = self.type()
        self.skip_flags()
        return kind, self.value(kind)

    def integer(self) -> tuple[int, Integer]:
        kind, value = self.typed()
        if not isinstance(value, Integer):
            raise _error("a pointer where an integer is expected", self.text.strip())
        return kind.bits, value

    def element_pointer(self) -> Pointer:
        kind = self.type()
        self.expect(",")
        _, base = self.typed()
        if not isinstance(base, Pointer):
            raise _error("a pointer that is computed", self.text.strip())
        offset, first = base.offset, True
        while self.accept(","):
            bits, index = self.integer()
            index = index.signed(bits)
            if first:
                offset, first = offset + index * kind.size, False
            elif kind.element is not None:
                offset, kind = offset + index * kind.element.size, kind.element
            else:
                assert index.value is not None
                place, kind = kind.parts[index.value]
                offset = offset + place
        return Pointer(base.block, offset)


def _structure(parts: list[Type], packed: bool) -> Type:
    placed, offset, align = [], 0, 1
    for part in parts:
        step = 1 if packed else part.align
        offset = -(-offset // step) * step
        placed.append((offset, part))
        offset, align = offset + part.size, max(align, step)
    return Type(-(-offset // align) * align, align=align, parts=tuple(placed))


class Execution:
    """Executes a function once, for all inputs.

    Parameters
    ----------
    module : Module
    space : Space
    inputs : mapping of str to list of Integer
        Contents of global arrays of 64-bit integers, by name.

    Attributes
    ----------
    duties : those that bounds do not already show to be fulfilled.
    multiplications : number of products of two integers that are not constant.
    """

    def __init__(self, module: Module, space: Space, inputs: Mapping[str, list[Integer]]) -> None:
        self.module, self.space = module, space
        self.memory = {
            name: Block({8 * k: (8, x) for k, x in enumerate(values)}, constant=True) for name, values in inputs.items()
        }
        self.registers: dict[str, Value] = {}
        self.duties: list[Duty] = []
        self.multiplications = 0
        self._unknown = 0
        self.condition = space.constant(1)

    def stored(self, name: str) -> dict[int, Integer]:
        """The 64-bit integers stored in a global array, by their places in it."""
        block = self.memory.get(name, Block())
        return {place // 8: value for place, (_, value) in block.cells.items()}

    def run(self, function: str) -> None:
        """Execute a function without arguments."""
        if function not in self.module.functions:
            raise _error("is not defined", function)
        blocks = dict(_blocks(self.module.functions[function]))
        reached: dict[str, list[tuple[str, Integer]]] = {name: [] for name in blocks}
        entry = next(iter(blocks))
        for name in _order(blocks, entry):
            edges = reached[name]
            self.condition = self.space.constant(1) if name == entry else _union(self.space, [c for _, c in edges])
            for line in blocks[name]:
                for target, condition in self._line(line, edges):
                    reached[target].append((name, condition))

    def unknown(self, bits: int) -> Integer:
        """A word of which C++ says nothing: any value."""
        self._unknown += 1
        half = 1 << (bits - 1)
        return self.space.input(f"undefined[{self._unknown}]", -half, half - 1)

    def register(self, name: str, where: str) -> Value:
        if name not in self.registers:
            raise _error(f"{name} is not known", where.strip())
        return self.registers[name]

    def _line(self, line: str, edges: list[tuple[str, Integer]]) -> list[tuple[str, Integer]]:
        """Execute an instruction; returns where a branch goes, and when."""
        reader = _Reader(line, self)
        if reader.at + 1 < len(reader.tokens) and reader.tokens[1] == "=":
            target = reader.next()
            reader.next()
            self.registers[target] = self._compute(reader, edges)
            return []
        word = reader.next()
        if word == "store":
            kind, value = reader.typed()
            reader.expect(",")
            _, place = reader.typed()
            self._store(kind, value, place, line)
            return []
        if word == "br":
            return self._branch(reader)
        if word == "switch":
            return self._switch(reader)
        if word in ("ret", "unreachable"):
            return []
        if word in ("call", "tail"):
            self._call(reader)
            return []
        raise _error(f"an instruction {word!r}", line.strip())

    def _branch(self, reader: _Reader) -> list[tuple[str, Integer]]:
        if reader.accept("label"):
            return [(reader.next(), self.condition)]
        _, flag = reader.integer()
        flag = flag.modulo(1)
        reader.expect(",")
        reader.expect("label")
        one = reader.next()
        reader.expect(",")
        reader.expect("label")
        return [(one, both(self.condition, flag)), (reader.next(), both(self.condition, 1 - flag))]

    def _switch(self, reader: _Reader) -> list[tuple[str, Integer]]:
        bits, x = reader.integer()
        reader.expect(",")
        reader.expect("label")
        default, otherwise, targets = reader.next(), self.condition, []
        reader.expect("[")
        while not reader.accept("]"):
            _, case = reader.integer()
            reader.expect(",")
            reader.expect("label")
            flag = (x - case).signed(bits).zero()
            targets.append((reader.next(), both(self.condition, flag)))
            otherwise = both(otherwise, 1 - flag)
        return [*targets, (default, otherwise)]

    def _compute(self, reader: _Reader, edges: list[tuple[str, Integer]]) -> Value:
        word = reader.next()
        if word in ("tail", "notail", "musttail", "call"):
            return self._call(reader)
        if word == "load":
            kind = reader.type()
            reader.expect(",")
            _, place = reader.typed()
            return self._load(kind, place, reader.text)
        if word == "getelementptr":
            reader.skip_flags()
            return reader.element_pointer()
        if word == "alloca":
            kind = reader.type()
            name = f"alloca {len(self.memory)}"
            self.memory[name] = Block()
            assert kind.size
            return Pointer(name, self.space.constant(0))
        if word == "phi":
            return self._phi(reader, edges)
        if word == "select":
            return self._select(reader)
        if word == "icmp":
            return self._compare(reader)
        if word in ("zext", "sext", "trunc", "bitcast"):
            bits, x = reader.integer()
            reader.expect("to")
            to = reader.type().bits
            return {"zext": x.modulo, "sext": x.signed}[word](bits) if word in ("zext", "sext") else _cut(x, to)
        if word == "freeze":
            return reader.typed()[1]
        return self._arithmetic(word, reader)

    def _arithmetic(self, word: str, reader: _Reader) -> Integer:
        flags = reader.skip_flags()
        kind = reader.type()
        bits = kind.bits
        if not bits:
            raise _error(f"{word} of something else than integers", reader.text.strip())
        one = reader.value(kind)
        reader.expect(",")
        two = reader.value(kind)
        assert isinstance(one, Integer) and isinstance(two, Integer)
        return self._operation(word, one, two, bits, flags, reader.text)

    def _operation(self, word: str, one: Integer, two: Integer, bits: int, flags: set[str], where: str) -> Integer:
        if word in ("add", "sub", "mul"):
            if word == "mul" and one.value is None and two.value is None:
                self.multiplications += 1
            function = {"add": Integer.__add__, "sub": Integer.__sub__, "mul": Integer.__mul__}[word]
            if "nsw" in flags:
                result = function(one.signed(bits), two.signed(bits))
                self._must_fit(result, bits, where)
            elif word == "mul":
                result = function(one.signed(bits), two.signed(bits))
            else:
                result = function(one, two)
            return result if max(-result.low, result.high).bit_length() < 2 * bits else result.signed(bits)
        if word in ("and", "or", "xor"):
            if bits == 1:
                one, two = one.modulo(1), two.modulo(1)
                common = both(one, two)
            else:
                # words that are not negative stay so
                one, two = (x if x.low >= 0 and x.high < 1 << bits else x.signed(bits) for x in (one, two))
                common = one.masked(two)
            return common if word == "and" else one + two - common if word == "or" else one + two - common * 2
        if word in ("shl", "lshr", "ashr"):
            shift = two.modulo(bits).value if bits > 1 else 0
            if shift is None:
                return self._shifts(word, one, two, bits, flags, where)
            if word == "shl":
                if "nsw" in flags:
                    one = one.signed(bits)
                    self._must_fit(one * (1 << shift), bits, where)
                return one * (1 << shift)
            return (one.modulo(bits) if word == "lshr" else one.signed(bits)).floor(shift)
        raise _error(f"an instruction {word!r}", where.strip())

    def _shifts(self, word: str, one: Integer, two: Integer, bits: int, flags: set[str], where: str) -> Integer:
        """A shift by as many places as an integer says."""
        two = two.modulo(bits)
        result = self.space.constant(0)
        for shift in range(max(0, two.low), min(two.high, bits - 1) + 1):
            shifted = self._operation(word, one, self.space.constant(shift), bits, flags - {"nsw"}, where)
            result = choice((two - shift).zero(), shifted.signed(bits), result)
        return result

    def _must_fit(self, result: Integer, bits: int, where: str) -> None:
        self._must_lie(result, -(1 << (bits - 1)), (1 << (bits - 1)) - 1, where)

    def _must_lie(self, result: Integer, low: int, high: int, where: str) -> None:
        if result.low < low or result.high > high:
            self.duties.append(Duty(result, self.condition, low, high, where.strip()))

    def _compare(self, reader: _Reader) -> Integer:
        predicate = reader.next()
        kind, one = reader.typed()
        reader.expect(",")
        two = reader.value(kind)
        if predicate not in COMPARISONS or not isinstance(one, Integer) or not isinstance(two, Integer):
            raise _error("a comparison of something else than integers", reader.text.strip())
        bits = kind.bits
        if predicate in ("eq", "ne"):
            equal = (one - two).signed(bits).zero() if bits > 1 else (one.modulo(1) - two.modulo(1)).zero()
            return equal if predicate == "eq" else 1 - equal
        form = Integer.signed if predicate[0] == "s" else Integer.modulo
        one, two = form(one, bits), form(two, bits)
        if predicate[1:] in ("gt", "le"):
            one, two = two, one
        below = one.below(two)
        return below if predicate[1:] in ("gt", "lt") else 1 - below

    def _select(self, reader: _Reader) -> Value:
        _, flag = reader.integer()
        reader.expect(",")
        kind, one = reader.typed()
        reader.expect(",")
        _, two = reader.typed()
        return self._chosen(flag.modulo(1), one, two, kind, reader.text)

    def _chosen(self, flag: Integer, one: Value, two: Value, kind: Type, where: str) -> Value:
        if isinstance(one, Pointer) and isinstance(two, Pointer) and one.block == two.block:
            return Pointer(one.block, choice(flag, one.offset, two.offset))
        if isinstance(one, Integer) and isinstance(two, Integer):
            if kind.bits == 1:
                return choice(flag, one.modulo(1), two.modulo(1))
            return choice(flag, _plain(one, kind.bits), _plain(two, kind.bits))
        raise _error("a choice between objects", where.strip())

    def _phi(self, reader: _Reader, edges: list[tuple[str, Integer]]) -> Value:
        kind = reader.type()
        values: dict[str, Value] = {}
        while reader.accept("["):
            value = reader.value(kind)
            reader.expect(",")
            values[reader.next()] = value
            reader.expect("]")
            reader.accept(",")
        known = [(values[name], condition) for name, condition in edges if condition.value != 0]
        result = known[-1][0]
        for value, condition in reversed(known[:-1]):
            result = self._chosen(condition, value, result, kind, reader.text)
        return result

    def _call(self, reader: _Reader) -> Value:
        text = reader.text
        name = found[1] if (found := re.search(r"@([-\w.$]+)\(", text)) else text.strip()
        if name.startswith(MARKERS):
            return self.space.constant(0)
        while reader.peek() != f"@{name}" and reader.peek():
            reader.next()
        reader.next()
        reader.expect("(")
        arguments = []
        while not reader.accept(")"):
            arguments.append(reader.typed())
            reader.accept(",")
        return self._intrinsic(name, arguments, text)

    def _intrinsic(self, name: str, arguments: list[tuple[Type, Value]], where: str) -> Value:
        kind = arguments[0][0] if arguments else Type(0)
        bits = kind.bits
        integers = [value for _, value in arguments if isinstance(value, Integer)]
        if found := re.fullmatch(r"llvm\.([us])(min|max)\.i\d+", name):
            form = Integer.signed if found[1] == "s" else Integer.modulo
            one, two = (form(x, bits) for x in integers)
            return choice(one.below(two), *((one, two) if found[2] == "min" else (two, one)))
        if name.startswith("llvm.abs."):
            x = integers[0].signed(bits)
            return choice(x.negative(), -x, x)
        if name.startswith(("llvm.fshl.", "llvm.fshr.")) and (shift := integers[2].value) is not None:
            shift = shift % bits if "fshl" in name else (bits - shift % bits) % bits
            high, low = (integers[0], integers[1])
            return high * (1 << shift) + low.modulo(bits).floor(bits - shift) if shift else high
        if name.startswith("llvm.memset.") and isinstance(arguments[0][1], Pointer):
            self._fill(arguments[0][1], integers[0], integers[1], where)
            return self.space.constant(0)
        if name.startswith(("llvm.memcpy.", "llvm.memmove.")):
            self._copy(arguments, where)
            return self.space.constant(0)
        raise _error(f"a call of {name!r}", where.strip())

    def _fill(self, place: Pointer, byte: Integer, length: Integer, where: str) -> None:
        start, count = place.offset.value, length.value
        if start is None or count is None:
            raise _error("memory at a place that depends on the inputs", where.strip())
        block = self._block(place.block, where)
        for at in [at for at in block.cells if start <= at < start + count]:
            del block.cells[at]
        for at in range(start, start + count):
            block.cells[at] = (1, byte)

    def _copy(self, arguments: list[tuple[Type, Value]], where: str) -> None:
        to, source, length = (value for _, value in arguments[:3])
        assert isinstance(to, Pointer) and isinstance(source, Pointer) and isinstance(length, Integer)
        start, begin, count = to.offset.value, source.offset.value, length.value
        if start is None or begin is None or count is None:
            raise _error("memory at a place that depends on the inputs", where.strip())
        cells = self._block(source.block, where).cells
        copied = {at - begin + start: cell for at, cell in cells.items() if begin <= at < begin + count}
        self._block(to.block, where).cells.update(copied)

    def _block(self, name: str, where: str) -> Block:
        if name not in self.memory:
            if name not in self.module.globals:
                raise _error(f"memory {name!r} is not known", where.strip())
            self.memory[name] = self._global(name)
        return self.memory[name]

    def _global(self, name: str) -> Block:
        text = re.sub(r"^.*?\b(global|constant) ", "", self.module.globals[name])
        reader = _Reader(text.split(", align")[0], self)
        kind, block = reader.type(), Block()
        self._initialise(reader, kind, 0, block)
        return block

    def _initialise(self, reader: _Reader, kind: Type, place: int, block: Block) -> None:
        if reader.peek() in ("zeroinitializer", "undef"):
            reader.next()
            for at, size in _cells(kind, place):
                block.cells[at] = (size, self.space.constant(0))
        elif kind.bits:
            value = reader.value(kind)
            assert isinstance(value, Integer)
            block.cells[place] = (kind.size, value.signed(kind.bits) if kind.bits > 1 else value)
        elif reader.peek().startswith('c"'):
            raise _error("a text", reader.text[:80])
        else:
            closing = {"[": "]", "{": "}", "<": ">"}[reader.next()]
            if closing == ">":
                reader.expect("{")
            k = 0
            while reader.peek() not in ("]", "}"):
                part = reader.type()
                at = kind.parts[k][0] if kind.parts else k * part.size
                self._initialise(reader, part, place + at, block)
                reader.accept(",")
                k += 1
            reader.next()
            if closing == ">":
                reader.expect(">")

    def _store(self, kind: Type, value: Value, place: Value, where: str) -> None:
        if not isinstance(place, Pointer) or not isinstance(value, Integer) or place.offset.value is None:
            raise _error("memory at a place that depends on the inputs", where.strip())
        block, at = self._block(place.block, where), place.offset.value
        if block.constant:
            raise _error(f"an input {place.block!r} is overwritten", where.strip())
        value = value.signed(kind.bits) if kind.bits > 1 else value.modulo(1)
        if self.condition.value != 1:
            old = block.cells.get(at, (kind.size, self.space.constant(0)))
            value = choice(self.condition, value, old[1])
        inside = [other for other in range(at + 1, at + kind.size) if other in block.cells]
        for other in inside:
            if other + block.cells.pop(other)[0] > at + kind.size:
                raise _error("two stores overlap", where.strip())
        if inside:
            # clang stores several constants at once: byte by byte, they can be read as they were written
            for k in range(kind.size):
                block.cells[at + k] = (1, value.floor(8 * k).modulo(8))
            return
        block.cells[at] = (kind.size, value)

    def _load(self, kind: Type, place: Value, where: str) -> Integer:
        if not isinstance(place, Pointer) or not kind.bits:
            raise _error("a load of something else than an integer", where.strip())
        block, offset = self._block(place.block, where), place.offset
        if offset.value is not None:
            return self._cell(block, offset.value, kind, where)
        place = offset.floor(kind.size.bit_length() - 1)
        places = range(0, max(block.cells, default=0) + 1, kind.size)
        entries = [self._cell(block, at, kind, where).value for at in places]
        if None in entries:
            raise _error("memory at a place that depends on the inputs", where.strip())
        self._must_lie(place, 0, len(entries) - 1, where)
        return place.entry(entries)  # type: ignore[arg-type]

    def _cell(self, block: Block, at: int, kind: Type, where: str) -> Integer:
        size, value = block.cells.get(at, (0, self.space.constant(0)))
        if size == kind.size:
            return value
        if size > kind.size:
            return _cut(value, kind.bits)
        parts = [block.cells.get(at + k, (0, value)) for k in range(kind.size)]
        if any(length != 1 for length, _ in parts):
            raise _error(f"{kind.size} bytes are read at {at}, where {size} were stored", where.strip())
        word = sum((part.modulo(8) * (1 << 8 * k) for k, (_, part) in enumerate(parts)), start=self.space.constant(0))
        return word.signed(kind.bits)


def _plain(x: Integer, bits: int) -> Integer:
    """A word whose bounds fit: as it is, if they do."""
    return x if -(1 << (bits - 1)) <= x.low and x.high < 1 << bits else x.signed(bits)


def _cut(x: Integer, bits: int) -> Integer:
    return x.modulo(1) if bits == 1 else x.reduced(bits)


def _union(space: Space, conditions: list[Integer]) -> Integer:
    """One of several conditions that exclude each other."""
    return sum(conditions, start=space.constant(0))._within(0, 1)


def _cells(kind: Type, place: int) -> Iterator[tuple[int, int]]:
    """Places and sizes of the integers of a type."""
    if kind.element is not None:
        for k in range(kind.size // max(1, kind.element.size)):
            yield from _cells(kind.element, place + k * kind.element.size)
    elif kind.parts:
        for at, part in kind.parts:
            yield from _cells(part, place + at)
    else:
        yield place, kind.size


def _blocks(lines: list[str]) -> Iterator[tuple[str, list[str]]]:
    """The basic blocks of a function, by label."""
    name, block = "", list[str]()
    pending = ""
    for line in lines:
        if found := re.match(r"([-\w.$]+):", line):
            if block:
                yield name, block
            name, block = f"%{found[1]}", []
        elif line.strip():
            # a switch goes over several lines
            pending += line
            if pending.count("[") == pending.count("]"):
                block.append(pending)
                pending = ""
    yield name, block


def _order(blocks: Mapping[str, list[str]], entry: str) -> list[str]:
    """Blocks after all that lead to them; a loop is an error."""
    targets = {name: re.findall(r"label (%[-\w.$]+)", lines[-1]) if lines else [] for name, lines in blocks.items()}
    finished: list[str] = []
    open_: set[str] = set()
    stack = [(entry, iter(targets[entry]))]
    open_.add(entry)
    seen = {entry}
    while stack:
        name, rest = stack[-1]
        for target in rest:
            if target in open_:
                raise _error("a loop", f"block {target}")
            if target not in seen:
                seen.add(target)
                open_.add(target)
                stack.append((target, iter(targets[target])))
                break
        else:
            stack.pop()
            open_.discard(name)
            finished.append(name)
    return finished[::-1]
