"""The file of trials goes on where it ends, and belongs to one identity."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from bench.check.selftest_file import open_trials
from bench.errors import UsageError
from selftest_fakes import IDENTITY, empty_file, key, plant, trial


def test_what_was_added_is_there_again(tmp_path: Path) -> None:
    first = empty_file(tmp_path / "new folder")
    first.add(plant())
    first.add(trial(key("nodes"), "REGRESSED"))
    again = empty_file(tmp_path / "new folder")
    assert again.plants == [plant()]
    assert again.trials == [trial(key("nodes"), "REGRESSED")]
    assert (again.plants, again.trials) == (first.plants, first.trials)


def test_every_line_is_written_at_once(tmp_path: Path) -> None:
    made = empty_file(tmp_path)
    path = tmp_path / "trials.jsonl"
    assert len(path.read_bytes().splitlines()) == 1
    made.add(trial(key()))
    lines = [msgspec.json.decode(line) for line in path.read_bytes().splitlines()]
    assert [line["type"] for line in lines] == ["identity", "trial"]
    assert lines[1]["key"]["kind"] == "same"


def test_a_line_that_was_cut_short_is_dropped_and_the_next_is_whole(tmp_path: Path) -> None:
    made = empty_file(tmp_path)
    made.add(trial(key(number=0)))
    made.add(trial(key(number=1)))
    path = tmp_path / "trials.jsonl"
    path.write_bytes(path.read_bytes()[:-20])
    again = empty_file(tmp_path)
    assert [one.key.number for one in again.trials] == [0]
    again.add(trial(key(number=1)))
    assert [one.key.number for one in empty_file(tmp_path).trials] == [0, 1]


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("threads", 2, "threads 1 there, 2 here"),
        ("model_digest", "another", "model digest digest of net there, another here"),
        ("sources", "edited", "sources digest of sources there, edited here"),
        ("delta", 0.03, "delta 0.05 there, 0.03 here"),
        ("cpu", "Another CPU", "cpu Invented CPU there, Another CPU here"),
    ],
)
def test_a_file_of_another_identity_is_refused(tmp_path: Path, field: str, value: object, told: str) -> None:
    empty_file(tmp_path).add(trial(key()))
    path = tmp_path / "trials.jsonl"
    before = path.read_bytes()
    with pytest.raises(UsageError, match=f"of another self-test, {told}; give another --file"):
        open_trials(path, msgspec.structs.replace(IDENTITY, **{field: value}))
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"not json\n", b'{"type":"other"}\n', b"\xff\n"])
def test_a_file_that_is_none_of_ours_is_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "trials.jsonl"
    path.write_bytes(content)
    with pytest.raises(UsageError, match="give another --file") as refusal:
        empty_file(tmp_path)
    assert "\n" not in str(refusal.value)
    assert path.read_bytes() == content


def test_a_file_that_begins_with_a_trial_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "trials.jsonl"
    path.write_bytes(msgspec.json.encode(trial(key())) + b"\n")
    with pytest.raises(UsageError, match="its first line is no identity"):
        empty_file(tmp_path)


def test_a_place_that_can_not_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UsageError, match=r"trials .*give another --file"):
        open_trials(tmp_path / "file" / "trials.jsonl", IDENTITY)
