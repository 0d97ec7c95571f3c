"""A runtime that CI expects cannot be skipped."""

from __future__ import annotations

import pytest

from made_environments import skip


def test_what_cannot_be_used_is_skipped_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENCH_EXPECT_RUNTIMES", "openvino iree")
    with pytest.raises(pytest.skip.Exception, match="litert: offline"):
        skip("litert", "offline")


def test_what_is_expected_fails_in_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENCH_EXPECT_RUNTIMES", "openvino iree")
    with pytest.raises(pytest.fail.Exception, match="iree is expected here: offline"):
        skip("iree", "offline")
