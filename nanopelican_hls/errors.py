"""Errors of the package: one base class and one form of message: what, where, and what to do."""

from __future__ import annotations


class NanopelicanError(Exception):
    """Base class of every error that this package raises on purpose; the command line then exits with status 2.

    Parameters
    ----------
    what : str
        What is wrong.
    where : str, optional
        The file, node, tensor, key or jet concerned.
    remedy : str, optional
        What the user can do about it.
    """

    def __init__(self, what: str, *, where: str | None = None, remedy: str | None = None) -> None:
        self.what, self.where, self.remedy = what, where, remedy
        message = f"{where}: {what}" if where else what
        super().__init__(f"{message}\n  remedy: {remedy}" if remedy else message)


class ConfigError(NanopelicanError):
    """A configuration that is malformed, incomplete or inconsistent."""


class JetsError(NanopelicanError):
    """Jets, or a jet file, that cannot be used."""


class NetworkError(NanopelicanError):
    """A checkpoint or a network that cannot be used."""


class TrainingError(NanopelicanError):
    """A training run that cannot continue."""


class ContractError(NanopelicanError):
    """A QONNX graph that violates the numeric contract (docs/contract.md)."""


class FirmwareError(NanopelicanError):
    """An HLS project that cannot be generated, compiled or run."""


class SynthesisError(NanopelicanError):
    """A synthesis that cannot be started or finished, or a tool report that cannot be read."""


class ReportError(NanopelicanError):
    """A report that cannot be made or read."""


class RtlError(NanopelicanError):
    """RTL that cannot be generated, simulated or mapped."""


class SolverError(NanopelicanError):
    """Firmware that no proof for all inputs can be made of, or a tool for it that is missing."""


class WorkerError(NanopelicanError):
    """A worker process that was killed, often for lack of memory."""


class CommandLineError(NanopelicanError):
    """A command line that cannot be parsed."""
