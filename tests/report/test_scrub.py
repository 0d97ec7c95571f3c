"""Nothing that tells who ran it, and where."""

from __future__ import annotations

import msgspec
import pytest

from bench.records import EnvironmentFacts, Placement, ProviderPart
from bench.report import scrub
from bench.report.scrub import Private, scrub_text
from report_fakes import ADA, case_repetition, check, environment, group_repetition, row


@pytest.mark.parametrize(
    ("text", "scrubbed"),
    [
        ("bench run /home/ada/net.py:build", "bench run ~/net.py:build"),
        ("load '/home/ada'", "load '~'"),
        ("in /home/adam/x.keras", "in ~/x.keras"),  # another person's home is as private
        ("in /Users/eve/x.keras", "in ~/x.keras"),
        ("-o /root/out", "-o ~/out"),
        ("-o=/home/ada/out", "-o=~/out"),
        ("weights=/home/ada/w.h5,x=1", "weights=~/w.h5,x=1"),
        ("/scratch/ada/model.onnx", "/scratch/USER/model.onnx"),
        ("ssh ada@somewhere", "ssh USER@somewhere"),
        ("at analytical-engine:8000", "at HOST:8000"),
        ("on analytical-engine.local", "on HOST.local"),
        ("in /tmp/onnx-crossbench-81-a_b1c2d3/worker-1.stderr: no", "in TMP/worker-1.stderr: no"),
        ("Load model from '/var/tmp/onnx-crossbench-8-a_b1c2d3' failed", "Load model from 'TMP' failed"),
        (
            "open(/tmp/onnx-crossbench-8-a_b1c2d3/m) of a=/v@r/onnx-crossbench-8-a_b1c2d3,b=no",
            "open(TMP/m) of a=TMP,b=no",
        ),
        ("at /home/ada/.cache/x/.unfinished-8chars__/m.onnx", "at TMP/m.onnx"),  # gone with the run that failed
    ],
)
def test_homes_users_and_hosts_are_replaced(text: str, scrubbed: str) -> None:
    assert scrub_text(text, ADA) == scrubbed


@pytest.mark.parametrize(
    "text",
    [
        "adam optimises",
        "adagrad",
        "models/ada2/x.onnx",
        "/opt/rootfs/x",
        "/srv/home/x",  # a folder that is called home is not one
        "/data/root/x",
        "my-analytical-engine-2",
        "/tmp/onnx-crossbench-reports1/m.onnx",  # a user's own folder
        "~/.cache/onnx-crossbench/prepared/1f/m.onnx",
        "bench run mobilenet_v1:alpha=0.5 -e cpu",
        "",
    ],
)
def test_everything_else_stays(text: str) -> None:
    assert scrub_text(text, ADA) == text


def test_a_home_that_is_the_root_folder_replaces_nothing() -> None:
    assert scrub_text("/opt/x and /", Private(home="/", user="", host="")) == "/opt/x and /"


def test_an_unusual_home_is_replaced_only_as_a_whole() -> None:
    private = Private(home="/data/people/ada/", user="", host="")
    assert scrub_text("/data/people/ada/x /data/people/adam", private) == "~/x /data/people/adam"


def test_the_host_called_localhost_is_no_secret() -> None:
    assert scrub_text("localhost:80", Private(home="", user="", host="localhost")) == "localhost:80"


def test_scrubbing_twice_changes_nothing_more() -> None:
    once = scrub_text("/home/ada/x on analytical-engine, /scratch/ada/y", ADA)
    assert scrub_text(once, ADA) == once


def test_a_row_keeps_its_names_and_loses_its_paths() -> None:
    private = row(reproduce="bench run /home/ada/n.onnx", status_reason="at /home/ada", cautions="x: /home/ada/y")
    clean = scrub.scrub_row(private, ADA)
    assert (clean.reproduce, clean.status_reason, clean.cautions) == ("bench run ~/n.onnx", "at ~", "x: ~/y")
    assert msgspec.structs.replace(clean, reproduce="", status_reason="", cautions="") == row(reproduce="")


def test_a_repetition_loses_the_paths_of_its_checks() -> None:
    group = group_repetition(cases=[case_repetition(checks=[check(reason="see /home/ada/x")])])
    assert scrub.scrub_repetition(group, ADA).cases[0].checks[0].reason == "see ~/x"


def test_a_repetition_loses_the_paths_of_a_dead_workers_last_words() -> None:
    group = group_repetition(cases=[case_repetition(reason="its last words: no /home/ada/x")])
    assert scrub.scrub_repetition(group, ADA).cases[0].reason == "its last words: no ~/x"


