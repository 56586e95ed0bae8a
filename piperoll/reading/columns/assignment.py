"""The best pairing of fields with columns: a maximum-weight assignment, solved exactly."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

Row = TypeVar("Row")
Column = TypeVar("Column")

_FAR = 1 << 80
"""More than any sum of weights."""


def best_pairs(weights: Mapping[tuple[Row, Column], int]) -> dict[Row, Column]:
    """The pairs with the largest sum of weights in which no row and no column stands twice.

    `weights` names the pairs that are allowed, with whole weights above 0; a row may stay alone, and that weighs 0.
    Of equal sums the same one is found every time, in the order in which rows and columns first stand in `weights`.
    This is the Hungarian method with potentials (Kuhn 1955, Munkres 1957), one shortest augmenting path a row.
    """
    rows = list(dict.fromkeys(row for row, _ in weights))
    columns = list(dict.fromkeys(column for _, column in weights))
    costs = [[-weights.get((row, column), -_FAR) for column in columns] + [0] * len(rows) for row in rows]
    found = _cheapest(costs)
    return {rows[row]: columns[column] for column, row in enumerate(found) if row >= 0 and column < len(columns)}


def _cheapest(costs: list[list[int]]) -> list[int]:
    """For each column the row that it is given to, or -1: every row has one column, at the least cost."""
    width = len(costs[0]) if costs else 0
    owner, of_row, of_column = [-1] * width, [0] * len(costs), [0] * width
    for row in range(len(costs)):
        least, came_from, done = [_FAR * 4] * width, [-1] * width, [False] * width
        at, current = -1, row
        while current >= 0:
            step, nearest = _FAR * 8, -1
            for column in range(width):
                if done[column]:
                    continue
                cost = costs[current][column] - of_row[current] - of_column[column]
                if cost < least[column]:
                    least[column], came_from[column] = cost, at
                if least[column] < step:
                    step, nearest = least[column], column
            _move(step, row, owner, done, of_row, of_column, least)
            at, current = nearest, owner[nearest]
            done[at] = True
        while at >= 0:
            before = came_from[at]
            owner[at] = row if before < 0 else owner[before]
            at = before
    return owner


def _move(
    step: int,
    row: int,
    owner: list[int],
    done: list[bool],
    of_row: list[int],
    of_column: list[int],
    least: list[int],
) -> None:
    """Shift the potentials by `step`, so that the nearest column costs nothing more."""
    of_row[row] += step
    for column, visited in enumerate(done):
        if visited:
            of_row[owner[column]] += step
            of_column[column] -= step
        else:
            least[column] -= step
