"""Limits of a child process: memory, processor time, the size of a file that it writes, and its open files.

The process that starts a child sets its limits. A limit is lowered once and never raised, because raising a hard limit
needs a privilege: a child whose parent is limited already gets the smaller of both.

Run as a script, this module limits itself and then runs another: `python -I child_limits.py LIMITS SCRIPT`, where
LIMITS is what `ChildLimits.as_argument` returns. It imports nothing of Piperoll, so that it starts quickly.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass

MEGABYTE = 1 << 20


@dataclass(frozen=True, slots=True)
class ChildLimits:
    """What a child process may use: bytes of address space, seconds of processor time, bytes of a file, open files."""

    memory_bytes: int
    seconds: int
    file_bytes: int = 2048 * MEGABYTE
    open_files: int = 256

    def as_argument(self) -> str:
        """The limits as an argument of this script."""
        return json.dumps(asdict(self))

    def apply(self) -> None:
        """Lower the limits of this process, where the system can."""
        if sys.platform == "win32":
            return
        import resource  # noqa: PLC0415 - Unix only

        for kind, wanted in (
            (resource.RLIMIT_AS, self.memory_bytes),
            (resource.RLIMIT_CPU, self.seconds),
            (resource.RLIMIT_FSIZE, self.file_bytes),
            (resource.RLIMIT_NOFILE, self.open_files),
            (resource.RLIMIT_CORE, 0),
        ):
            now = resource.getrlimit(kind)
            # -1 is RLIM_INFINITY. A soft limit that is lower stays as it is.
            soft, hard = (min(limit for limit in (old, wanted) if limit >= 0) for old in now)
            resource.setrlimit(kind, (min(soft, hard), hard))


def memory_limit() -> int | None:
    """The bytes of address space that this process and its children may have; None if there is no limit."""
    if sys.platform == "win32":
        return None
    import resource  # noqa: PLC0415 - Unix only

    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    return None if limit == resource.RLIM_INFINITY else limit


def main() -> None:
    """Limit this process, then run the script."""
    import runpy  # noqa: PLC0415 - for the script only

    limits, script = sys.argv[1:3]
    ChildLimits(**json.loads(limits)).apply()
    runpy.run_path(script, run_name="__main__")


if __name__ == "__main__":
    main()
