"""Every command, flag, target and file that README and docs/ name is there, and no flag is missing from them."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest
import typer.main

from bench.cli import app
from bench.errors import UsageError
from bench.flags import Flags, parse_flags
from bench.suite import Mistakes
from bench.suite_file import SuiteTable, decode_suite

ROOT = Path(__file__).parent.parent
PAGES = {path: path.read_text(encoding="utf-8") for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))}
README = "\n".join(PAGES.values())
GROUP: Any = typer.main.get_command(app)


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


def command_lines(program: str) -> list[list[str]]:
    lines = [line.removeprefix("$ ") for block in blocks("console") for line in block.splitlines()]
    return [words[1:] for line in lines if (words := shlex.split(line, comments=True)) and words[0] == program]


def verbs() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, command in GROUP.commands.items():
        found |= {f"{name} {sub}": part for sub, part in getattr(command, "commands", {name: None}).items() if part}
        if not hasattr(command, "commands"):
            found[name] = command
    return found


def verb_of(words: list[str]) -> tuple[str, list[str]]:
    """A verb is two words where there is one of that name."""
    both = " ".join(words[:2])
    return (both, words[2:]) if both in verbs() else (words[0], words[1:])


def flags_of(command: Any) -> set[str]:
    return {flag for parameter in command.params for flag in parameter.opts if flag.startswith("-")} - {"--help"}


def test_the_readme_shows_every_verb() -> None:
    assert {verb_of(words)[0] for words in command_lines("bench")} == set(verbs())


@pytest.mark.parametrize("words", command_lines("bench"), ids=" ".join)
def test_a_command_of_the_readme_is_one_that_the_command_line_takes(words: list[str]) -> None:
    verb, rest = verb_of(words)
    context = verbs()[verb].make_context(verb, list(rest))
    if verb in ("gate calibrate", "gate selftest"):  # one model, one runtime: no suite
        return
    files = {"model", "load_inputs", "onnx"}  # examples: those files are not here
    given = {name: value for name, value in context.params.items() if value is not None and name not in files}
    asked: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in given.items()
        if name in Flags.__struct_fields__
    }
    parse_flags(Flags(**asked), lambda: ("onnxruntime-cpu",))


def test_every_model_of_the_zoo_is_in_the_readme() -> None:
    from bench.prepare.zoo import zoo_names

    assert [name for name in zoo_names() if f"`{name}`" not in README] == []


def test_every_flag_is_in_the_table_and_the_table_has_no_other() -> None:
    there = {flag for command in verbs().values() for flag in flags_of(command)}
    table = README.partition("| flag | meaning |")[2].partition("\n\n")[0].splitlines()[2:]
    named = {flag for line in table for flag in re.findall(r"`(-[\w-]+)`", line.split("|")[1])}
    assert named == there


def test_every_make_target_of_the_readme_is_there() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
    in_console = {words[0] for words in command_lines("make")}
    assert in_console == {"bench", "test"}
    assert set(re.findall(r"`make ([a-z-]+)", README)) | in_console <= targets


def test_every_option_of_the_plain_runtimes_is_in_the_readme() -> None:
    from bench.runtimes.table import RUNTIMES

    for name in ("tensorflow", "onnxruntime-cpu"):
        line = next(line for line in README.splitlines() if line.startswith(f"| `{name}` |"))
        assert set(re.findall(r"`(\w+)`", line.split("|")[3])) == set(RUNTIMES[name].options)


def test_every_link_of_the_readme_leads_to_a_file() -> None:
    links = [(page, link) for page, text in PAGES.items() for link in re.findall(r"\]\(([^)#:]+)\)", text)]
    assert len(links) > len(PAGES)
    assert [link for page, link in links if not (page.parent / link).exists()] == []


def test_every_page_of_docs_is_linked_from_the_readme() -> None:
    front = PAGES[ROOT / "README.md"]
    assert [page.name for page in PAGES if page.parent.name == "docs" and f"](docs/{page.name})" not in front] == []


def test_the_suite_of_the_readme_is_one() -> None:
    (block,) = blocks("toml")
    mistakes = Mistakes()
    table = decode_suite(tomllib.loads(block), "README", mistakes)
    assert mistakes.texts == []
    assert len(table.models) == 2


def test_every_key_of_a_suite_is_in_the_readme() -> None:
    section = README.partition("A suite file says")[2].partition("\n## ")[0]
    assert [name for name in SuiteTable.__struct_fields__ if not re.search(rf"\b{name}\b", section)] == []


def test_a_command_with_a_wrong_flag_would_be_noticed() -> None:
    with pytest.raises(UsageError):
        parse_flags(Flags(runtime=("tensorflw",)))
    with pytest.raises(typer.TyperException):
        verbs()["run"].make_context("run", ["--thorogh"])
