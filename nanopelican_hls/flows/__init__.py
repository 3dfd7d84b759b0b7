"""Synthesis: parts, the one report of all flows, and AMD's tools (docs/synthesis.md)."""