def test_a_repetition_loses_the_paths_of_its_placement() -> None:
    part = ProviderPart(provider="CPUExecutionProvider", kernels=1, reason="no /home/ada/k.so for Unique")
    placement = Placement(parts=(part,), calls=3, reason="died at /home/ada/x")
    [case] = scrub.scrub_repetition(group_repetition(cases=[case_repetition(placement=placement)]), ADA).cases
    assert case.placement is not None
    assert (case.placement.parts[0].reason, case.placement.reason) == ("no ~/k.so for Unique", "died at ~/x")


def test_paths_of_the_environment_are_reduced_to_base_names() -> None:
    clean = scrub.scrub_environment(environment(), ADA)
    ready = clean.models["net.py:build:width=2"]
    assert (ready.pool.path, ready.truth_file.path) == ("pool.npz", "truth.npz")
    assert ready.artifacts["onnx"].path == "model.onnx"
    assert clean.suite.models[0].path == "net.py"
    assert clean.suite.models[0].text == "net.py:build:width=2"
    assert clean.suite.prepare.load_inputs == "pictures"
    assert clean.command == "bench run net.py:build:width=2 -e tf -o out"


@pytest.mark.parametrize(
    ("command", "short"),
    [
        ("bench run /srv/x/net.py:build:width=2 -o=/srv/out/", "bench run net.py:build:width=2 -o=out"),
        ("bench run m:weights=/data/w.h5,softmax=off", "bench run m:weights=w.h5,softmax=off"),
        ("bench run '/srv/my nets/a b.onnx' -e cpu", "bench run 'a b.onnx' -e cpu"),
        ("bench run ../secret/x.keras ~/nets/y.keras ./z.onnx", "bench run x.keras y.keras z.onnx"),
        ("bench run nets/secret/x.keras", "bench run x.keras"),  # typed: the suite says that it is a path
        (
            "bench run m --rtol out/a:1e-3 --input-shapes x:[1,3]",
            "bench run m --rtol out/a:1e-3 --input-shapes 'x:[1,3]'",
        ),
        ("bench run m -e cpu@1.30.0:arena=off#mine -b 1,8", "bench run m -e 'cpu@1.30.0:arena=off#mine' -b 1,8"),
        ("bench run it's /srv/x/y.onnx", "bench run it's y.onnx"),
        ("", ""),
    ],
)
def test_paths_of_a_command_are_reduced_to_base_names(command: str, short: str) -> None:
    assert scrub.short_command(command, ["nets/secret/x.keras"]) == short
    assert scrub.short_command(short, []).replace("'", "") == short.replace("'", "")


def test_a_plugin_library_is_its_base_name_in_suite_and_command() -> None:
    usual = environment()
    suite = msgspec.structs.replace(usual.suite, plugins={"onnxruntime-webgpu": "build/ada/lib.so"})
    command = "bench run net --plugin webgpu=build/ada/lib.so"
    clean = scrub.scrub_environment(msgspec.structs.replace(usual, suite=suite, command=command), ADA)
    assert clean.suite.plugins == {"onnxruntime-webgpu": "lib.so"}
    assert clean.command == "bench run net --plugin webgpu=lib.so"


def test_nothing_private_is_left_in_the_environment() -> None:
    stored = msgspec.json.encode(scrub.scrub_environment(environment(), ADA)).decode()
    assert "ada" not in stored.replace("metadata", "")
    assert "/home" not in stored


def test_everything_else_of_the_environment_stays() -> None:
    before, after = environment(), scrub.scrub_environment(environment(), ADA)
    assert (after.machine, after.packages, after.stages_s) == (before.machine, before.packages, before.stages_s)
    assert after.models["net.py:build:width=2"].inputs == before.models["net.py:build:width=2"].inputs
    assert after.suite.runtimes == before.suite.runtimes


def test_a_host_called_like_one_of_our_words_breaks_no_record() -> None:
    private = Private(home="/home/ada", user="builder", host="onnx")
    clean = scrub.scrub_environment(environment(), private)
    assert clean.models["net.py:build:width=2"].artifacts["onnx"].kind == "onnx"


def test_the_environments_of_runtimes_stay_whatever_the_host_is_called() -> None:
    facts = EnvironmentFacts(key="ab" * 32, requirements=("openvino==2026.4.1",), packages=5, size_bytes=1, build_s=2.5)
    kept = msgspec.structs.replace(environment(), environment_facts={"openvino": facts})
    private = Private(home="/home/ada", user="ada", host="openvino")
    assert scrub.scrub_environment(kept, private).environment_facts == {"openvino": facts}


def test_a_base_name_is_found_whichever_slash() -> None:
    assert [scrub.base_name(path) for path in ("a/b.onnx", "C:\\x\\b.onnx", "b.onnx", "a/dir/")] == [
        "b.onnx",
        "b.onnx",
        "b.onnx",
        "dir",
    ]


def test_this_machine_has_a_home() -> None:
    assert scrub.this_machine().home
