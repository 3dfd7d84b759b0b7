"""Strategies that damage: bytes of any file, and pickles that would run code."""

from __future__ import annotations

import struct

from hypothesis import strategies as st

#: integers at which sizes and counts go wrong
EDGES = (
    *(0, 1, 2, 3, -1, -2, 127, 128, 255, 256, 65535, 2**31 - 1, 2**31, -(2**31), 2**32 - 1, 2**32, 2**53, 2**53 + 1),
    *(2**62, 2**63 - 1, -(2**63), 1000, 10**6, 10**9, 10**12),
)
EDGE = st.sampled_from(EDGES)
NUMBERS = st.one_of(
    EDGE.map(float),
    st.sampled_from([float("nan"), float("inf"), -float("inf"), -0.0, 1e-320, 1e300, -1e300, 0.5, 1.5, 1e-9]),
    st.floats(-100, 100),
)
#: names that would be code, paths or formats where someone pastes them
NAMES = st.one_of(
    st.sampled_from(
        [
            *("", " ", "a b", "ä", "\x00", "'", '"', "%s", "{0}", "{x!r}", "../x", "/etc/passwd", "x" * 3000, "\ud7ff"),
            "'+str(__import__('os').system('touch ran'))+'",
            '"""\n__import__("os").system("touch ran")\n"""',
            "x=__import__('os').system('touch ran')",
            "$(touch ran)",
        ]
    ),
    st.text(max_size=8),
)


@st.composite
def damaged(draw, content: bytes, most: int = 6) -> bytes:
    """Bytes with up to ``most`` faults: bits, integers of 1 to 8 bytes, ranges lost, doubled or filled, and the end."""
    result = bytearray(content)
    for _ in range(draw(st.integers(1, most))):
        place = draw(st.integers(0, max(len(result) - 1, 0)))
        length = draw(st.sampled_from([1, 2, 4, 8, 16, 100]))
        match draw(st.sampled_from(["bit", "byte", "integer", "lost", "doubled", "filled", "end"])):
            case "bit" if result:
                result[place] ^= 1 << draw(st.integers(0, 7))
            case "byte" if result:
                result[place] = draw(st.integers(0, 255))
            case "integer":
                order, kind = draw(st.sampled_from("<>")), draw(st.sampled_from("bhiq"))
                size = struct.calcsize(kind)
                value = draw(EDGE) & (2 ** (8 * size) - 1)
                result[place : place + size] = struct.pack(order + kind.upper(), value)
            case "lost":
                del result[place : place + length]
            case "doubled":
                result[place:place] = result[place : place + length]
            case "filled":
                result[place : place + length] = bytes([draw(st.sampled_from([0, 255]))]) * length
            case "end" if draw(st.integers(0, 3)) == 0:
                del result[place:]
    return bytes(result)


def _call(module: str, name: str, argument: str) -> bytes:
    """A pickle that calls a function with a text."""
    text = argument.encode()
    return b"\x80\x02c%s\n%s\nX%s%s\x85R." % (module.encode(), name.encode(), struct.pack("<I", len(text)), text)


#: pickles that would run code, as opcodes of protocol 2
HOSTILE_PICKLES = (
    _call("os", "system", "touch ran"),
    _call("posix", "system", "touch ran"),
    _call("subprocess", "getoutput", "touch ran"),
    _call("builtins", "exec", "open('ran', 'w')"),
    _call("builtins", "eval", "open('ran', 'w')"),
    _call("torch.hub", "load_state_dict_from_url", "http://localhost/x"),
    _call("torch._utils", "_rebuild_tensor_v2", "x"),
    _call("torch.serialization", "load", "other.pt"),
    _call("numpy", "load", "other.npy"),
    b"\x80\x02" + b"(" * 5000 + b".",
    b"\x80\x02" + b"]" * 5000 + b".",
    b"\x80\x02X\xff\xff\xff\xff.",
    b"\x80\x02cos\nsystem\n.",
)
