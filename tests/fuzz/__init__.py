"""Fuzzing of everything that reads what a user gives: ``make fuzz`` (docs/proof.md, "Damaged and hostile files").

A target draws cases (`targets`), reads each in a child process that may write nothing and run nothing (`sandbox`), and
`search` counts them, keeps what it finds, and writes ``benchmarks/fuzz.json``.
"""
