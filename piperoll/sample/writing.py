"""The sample on disk: an inbox a month, and the register of its bodies."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random

from piperoll.errors import UsageError
from piperoll.model import Period
from piperoll.sample import accidents, ocds
from piperoll.sample.layout import Layout
from piperoll.sample.rows import GENERATORS, Row, Words

MONTHS = ("2026-08", "2026-09", "2026-10")
_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Send:
    """What a body sends in some of the months: from which records, in which layout, and what goes wrong with it."""

    body: str
    folder: str
    name: str
    layout: str | None = None
    generator: str = "spend"
    rows: int = 0
    months: tuple[str, ...] = MONTHS
    what: str = "table"
    of: str | None = None


def write_sample(out: Path, seed: int) -> tuple[Path, ...]:
    """Write the sample into `out`, a folder that is empty or not yet there, and say which files it holds.

    It is laid out as `<month>/<dataset>/<body>/<file>`, with `bodies.csv` beside the months. The same seed gives the
    same bytes. Raises: UsageError: the folder holds something else.
    """
    if out.is_dir() and any(out.iterdir()):
        raise UsageError(f"{out} is not empty: name a new folder with --to, or remove it first")
    written = [_write(out / path, content) for path, content in sample_files(seed)]
    return tuple(written)


def sample_files(seed: int) -> Iterator[tuple[str, bytes]]:
    """Every file of the sample, by its path below the folder."""
    words = json.loads((_HERE / "words.json").read_text("utf-8"))
    plan = json.loads((_HERE / "sends.json").read_text("utf-8"))
    layouts = {name: Layout(**layout) for name, layout in plan["layouts"].items()}
    yield "bodies.csv", (_HERE / "bodies.csv").read_bytes()
    for entry in plan["sends"]:
        send = Send(**entry)
        for month in send.months:
            period = Period.parse(month)
            yield (
                f"{month}/{send.folder}/{send.body}/{send.name.format(period=period)}",
                _content(send, period, layouts, words, seed),
            )


def _content(send: Send, period: Period, layouts: Mapping[str, Layout], words: Words, seed: int) -> bytes:
    about = Period.parse(send.of) if send.of else period
    rows = _rows(send, about, words, seed)
    if send.layout is None:
        return {"error_page": lambda: accidents.ERROR_PAGE, "ocds": lambda: ocds.package(rows, about)}[send.what]()
    layout = layouts[send.layout]
    makers: Mapping[str, Callable[[], bytes]] = {
        "table": lambda: layout.render(rows, about),
        "again": lambda: layout.render(rows, about),
        "half": lambda: layout.render(accidents.halved(rows), about),
        "template": lambda: accidents.template(layout, about),
        "nil": lambda: accidents.nil(layout, about),
        "empty": lambda: b"",
    }
    return makers[send.what]()


def _rows(send: Send, period: Period, words: Words, seed: int) -> list[Row]:
    """The records of one body, dataset and month: a stream of chance of their own, whatever else the sample holds."""
    if not send.rows:
        return []
    random = Random(f"{seed}/{send.body}/{send.folder}/{send.generator}/{period}")  # noqa: S311 - made-up data, no secret
    return GENERATORS[send.generator](random, words, period, send.rows)


def _write(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path
