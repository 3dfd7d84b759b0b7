"""A real dask.distributed cluster on this machine."""

from __future__ import annotations

import json

import pytest

from nanopelican_hls.cli import main
from nanopelican_hls.errors import JetsError
from nanopelican_hls.jets.generation.cluster import connect, local_cluster

COMMAND = ["jets", "generate", "--jets", "14", "--seed", "3", "--chunk", "4"]


def test_local_cluster_gives_the_same_bytes(unbroken, tmp_path):
    assert main([*COMMAND, str(tmp_path / "dask.h5"), "--dask-local", "2"]) == 0
    assert (tmp_path / "dask.h5").read_bytes() == unbroken.read_bytes()


def test_by_address_and_by_scheduler_file(unbroken, tmp_path):
    with local_cluster(1) as client:
        address = client.scheduler_info()["address"]
        assert main([*COMMAND, str(tmp_path / "address.h5"), "--scheduler", address]) == 0
        (tmp_path / "scheduler.json").write_text(json.dumps({"address": address}))
        with connect(str(tmp_path / "scheduler.json")) as other:
            assert other.scheduler_info()["address"] == address
    assert (tmp_path / "address.h5").read_bytes() == unbroken.read_bytes()


def test_no_scheduler(monkeypatch):
    monkeypatch.setattr("nanopelican_hls.jets.generation.cluster.CONNECT_SECONDS", 1)
    with pytest.raises(JetsError, match="no dask scheduler answers") as caught, connect("tcp://127.0.0.1:9"):
        pass
    assert caught.value.where == "tcp://127.0.0.1:9"


def test_no_workers():
    with pytest.raises(JetsError, match="cannot start 0 workers"), local_cluster(0):
        pass
