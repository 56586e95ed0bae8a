"""Arrow as we use it here: columns of cells, and functions over them."""

from __future__ import annotations

from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.compute

Cells: TypeAlias = "pa.Array[Any]"
"""One column of a batch."""

compute: Any = pyarrow.compute
"""`pyarrow.compute`, untyped: its published stubs describe an earlier release and refuse right calls."""
