"""The picture of errors along depth: what is drawn, and that files are written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bench.bisect_picture import draw_errors, errors_chart
from bench.bisected import Bisected, Depth


def found(n: int = 6) -> Bisected:
    rows = [
        Depth(
            place=i + 1,
            layer=f"it's_{i}",
            kind="Dense",
            tensor=f"t{i}",
            yardstick=1e-6,
            file_error=0.0,
            error=1e-6 if i < 3 else 0.02,
            budget=1e-4,
            verdict="within" if i < 3 else "beyond",
        )
        for i in range(n)
    ]
    return Bisected(
        verdict="found", model="net", runtime="onnxruntime-cpu", layer="it's_3", tensor="t3", layers=tuple(rows)
    )


def points(chart: dict[str, Any]) -> list[dict[str, Any]]:
    return [row for data in chart["datasets"].values() for row in data]


def test_every_known_error_is_a_point_and_zero_is_at_the_edge() -> None:
    drawn = points(errors_chart(found()).to_dict())
    assert {"place": 1, "what": "file, unoptimised", "error": 1e-8} in drawn
    assert {"place": 4, "what": "runtime", "error": 0.02} in drawn
    assert {"place": 4, "name": "it's_3"} in drawn


def test_many_layers_have_numbers_below_them() -> None:
    few, many = (str(errors_chart(found(n)).to_dict()) for n in (6, 60))
    assert "labelExpr" in few
    assert "labelExpr" not in many


def test_both_files_are_written(tmp_path: Path) -> None:
    draw_errors(found(), tmp_path)
    assert (tmp_path / "errors.png").read_bytes().startswith(b"\x89PNG")
    assert "it's_3" in (tmp_path / "errors.svg").read_text().replace("&#39;", "'")
