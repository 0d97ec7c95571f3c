"""Change points by Apache Otava, in an environment of its own: started by path with ``-I``, never imported.

Its arguments are a JSON file with a list of series and the limit of the p-value; the answer goes to a second file. A
series is a list of numbers whose levels are compared as they are: logarithms, for ratios. Needs Otava alone.
"""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path
from typing import Any


def main(asked: str, answered: str) -> None:
    """Answer each series with its change points: index, means on both sides, p."""
    question = json.loads(Path(asked).read_text(encoding="utf-8"))
    warnings.simplefilter("ignore")  # of a level that does not vary: its t is infinite, as it should be
    found = [_change_points(series, question["max_p"]) for series in question["series"]]
    Path(answered).write_text(json.dumps(found), encoding="utf-8")


def _change_points(series: list[float], max_p: float) -> list[dict[str, Any]]:
    from otava.analysis import compute_change_points

    found, _ = compute_change_points(list(series), max_pvalue=max_p)
    return [
        {
            "index": int(one.index),
            "before": float(one.stats.mean_1),
            "after": float(one.stats.mean_2),
            "p": float(one.stats.pvalue),
        }
        for one in found
    ]


if __name__ == "__main__":
    main(*sys.argv[1:])
