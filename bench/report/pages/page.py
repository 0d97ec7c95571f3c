"""What a page consists of: records that know no HTML. ``pages/html.py`` writes them. Imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass, field

from bench.report.picture import Picture


@dataclass(frozen=True)
class Cell:
    """One cell of a table."""

    text: str  # as shown
    key: float | str | None = None  # what it is sorted by; None: its text, and unknown goes last where that is "-"
    state: str = ""  # "good", "bad", "doubt" or "": said by a sign and a colour, never by colour alone


@dataclass(frozen=True)
class Table:
    """A table whose columns sort and whose rows can be filtered."""

    name: str  # anchor, unique on the page
    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    numeric: frozenset[int] = frozenset()  # columns that are set to the right
    has_controls: bool = True  # sorting and filter; a short list of facts needs none


@dataclass(frozen=True)
class Caution:
    """A doubt about numbers of the page, and what to do about it."""

    about: str  # whose: a runtime's name
    text: str
    advice: str = ""  # one sentence; "" where there is nothing to do
    command: str = ""  # to be copied


@dataclass(frozen=True)
class Part:
    """A section of a page, in this order: its texts, pictures, tables, cautions."""

    name: str  # anchor, unique on the page
    title: str
    texts: tuple[str, ...] = ()
    pictures: tuple[Picture, ...] = ()
    tables: tuple[Table, ...] = ()
    cautions: tuple[Caution, ...] = ()
    folded: bool = False  # begins closed: details that few look for


@dataclass(frozen=True)
class Page:
    """A whole page. Every text is plain: it is escaped, and hidden characters are spelled out, where it is written."""

    title: str
    verdict: tuple[str, ...]  # sentences at the very top, one a group
    parts: tuple[Part, ...] = ()
    facts: tuple[tuple[str, str], ...] = field(
        default=()
    )  # name and value: machine, versions, when; beneath the verdict
