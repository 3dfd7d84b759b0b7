"""Names in C++."""

from __future__ import annotations

import re
from collections.abc import Iterable

#: keywords of C++, words that are often macros, and names in the templates
RESERVED = frozenset(
    re.findall(
        r"\w+",
        """
        alignas alignof and and_eq asm auto bitand bitor bool break case catch char char16_t char32_t class compl const
        const_cast constexpr continue decltype default delete do double dynamic_cast else enum explicit export extern
        false float for friend goto if inline int long mutable namespace new noexcept not not_eq nullptr operator or
        or_eq private protected public register reinterpret_cast return short signed sizeof static static_assert
        static_cast struct switch template this thread_local throw true try typedef typeid typename union unsigned
        using virtual void volatile wchar_t while xor xor_eq
        linux unix EOF NULL std int16_t int32_t int64_t
        Block Inputs Kernels LANES Outputs Passing RealInputs Tensors any at_least at_most avx2 avx512 block clip
        compute first i inputs j jet jets kernels load load_block load_integers load_real outputs passing place rounded
        run run_blocks save save_all save_block second tensors to_integer traced FOR_EACH_JET INLINE JETS_OF_BLOCK
        KERNELS none
        """,
    )
)


def identifier(name: str, taken: Iterable[str] = ()) -> str:
    """A C++ identifier like a name, other than those taken."""
    word = re.sub(r"__+", "_", re.sub(r"\W", "_", name, flags=re.ASCII)).strip("_")
    word = word if re.match("[A-Za-z]", word) else f"t_{word}"
    number, found = 2, word
    while found in RESERVED or found in taken:
        number, found = number + 1, f"{word}_{number}"
    return found
