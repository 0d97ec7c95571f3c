"""The picture of errors along depth: what is drawn, and that files are written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

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


def axis(chart: dict[str, Any]) -> dict[str, Any]:
    """Of errors: domain, ticks and the expression of their labels."""
    y = chart["layer"][0]["encoding"]["y"]
    return {"domain": y["scale"]["domain"], "ticks": y["axis"]["values"], "labels": y["axis"]["labelExpr"]}


def with_errors(**changes: Any) -> Bisected:
    """The first layer's figures are others."""
    base = found()
    return msgspec.structs.replace(base, layers=(msgspec.structs.replace(base.layers[0], **changes), *base.layers[1:]))


def test_every_known_error_is_a_point() -> None:
    drawn = points(errors_chart(found()).to_dict())
    assert {"place": 4, "what": "runtime", "error": 0.02} in drawn
    assert {"place": 4, "name": "it's_3"} in drawn


def test_the_scale_reaches_as_far_as_the_errors_do() -> None:
    chart = errors_chart(with_errors(error=3e7, file_error=2e-15)).to_dict()
    drawn = points(chart)
    assert {"place": 1, "what": "runtime", "error": 3e7} in drawn
    assert {"place": 1, "what": "file, unoptimised", "error": 2e-15} in drawn
    low, high = axis(chart)["domain"]
    assert low < 2e-15 < 3e7 < high
    assert len(axis(chart)["ticks"]) <= 15


def test_an_error_of_zero_is_at_the_bottom_where_the_axis_says_so() -> None:
    chart = errors_chart(found()).to_dict()
    assert {"place": 1, "what": "file, unoptimised", "error": 1e-7} in points(chart)
    assert axis(chart)["domain"][0] == axis(chart)["ticks"][0] == 1e-7
    assert "'0'" in axis(chart)["labels"]
    base = found()
    none = [msgspec.structs.replace(row, file_error=2e-6) for row in base.layers]
    assert "'0'" not in axis(errors_chart(msgspec.structs.replace(base, layers=tuple(none))).to_dict())["labels"]


def test_an_error_without_a_number_is_above_all_where_the_axis_says_so() -> None:
    chart = errors_chart(with_errors(error=None, verdict="beyond")).to_dict()
    assert {"place": 1, "what": "runtime", "error": 1.0} in points(chart)
    assert "no number" in axis(chart)["labels"]
    assert "no number" not in axis(errors_chart(found()).to_dict())["labels"]


def test_many_layers_have_numbers_below_them() -> None:
    few, many = (errors_chart(found(n)).to_dict()["layer"][0]["encoding"]["x"]["axis"] for n in (6, 60))
    assert "labelExpr" in few
    assert "labelExpr" not in many


def test_both_files_are_written(tmp_path: Path) -> None:
    draw_errors(found(), tmp_path)
    assert (tmp_path / "errors.png").read_bytes().startswith(b"\x89PNG")
    assert "it's_3" in (tmp_path / "errors.svg").read_text().replace("&#39;", "'")
