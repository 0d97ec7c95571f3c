"""The least step that would be noticed: it grows with the noise and shrinks with the number of reports."""

from __future__ import annotations

import random

from bench.analysis.history_steps import noticeable_step

P = 1e-4


def numbers(count: int, spread: float, step: float = 1.0) -> list[float]:
    random_ = random.Random(7)
    return [100 * random_.lognormvariate(0, spread) * (step if i >= count // 2 else 1) for i in range(count)]


def known(values: list[float], starts: tuple[int, ...] = ()) -> float:
    found = noticeable_step(values, starts, P)
    assert found is not None
    return found


def test_it_grows_with_the_noise_and_shrinks_with_the_number_of_reports() -> None:
    assert known(numbers(30, 0.03)) > 2 * known(numbers(30, 0.01))
    assert known(numbers(8, 0.03)) > 2 * known(numbers(60, 0.03))
    assert 0.03 < known(numbers(30, 0.03)) < 0.08


def test_levels_are_taken_out_of_the_noise() -> None:
    stepped = numbers(30, 0.01, step=1.5)
    assert known(stepped, (15,)) < 0.1 * known(stepped)


def test_numbers_that_do_not_vary_show_any_step_and_too_few_show_none() -> None:
    assert known([5.0] * 10) == 0.0
    assert noticeable_step([5.0, 6.0], (), P) is None
    assert noticeable_step([5.0, 5.1, 5.0, 5.1, 8.0, 8.1], (4,), P) is not None
    assert noticeable_step([5.0, 6.0, 7.0, 8.0], (1, 2, 3), P) is None


def test_noise_beyond_all_measure_has_no_such_step() -> None:
    assert noticeable_step([1.0, 1e9] * 4, (), P) is None
