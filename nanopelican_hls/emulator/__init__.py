"""Generator of the plain-integer emulator: C++17 of fixed-width integers, several jets at once (docs/emulator.md)."""
