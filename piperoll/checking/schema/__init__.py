"""Structure: the published schema, by Frictionless's own reading, over whole columns.

The schema is compiled to named predicates (`predicates`), the engine runs them (`verdicts`), and what they cannot
prove is handed, cell by cell, to Frictionless (`replaying`, `reference`).
"""

from piperoll.checking.schema.breaches import Breach, find_breaches
from piperoll.checking.schema.errors import Error
from piperoll.checking.schema.packages import validate_package
from piperoll.checking.schema.validating import validate

__all__ = ["Breach", "Error", "find_breaches", "validate", "validate_package"]
