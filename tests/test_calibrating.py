"""The folder of a calibration's and a self-test's bundles."""

from __future__ import annotations

import os

from bench.measure.launch import run_folder


def test_bundles_lie_where_a_later_run_finds_out_that_their_owner_was_killed() -> None:
    with run_folder() as folder:
        assert folder.name.startswith(f"onnx-crossbench-{os.getpid()}-")
    assert not folder.exists()
