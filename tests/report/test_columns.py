"""The table of columns is the one truth about a report's files."""

from __future__ import annotations

import types
import typing

import pytest

from bench.records import OutputCheck, Record, RoundState
from bench.report.columns import HISTORY, KEYS, SCHEMA_VERSION, TABLES, data_dictionary
from bench.rows import Row

SAMPLES = [
    "case_id",
    "repetition",
    "round",
    "turn",
    "call",
    "stream",
    "kind",
    "latency_ns",
    "input_index",
]  # the contract's and whose


def names(table: str) -> list[str]:
    return [column.name for column in TABLES[table]]


def dtype_of(annotation: object) -> str:
    """The pandas dtype that holds a field's values."""
    if isinstance(annotation, types.UnionType):
        annotation = next(kind for kind in typing.get_args(annotation) if kind is not type(None))
    if typing.get_origin(annotation) in (typing.Literal, tuple):
        return "string"
    return {str: "string", int: "Int64", float: "Float64", bool: "boolean"}[annotation]  # type: ignore[index]


def test_a_row_and_the_table_name_the_same_columns_in_the_same_order() -> None:
    assert names("results") == list(Row.__struct_fields__)


@pytest.mark.parametrize(
    ("table", "record", "own"),
    [("results", Row, 0), ("agreement", OutputCheck, 1), ("rounds", RoundState, 2)],
)
def test_a_column_has_the_dtype_of_its_field(table: str, record: type[Record], own: int) -> None:
    hints = typing.get_type_hints(record)
    expected = [(name, dtype_of(hints[name])) for name in record.__struct_fields__]
    assert [(column.name, column.dtype) for column in TABLES[table][own:]] == expected


def test_agreement_and_rounds_say_first_whose_they_are() -> None:
    assert names("agreement")[:1] == ["case_id"]
    assert names("rounds")[:2] == ["group", "repetition"]


def test_samples_have_the_columns_of_the_contract() -> None:
    assert names("samples") == SAMPLES


@pytest.mark.parametrize("table", TABLES)
def test_every_column_has_a_meaning_and_a_unique_name(table: str) -> None:
    assert len(set(names(table))) == len(names(table))
    assert all(column.meaning.endswith(".") and len(column.meaning) > 10 for column in TABLES[table])
    assert set(KEYS[table]) <= set(names(table))


def test_quantities_carry_the_unit_that_their_name_says() -> None:
    for column in (column for table in TABLES.values() for column in table):
        for word, unit in (("_ns", "ns"), ("_bytes", "bytes"), ("_mhz", "MHz"), ("_per_s", "items/s")):
            if column.name.endswith(word) or f"{word}_" in column.name:
                assert column.unit == unit, column.name


def test_a_throughput_is_better_when_higher_and_a_latency_when_lower() -> None:
    direction = {column.name: column.direction for column in TABLES["results"]}
    assert direction["throughput_items_per_s"] == "higher"
    assert {direction[name] for name in direction if name.startswith(("latency_", "rss_", "ratio_"))} == {"lower"}


def test_only_text_is_free_text() -> None:
    assert {column.dtype for table in TABLES.values() for column in table if column.free_text} == {"string"}


def test_every_schema_version_has_its_history_and_no_column_is_from_the_future() -> None:
    assert list(HISTORY) == list(range(1, SCHEMA_VERSION + 1))
    assert all(1 <= column.since <= SCHEMA_VERSION for table in TABLES.values() for column in table)


def test_the_data_dictionary_has_a_line_for_every_column() -> None:
    text = data_dictionary()
    assert text.count("\n| `") == sum(len(table) for table in TABLES.values())
    assert "| `latency_ns_min` | Float64 | ns | lower | The fastest timed call. |" in text
    assert all(line.count("|") == 6 for line in text.splitlines() if line.startswith("|"))
