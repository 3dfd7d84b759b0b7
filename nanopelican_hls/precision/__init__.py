"""Mixed precision: widths of all quantisers under a budget, by sensitivity or by search (docs/precision.md)."""
