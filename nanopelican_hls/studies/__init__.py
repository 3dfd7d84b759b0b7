"""Studies: many training runs in parallel, and the tables and plots made from them (docs/studies.md)."""
