"""Emulators for the software of an experiment: models of CMSSW, in a folder that builds with make (docs/cmssw.md)."""
