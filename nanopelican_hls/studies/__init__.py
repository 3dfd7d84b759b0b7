"""Many trainings side by side, and the tables and pictures that come from them (docs/studies.md)."""
