"""Environments that were made for runtimes, as a report tells them."""

from __future__ import annotations

from bench.records import EnvironmentFacts
from bench.report.places import environment_lines
from report_fakes import environment, row


def test_runtimes_that_share_an_environment_share_its_line() -> None:
    facts = {
        name: EnvironmentFacts(key=key * 32, requirements=(pin,), packages=5, size_bytes=2**20, build_s=2.0)
        for name, key, pin in (("openvino", "ab", "o==1"), ("openvino#b", "ab", "o==1"), ("iree", "cd", "i==1"))
    }
    rows = [row(runtime_spec=name) for name in ("openvino", "iree", "openvino#b", "tensorflow")]
    assert environment_lines(environment(environment_facts=facts), rows) == [
        "openvino, openvino#b: o==1, 5 packages, 1 MiB, made in 2 s, key abababababab",
        "iree: i==1, 5 packages, 1 MiB, made in 2 s, key cdcdcdcdcdcd",
    ]
