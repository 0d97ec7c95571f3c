"""``bench profile`` when it is interrupted: what was kept is told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench import errors, profiling
from bench.analysis.profiled import Profile
from bench.commands.profile import profile_models
from bench.flags import Flags
from bench.profiling import Profiling
from bench.progress import Silent
from bench.report import profile_store
from command_fakes import Heard
from profile_fakes import MS, case, kernel, profile
from report_fakes import environment

TIMES = [6 * MS, 6 * MS]
MADE = profile(case([kernel("conv", "Conv", (0,), TIMES)], [10 * MS] * 2), environment=environment(finished=False))


def measured(code: int) -> Callable[..., Profiling]:
    """Stands for ``profile_suite``: a profile of two repetitions that ended with ``code``."""

    def answer(*_: Any, keep: Callable[[Profile], None], **__: Any) -> Profiling:
        keep(MADE)
        return Profiling(profile=MADE, exit_code=code)

    return answer


def profiled(out: Path, heard: Heard) -> int:
    flags = Flags(model=("article_cnn",), runtime=("cpu",), threads=1)
    return profile_models(
        flags, diff=False, out=out, as_json=False, command="bench", console=heard.console, progress=Silent()
    )


@pytest.mark.parametrize("code", [errors.EXIT_INTERRUPTED, errors.EXIT_TERMINATED, errors.EXIT_OK])
def test_an_interrupted_profile_says_what_it_kept_and_where_and_another_only_where(
    code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(profiling, "profile_suite", measured(code))
    heard = Heard()
    assert profiled(tmp_path / "out", heard) == code
    kept = [f"interrupted: 2 of {MADE.environment.suite.measure.repetitions} repetitions are whole and kept"]
    assert heard.err == [*(kept if code else []), f"profile: {tmp_path / 'out'}"]


def test_a_profile_interrupted_while_it_is_drawn_says_where_its_numbers_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(profiling, "profile_suite", measured(errors.EXIT_OK))
    monkeypatch.setattr(profile_store, "save_profile", interrupt)
    heard = Heard()
    with pytest.raises(KeyboardInterrupt):
        profiled(tmp_path / "out", heard)
    path = tmp_path / "out" / "profile.json"
    assert heard.err == [f"interrupted while drawing: what was measured is in {path}"]
    assert path.is_file()
