"""A bundle's folder: whole, relocatable, every damage named, nothing of the machine in it."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench.check.bundle import BUNDLE_FILE, DIGEST_FILE, is_bundle, open_bundle, write_bundle
from bench.check.private import scrub_bundle
from bench.check.records import Bundle
from bench.errors import UsageError
from bench.prepare.digests import artifact_digest, file_digest
from bench.records import Caution, Failure, Prepared
from bench.report.scrub import Private
from gate_fakes import bundle, bundled, files_of_net, replace

LOCKS = {"locks/one.txt": "onnxruntime==1.32.0 --hash=sha256:0\n"}


@pytest.fixture
def source(tmp_path: Path) -> Bundle:
    """A bundle whose files are where prepare left them."""
    return bundle(bundled(lock="locks/one.txt"), models={"net": files_of_net(tmp_path / "cache", data=b"weights")})


@pytest.fixture
def written(tmp_path: Path, source: Bundle) -> Path:
    write_bundle(tmp_path / "bundle", source, LOCKS)
    return tmp_path / "bundle"


def edit(folder: Path, change: Callable[[dict[str, Any]], None], *, digest: bool = True) -> None:
    """Write ``bundle.json`` changed, with a digest that fits unless told otherwise."""
    path = folder / BUNDLE_FILE
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    if digest:
        (folder / DIGEST_FILE).write_text(f"{file_digest(path)}  {BUNDLE_FILE}\n")


def onnx_of(content: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = content["models"]["net"]["artifacts"]["onnx"]
    return found


def refused(folder: Path) -> str:
    with pytest.raises(UsageError) as refusal:
        open_bundle(folder)
    message = str(refusal.value)
    assert message.startswith(f"opening bundle {folder}: ")
    assert "\n" not in message
    return message.removeprefix(f"opening bundle {folder}: ")


def test_a_bundle_comes_back_as_it_was_but_for_where_its_files_are(written: Path, source: Bundle) -> None:
    opened = open_bundle(written)
    there = {"net": source.models["net"]}
    assert replace(opened, models=there) == replace(source, models=there)
    net = opened.models["net"]
    assert Path(net.artifacts["onnx"].path) == (written / "models/0/onnx/model.onnx").resolve()
    assert Path(net.artifacts["onnx"].path).with_name("model.data").read_bytes() == b"weights"
    assert net.pool.digest == source.models["net"].pool.digest


def test_a_folder_of_a_model_is_bundled_whole(tmp_path: Path, source: Bundle) -> None:
    saved = tmp_path / "cache" / "saved_model"
    (saved / "variables").mkdir(parents=True)
    (saved / "saved_model.pb").write_bytes(b"graph")
    (saved / "variables" / "v").write_bytes(b"weights")
    net = source.models["net"]
    both = {
        **net.artifacts,
        "saved_model": replace(
            net.artifacts["onnx"], kind="saved_model", path=str(saved), digest=artifact_digest(saved)
        ),
    }
    opened = write_bundle(tmp_path / "b", replace(source, models={"net": replace(net, artifacts=both)}), LOCKS)
    place = Path(opened.models["net"].artifacts["saved_model"].path)
    assert sorted(str(file.relative_to(place)) for file in place.rglob("*") if file.is_file()) == [
        "saved_model.pb",
        "variables/v",
    ]


@pytest.mark.parametrize("place", ["moved", "with space/and ünïcode", "deep/er/and/deeper"])
def test_a_moved_bundle_opens(written: Path, tmp_path: Path, place: str) -> None:
    target = tmp_path / place
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(written, target)
    shutil.rmtree(tmp_path / "cache")
    assert open_bundle(target).cases[0].name == bundled().name


def test_a_bundle_opens_from_a_relative_path_with_absolute_ones(
    written: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert Path(open_bundle(Path("bundle")).models["net"].pool.path).is_absolute()


def test_a_read_only_bundle_opens(written: Path) -> None:
    for path in [written, *written.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        assert open_bundle(written).seed == 0
    finally:
        for path in [written, *written.rglob("*")]:
            path.chmod(0o755)


# --- damage -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "named"),
    [
        ("models/0/onnx/model.onnx", "models/0/onnx/model.onnx is not what was bundled, its digest differs"),
        ("models/0/onnx/model.data", "models/0/onnx/model.onnx is not what was bundled, its digest differs"),
        ("models/0/inputs.npz", "models/0/inputs.npz is not what was bundled, its contents differ"),
        ("models/0/truth.npz", "models/0/truth.npz is not what was bundled, its contents differ"),
        ("bundle.json", "bundle.json is"),
    ],
)
def test_a_flipped_byte_a_cut_and_a_lost_file_are_named(written: Path, file: str, named: str) -> None:
    path = written / file
    whole = path.read_bytes()
    middle = whole.index(b"1", len(whole) // 2) if file.endswith(".json") else len(whole) // 2
    for content in (
        whole[:middle] + bytes([whole[middle] ^ 3]) + whole[middle + 1 :],
        whole[: len(whole) // 2],
        b"",
    ):
        path.write_bytes(content)
        assert refused(written).startswith(named)
        assert "ake it again with `bench bundle`" in refused(written)
    path.unlink()
    lost = {"bundle.json": "no bundle.json in it", "models/0/onnx/model.data": "models/0/onnx/model.onnx is not"}
    assert refused(written).startswith(lost.get(file, f"{file} is missing"))
    path.write_bytes(whole)
    assert open_bundle(written).cases


def test_every_flipped_byte_of_inputs_is_refused_or_harmless(written: Path) -> None:
    path = written / "models/0/inputs.npz"
    whole = path.read_bytes()
    names = open_bundle(written).models
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        assert harmless_or_named(written, names, "models/0/inputs.npz")


def harmless_or_named(folder: Path, models: dict[str, Prepared], file: str) -> bool:
    try:
        return open_bundle(folder).models == models
    except UsageError as error:
        return file in str(error)


def test_a_changed_number_in_bundle_json_does_not_go_unseen(written: Path) -> None:
    edit(written, lambda content: content["cases"][0]["case"].update(threads=3), digest=False)
    assert refused(written).startswith("bundle.json is not what was bundled, its digest differs")


def test_a_lost_or_empty_digest_is_damage(written: Path) -> None:
    (written / DIGEST_FILE).write_text("")
    assert "its digest differs" in refused(written)
    (written / DIGEST_FILE).unlink()
    assert refused(written).startswith("bundle.sha256 is missing")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda b: b.update(schema_version=2), "it has schema version 2, this bench reads up to 1. Install a newer"),
        (lambda b: b.update(schema_version="1"), "bundle.json is damaged"),
        (lambda b: b.pop("seed"), "bundle.json is damaged (Object missing required field `seed`"),
        (lambda b: b.update(more=1), "bundle.json is damaged (Object contains unknown field `more`"),
        (lambda b: b.update(made="yesterday"), "bundle.json is damaged"),
        (lambda b: b.update(made="2026-01-01"), "bundle.json is damaged (made 2026-01-01: no time zone)"),
        (lambda b: b.update(cases=[]), "it has no case"),
        (lambda b: b["cases"].append(b["cases"][0]), f"{bundled().name} is there twice; label its runtimes"),
        (lambda b: b["cases"][0]["case"].update(model="other"), f"case {bundled().name} has no model"),
        (lambda b: b["cases"][0]["case"]["runtime"].update(name="later"), "this bench has no runtime later"),
        (lambda b: b["cases"][0].update(lock="locks/two.txt"), "locks/two.txt is missing"),
        (lambda b: b["cases"][0].update(lock="../../secret"), "../../secret lies outside of it"),
        (lambda b: b["models"]["net"]["pool"].update(path="/etc/passwd"), "/etc/passwd lies outside of it"),
        (lambda b: b["models"]["net"]["truth_file"].update(path="../t.npz"), "../t.npz lies outside of it"),
        (lambda b: b["models"]["net"]["artifacts"]["onnx"].update(path="a/../../m"), "a/../../m lies outside of it"),
        (
            lambda b: b["models"]["net"]["artifacts"]["onnx"].update(path="models/9/m.onnx"),
            "models/9/m.onnx is missing",
        ),
        (lambda b: b["models"]["net"]["artifacts"]["onnx"].update(path="models"), "models is not what was bundled"),
        (lambda b: b["models"]["net"]["pool"].update(path="models"), "models is missing"),
    ],
)
def test_what_a_bundle_may_not_say_is_named(
    written: Path, change: Callable[[dict[str, Any]], None], named: str
) -> None:
    edit(written, change)
    assert refused(written).startswith(named)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 100_000, b'{"schema_version": {}}'])
def test_what_is_no_bundle_json_is_damage(written: Path, content: bytes) -> None:
    (written / BUNDLE_FILE).write_bytes(content)
    assert refused(written).startswith("bundle.json is damaged")


@pytest.mark.parametrize("file", ["models/0/onnx/model.onnx", "models/0/inputs.npz", "locks/one.txt"])
def test_a_link_that_leads_out_of_the_bundle_is_refused(written: Path, tmp_path: Path, file: str) -> None:
    (tmp_path / "outside").write_bytes((written / file).read_bytes())
    (written / file).unlink()
    (written / file).symlink_to(tmp_path / "outside")
    assert refused(written).startswith(f"{file} lies outside of it")


def test_a_link_in_a_circle_leads_nowhere(written: Path) -> None:
    path = written / "models/0/inputs.npz"
    path.unlink()
    path.symlink_to(path.name)
    assert "inputs.npz" in refused(written)


def test_a_folder_that_is_no_bundle_is_told_how_to_make_one(tmp_path: Path) -> None:
    assert refused(tmp_path / "gone").startswith("no such folder; `bench bundle MODEL -e RUNTIME -o")
    assert refused(tmp_path).startswith("no bundle.json in it; `bench bundle")
    assert not is_bundle(tmp_path)


# --- writing ----------------------------------------------------------------------------------------------------------


def left_behind(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name not in ("cache", "bundle"))


def test_a_bundle_is_not_written_over_unless_asked(written: Path, tmp_path: Path, source: Bundle) -> None:
    with pytest.raises(UsageError, match=r"a bundle is there; refresh a baseline by `bench gate --refresh`"):
        write_bundle(written, replace(source, seed=7), LOCKS)
    assert open_bundle(written).seed == 0
    write_bundle(written, replace(source, seed=7), LOCKS, replacing=True)
    assert open_bundle(written).seed == 7
    assert left_behind(tmp_path) == []


@pytest.mark.parametrize("replacing", [True, False])
def test_what_is_no_bundle_is_never_replaced(tmp_path: Path, source: Bundle, replacing: bool) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("years")
    (tmp_path / "file").write_text("more years")
    for name in ("mine", "file"):
        with pytest.raises(UsageError, match="give another --out"):
            write_bundle(tmp_path / name, source, LOCKS, replacing=replacing)
    assert (tmp_path / "mine" / "thesis.tex").read_text() == "years"
    assert (tmp_path / "file").read_text() == "more years"


def test_an_empty_folder_takes_a_bundle(tmp_path: Path, source: Bundle) -> None:
    (tmp_path / "bundle").mkdir()
    assert write_bundle(tmp_path / "bundle", source, LOCKS).seed == 0


def test_a_bundle_takes_the_place_of_the_one_that_it_was_made_of(written: Path, tmp_path: Path) -> None:
    write_bundle(written, replace(open_bundle(written), seed=3), LOCKS, replacing=True)
    assert open_bundle(written).seed == 3
    assert left_behind(tmp_path) == []


def test_a_link_to_a_bundle_goes_on_pointing_at_it(written: Path, tmp_path: Path, source: Bundle) -> None:
    (tmp_path / "latest").symlink_to(written)
    write_bundle(tmp_path / "latest", replace(source, seed=5), LOCKS, replacing=True)
    assert (tmp_path / "latest").is_symlink()
    assert open_bundle(written).seed == 5


def test_a_bundle_that_cannot_be_written_leaves_the_old_one_and_nothing_else(
    written: Path, tmp_path: Path, source: Bundle
) -> None:
    lost = replace(source.models["net"], pool=replace(source.models["net"].pool, path=str(tmp_path / "gone.npz")))
    with pytest.raises(UsageError, match=r"writing bundle .*: No such file"):
        write_bundle(written, replace(source, models={"net": lost}), LOCKS, replacing=True)
    assert open_bundle(written).seed == 0
    assert left_behind(tmp_path) == []


@pytest.mark.parametrize("error", [OSError("disk"), KeyboardInterrupt()])
def test_the_old_bundle_comes_back_where_the_new_one_cannot_take_its_place(
    written: Path, tmp_path: Path, source: Bundle, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    real, calls = os.replace, []

    def failing(a: Path, b: Path) -> None:
        calls.append(a)
        if len(calls) == 2:
            raise error
        real(a, b)

    monkeypatch.setattr("bench.check.bundle.os.replace", failing)
    with pytest.raises((UsageError, KeyboardInterrupt)):
        write_bundle(written, replace(source, seed=9), LOCKS, replacing=True)
    assert open_bundle(written).seed == 0
    assert left_behind(tmp_path) == []


@pytest.mark.parametrize(("cases", "why"), [((bundled(), bundled()), "is there twice"), ((), "it has no case")])
def test_a_bundle_that_could_not_be_opened_is_not_written(
    written: Path, source: Bundle, cases: tuple[Any, ...], why: str
) -> None:
    with pytest.raises(UsageError, match=f"writing bundle .*: .*{why}"):
        write_bundle(written, replace(source, cases=cases), LOCKS, replacing=True)
    assert open_bundle(written).seed == 0


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path, source: Bundle) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=r"writing bundle .*: (Not a directory|File exists)"):
        write_bundle(tmp_path / "file" / "below", source, LOCKS)


# --- privacy ----------------------------------------------------------------------------------------------------------


def test_nothing_of_the_machine_is_in_the_file(tmp_path: Path, source: Bundle) -> None:
    write_bundle(tmp_path / "bundle", source, LOCKS)
    text = (tmp_path / "bundle" / BUNDLE_FILE).read_text()
    assert str(tmp_path) not in text
    assert "/cache" not in text


def test_sentences_and_origin_are_scrubbed_and_names_are_not() -> None:
    private = Private(home="/home/ada", user="ada", host="engine7")
    seen = (Caution(code="range", text="read /home/ada/net.py on engine7"),)
    plain = bundle(
        origin=f"{private.home}/nets/net.onnx at git 1a2b3c4",
        models={"net": replace(files_less(), cautions=seen)},
        missing={"other": Failure(status="failed", reason="no /home/ada/x")},
    )
    scrubbed = scrub_bundle(plain, private)
    assert scrubbed.origin == "net.onnx at git 1a2b3c4"
    assert scrubbed.models["net"].cautions[0].text == "read ~/net.py on HOST"
    assert scrubbed.missing["other"].reason == "no ~/x"
    assert scrubbed.cases == plain.cases
    assert scrub_bundle(bundle(origin="mobilenet_v1"), private).origin == "mobilenet_v1"


def files_less() -> Any:
    return bundle().models["net"]
