"""Nothing gets lost: rows and pounds in = accepted + held."""

from __future__ import annotations

from collections.abc import Sequence

from piperoll.checking.sums import exact_sum
from piperoll.checking.tally import Tally
from piperoll.errors import ConservationError
from piperoll.model import plain
from piperoll.reading import ReadTable


def conserve(tables: Sequence[ReadTable], tallies: Sequence[Tally]) -> None:
    """Pass if every record that was read is accepted or held, and every pound too, to the last place.

    Raises: ConservationError: they do not add up; the message has the figures.
    """
    for table, tally in zip(tables, tallies, strict=True):
        rows, amount = tally.rows, tally.amount
        if not table.rows == rows.read == rows.accepted + rows.held:
            raise ConservationError(
                f"sheet {table.sheet}: {table.rows} records were read, {rows.read} stand in the batches, "
                f"{rows.accepted} are accepted and {rows.held} held"
            )
        if amount and amount.read != exact_sum((amount.accepted, amount.held)):
            raise ConservationError(
                f"sheet {table.sheet}: £{plain(amount.read)} were read, £{plain(amount.accepted)} are accepted "
                f"and £{plain(amount.held)} held"
            )
