"""Reading: bytes to tables. What kind of file, which encoding, where the headings are, what a cell means."""

from piperoll.reading.periods import periods_in_name
from piperoll.reading.read import read
from piperoll.reading.reading import SENT, ExcludedRow, Reading, ReadTable

__all__ = ["SENT", "ExcludedRow", "ReadTable", "Reading", "periods_in_name", "read"]
