"""Links between pages."""

from posixpath import dirname, relpath
from urllib.parse import quote

import pytest

from piperoll.describing import urls


@pytest.mark.parametrize("here", ["index.html", "catalogue/index.html", "catalogue/bodies/ostborough/index.html"])
@pytest.mark.parametrize(
    "target",
    [
        "index.html",
        "catalogue/style.css",
        "catalogue/bodies/ostborough/index.html",
        "catalogue/bodies/ostborough/spend 2026.html",
        "catalogue/bodies/wessing/index.html",
        "catalogue/bodies/",
        "data/spend/ostborough/café.csv",
    ],
)
def test_a_link_is_the_shortest_way_between_two_keys(here: str, target: str) -> None:
    assert urls.link(target, here) == quote(relpath(target, dirname(here) or "."))
