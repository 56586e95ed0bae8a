"""Check a table that was read against its dataset's published Table Schema.

Frictionless defines what a schema means. It reads some 15,000 rows a second, so the rules that our descriptors use are
compiled to tests of whole columns (`compile`, `evaluate`); a cell that those cannot prove good is read by Frictionless
(`frictionless_cells`). `frictionless_tables` is what `piperoll validate` runs: Frictionless alone, on files.
"""

from piperoll.checking.schema.breaches import Breach, find_breaches, find_breaches_together

__all__ = ["Breach", "find_breaches", "find_breaches_together"]
