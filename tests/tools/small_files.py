"""Write the actual outcome of each case of a topic into `tests/checking/small_files/<topic>.toml`, for review.

The lines of a case up to its outcome, which begins with `verdict`, stay as they are.
"""

from __future__ import annotations

import re
import sys
import tomllib

from tests.checking.test_small_files import ASKED, FOLDER, as_toml, outcome

_CASE = re.compile(r"^(?=\[[a-z0-9-]+\]$)", re.MULTILINE)
_OUTCOME = re.compile(r"^verdict = .*?(?=^#|\Z)", re.MULTILINE | re.DOTALL)


def main() -> None:
    """Rewrite the topics that are named as arguments."""
    for topic in sys.argv[1:]:
        path = FOLDER / f"{topic}.toml"
        head, *sections = _CASE.split(path.read_text("utf-8"))
        written = [head]
        for section in sections:
            (case,) = tomllib.loads(section).values()
            left_out = ASKED - case.keys()
            given, _, rest = _OUTCOME.sub("\0", section).partition("\0")
            actual = {key: value for key, value in outcome(case).items() if key not in left_out}
            written.append(f"{given.rstrip()}\n{as_toml(actual)}\n\n{rest}")
        path.write_text("".join(written).rstrip() + "\n", "utf-8")


if __name__ == "__main__":
    main()
