"""Proofs for all inputs: firmware as integer expressions, compared with the operators by a solver (docs/proof.md)."""
