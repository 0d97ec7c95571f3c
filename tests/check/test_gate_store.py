"""A gate's folder: there and back, every damage named, nobody's name in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pandas as pd
import pytest

from analysis_fakes import died, opened, together, turn, warmup
from bench.analysis.sequential import make_design
from bench.check.gate_store import GATE_FILE, RAW_TABLES, load_gate, save_gate
from bench.check.private import scrub_gate
from bench.check.records import GATE_SCHEMA, GateResult, GateSettings, Judged, SideFacts
from bench.errors import UsageError
from bench.records import CaseRepetition
from bench.report.scrub import Private
from gate_fakes import MACHINE, MADE, NET, dead, pair


def result(**changes: Any) -> GateResult:
    facts = SideFacts(origin="net.onnx", made=MADE, bench_version="0.1.0", machine=MACHINE, versions={NET: "1.32.0"})
    fields: dict[str, Any] = {
        "schema_version": GATE_SCHEMA,
        "settings": GateSettings(budgets={NET: 0.1}, time_limit_s=60.0, seed=7),
        "design": make_design(),
        "command": "bench gate",
        "bench_version": "0.1.0",
        "started": MADE,
        "seconds": 12.5,
        "threads": 1,
        "cpus": (1,),
        "machine": MACHINE,
        "baseline": facts,
        "head": facts,
        "judged": (Judged(case=NET, metric="latency", answer="PASS", reason="fine", delta=0.05, change=0.01),),
        "pairs": (pair(0), pair(1, head=dead())),
        "family_bound": 0.0089,
        "notes": ("a note",),
    }
    return GateResult(**(fields | changes))


def repetition(number: int) -> Any:
    sides = [
        CaseRepetition(
            case_id=name, repetition=number, status="ok", opened=opened(), turns=[warmup(), turn(0, [1, 2, 3])]
        )
        for name in ("baseline", "head")
    ]
    return together(number, *sides)


def test_a_gate_comes_back_as_it_was(tmp_path: Path) -> None:
    save_gate(tmp_path / "gate", result(), {NET: [repetition(0), repetition(1)]})
    assert load_gate(tmp_path / "gate") == result()


def test_raw_samples_tell_case_side_and_pair(tmp_path: Path) -> None:
    save_gate(tmp_path, result(), {NET: [repetition(0), repetition(1)]})
    samples = pd.read_parquet(tmp_path / "samples.parquet")
    assert set(samples["case_id"]) == {f"{NET} [baseline]", f"{NET} [head]"}
    assert set(samples["repetition"]) == {0, 1}
    assert len(samples[samples["kind"] == "timed"]) == 12


def test_a_gate_without_a_pair_has_its_tables(tmp_path: Path) -> None:
    save_gate(tmp_path, result(pairs=(), design=None), {NET: []})
    assert load_gate(tmp_path).pairs == ()
    assert all(len(pd.read_parquet(tmp_path / f"{table}.parquet")) == 0 for table in RAW_TABLES)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "gate.json is damaged"),
        (b"{", "gate.json is damaged"),
        (b"[]", "gate.json is damaged"),
        (b'{"schema_version": 99}', "it has schema version 99, this bench reads up to 1. Install a newer"),
        (b'{"schema_version": 1}', "gate.json is damaged (Object missing required field"),
        (None, "no gate.json in it; `bench gate --out"),
    ],
)
def test_what_is_no_gate_is_told(tmp_path: Path, content: bytes | None, said: str) -> None:
    if content is not None:
        (tmp_path / GATE_FILE).write_bytes(content)
    with pytest.raises(UsageError) as refused:
        load_gate(tmp_path)
    assert str(refused.value).startswith(f"reading gate {tmp_path}: {said}")


def test_a_folder_that_is_gone_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such folder"):
        load_gate(tmp_path / "gone")


def test_nothing_private_is_stored() -> None:
    private = Private(home="/home/ada", user="ada", host="engine7")
    secret = "reading /home/ada/net.onnx on engine7"
    clean = "reading ~/net.onnx on HOST"
    found = scrub_gate(
        result(
            command="bench gate --baseline /home/ada/base /srv/deep/net.onnx",
            notes=(secret,),
            judged=(Judged(case=NET, metric="latency", answer="FAILED", reason=secret, delta=0.05, notes=(secret,)),),
            pairs=(pair(0, head=dead(reason=secret)),),
        ),
        private,
    )
    assert found.command == "bench gate --baseline base net.onnx"
    assert found.notes == found.judged[0].notes == (clean,)
    assert found.judged[0].reason == found.pairs[0].head.reason == clean
    text = msgspec.json.encode(found).decode()
    assert "ada" not in text
    assert "engine7" not in text


def test_the_last_words_of_a_dead_worker_are_scrubbed_in_the_raw_tables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "bench.report.scrub.this_machine", lambda: Private(home="/home/ada", user="ada", host="engine7")
    )
    dying = together(0, died("baseline", 0, reason="no /home/ada/x"), died("head", 0, reason="no /home/ada/x"))
    save_gate(tmp_path, result(), {NET: [dying]})
    assert set(pd.read_parquet(tmp_path / "processes.parquet")["reason"]) == {"no ~/x"}
