"""Rival taggers in the same harness, hardware included: Deep Sets and JEDI-linear, trained with HGQ2 (docs/rivals.md).

`inputs`, `rows` and `page` need no more than the package; `networks`, `training` and `hardware` need the extra
``rivals`` (Keras, HGQ2).
"""
