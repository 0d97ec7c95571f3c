from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bench.check.bundle import write_bundle
from bench.check.records import Bundle
from bench.commands.bundle import bundle_models, bundle_text
from bench.errors import UnavailableError, UsageError
from bench.flags import Flags
from bench.progress import Silent
from bench.records import Suite, Verdict
from command_fakes import Heard
from gate_fakes import NET, bundle, bundled, files_of_net

FLAGS = Flags(model=("mobilenet_v1",), runtime=("cpu",))


class Maker:
    """Stands for ``make_bundle``: remembers what it was asked and writes ``made``."""

    def __init__(self, verdict: Verdict = "agrees") -> None:
        self.verdict = verdict
        self.suites: list[Suite] = []
        self.settings: list[dict[str, Any]] = []

    def __call__(self, suite: Suite, folder: Path, **settings: Any) -> Bundle:
        self.suites.append(suite)
        self.settings.append(settings)
        net = files_of_net(folder.parent / f"files{len(self.suites)}")
        made = bundle(bundled(verdict=self.verdict, relative_error=2e-6), models={"net": net})
        return write_bundle(folder, made, {}, replacing=settings["replacing"])


def run(maker: Maker, out: Path, flags: Flags = FLAGS, **settings: Any) -> tuple[int, Heard]:
    heard = Heard()
    given: dict[str, Any] = {"suite_file": None, "replacing": False, **settings}
    code = bundle_models(flags, out=out, console=heard.console, progress=Silent(), make=maker, **given)
    return code, heard


def test_what_is_in_a_bundle_is_printed(tmp_path: Path) -> None:
    maker = Maker()
    code, heard = run(maker, tmp_path / "b")
    assert code == 0
    cells = heard.text.splitlines()[1].split("  ")
    assert [cell.strip() for cell in cells if cell] == [NET, "1.32.0", "agrees (2.0e-6)", "1000 B", "that of bench"]
    assert heard.err == [f"bundle: {tmp_path / 'b'}"]
    assert maker.settings[0]["origin"] == "mobilenet_v1 on onnxruntime-cpu"


def test_a_bundle_says_its_digests_and_how_it_was_made() -> None:
    lines = bundle_text(bundle()).splitlines()
    assert lines[2] == "net onnx: 1000 B, sha256 digest of th; inputs digest of in"
    assert lines[3] == "seed 0, made 2026-11-01T00:00:00+00:00 by bench 0.1.0 on Invented CPU"


def test_one_thread_unless_something_else_is_said(tmp_path: Path) -> None:
    maker = Maker()
    run(maker, tmp_path / "a")
    run(maker, tmp_path / "b", Flags(model=("mobilenet_v1",), threads=2))
    assert [suite.threads for suite in maker.suites] == [1, 2]


@pytest.mark.parametrize(("verdict", "code"), [("agrees", 0), ("disagrees", 3), ("vacuous", 5)])
def test_the_exit_code_is_that_of_the_outputs_and_the_bundle_is_there(
    verdict: Verdict, code: int, tmp_path: Path
) -> None:
    found, heard = run(Maker(verdict), tmp_path / "b")
    assert found == code
    assert (tmp_path / "b" / "bundle.json").is_file()
    assert any("no gate can pass on it" in line for line in heard.err) == (code == 3)


def test_a_case_that_cannot_be_had_writes_nothing(tmp_path: Path) -> None:
    def refuse(*_: Any, **__: Any) -> Bundle:
        raise UnavailableError("no device")

    with pytest.raises(UnavailableError) as caught:
        run(refuse, tmp_path / "b")  # type: ignore[arg-type]
    assert caught.value.exit_code == 6
    assert not (tmp_path / "b").exists()


def test_a_place_that_is_taken_is_told_before_the_work(tmp_path: Path) -> None:
    maker = Maker()
    run(maker, tmp_path / "b")
    with pytest.raises(UsageError, match="a bundle is there; name another folder, give --replace"):
        run(maker, tmp_path / "b")
    (tmp_path / "other").mkdir()
    with pytest.raises(UsageError, match="something is there that is no bundle"):
        run(maker, tmp_path / "other", replacing=True)
    assert len(maker.suites) == 1


def test_a_bundle_that_is_there_is_replaced_by_a_flag(tmp_path: Path) -> None:
    maker = Maker()
    run(maker, tmp_path / "b")
    maker.verdict = "vacuous"
    code, _ = run(maker, tmp_path / "b", replacing=True)
    assert code == 5
