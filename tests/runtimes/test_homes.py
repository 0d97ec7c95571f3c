from __future__ import annotations

import pytest

from bench.errors import BenchError
from bench.runtimes.homes import requirements_of


def test_a_version_takes_the_place_of_that_of_the_package_and_of_what_moves_with_it() -> None:
    assert requirements_of("openvino", "2026.2") == ("openvino==2026.2",)
    assert requirements_of("iree", "3.12.0") == (
        "iree-base-runtime==3.12.0",
        "iree-base-compiler==3.12.0",
        "onnx==1.23.2",
    )


def test_what_does_not_move_stays_where_it_was() -> None:
    pinned = requirements_of("onnxruntime-webgpu")
    assert requirements_of("onnxruntime-webgpu", "0.3.0") == (pinned[0], "onnxruntime-ep-webgpu==0.3.0")


def test_extras_stay_with_their_package() -> None:
    assert requirements_of("onnxruntime-cuda", "1.30.0") == ("onnxruntime-gpu[cuda,cudnn]==1.30.0",)


def test_what_is_no_version_is_refused() -> None:
    with pytest.raises(BenchError, match="not-a-version"):
        requirements_of("iree", "not-a-version")
