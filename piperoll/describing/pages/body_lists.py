"""The lists of all bodies: whole, by kind and by region, with a map of the regions.

The map is a grid with one tile a region, drawn from the register: no boundaries are copied from anyone, and no server
of map tiles is asked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from piperoll import layout
from piperoll.describing.overview import BodyDigest, Overview
from piperoll.describing.pages.rendering import paginate, render_page
from piperoll.describing.wording import capitalize_first, name_kinds
from piperoll.model import KINDS, Body, slugify

TILES = {
    "Scotland": (1, 0),
    "Northern Ireland": (0, 1),
    "North East": (2, 1),
    "North West": (1, 2),
    "Yorkshire and The Humber": (2, 2),
    "Wales": (0, 3),
    "West Midlands": (1, 3),
    "East Midlands": (2, 3),
    "East of England": (3, 3),
    "South West": (1, 4),
    "South East": (2, 4),
    "London": (3, 4),
}
"""The column and row of each region's tile: as they lie to one another."""

_TILE_LABELS = {
    "Yorkshire and The Humber": "Yorkshire",
    "Northern Ireland": "N Ireland",
    "East of England": "East",
}
"""Names that do not fit a tile, shortened; the list beneath the map has the whole name."""

_NATIONS = {"E": "England", "W": "Wales", "S": "Scotland", "N": "Northern Ireland"}

WHOLE_COUNTRY = "Whole country, or not known"
"""Where the bodies are listed that the register gives no region."""

TILE_WIDTH, TILE_HEIGHT = 118, 62
"""Size of a tile in units of the drawing, which scales with the page."""

_BAR_WIDTH = TILE_WIDTH - 22


def bodies_list_of(body: Body, *, by: str) -> str:
    """Return the key of the list of bodies of the same `kind`, or of the same `region`."""
    return _Choice(body.kind, None).key(1) if by == "kind" else _Choice(None, region_of(body)).key(1)


def region_of(body: Body) -> str:
    """Name the region or nation of a body: as the register gives it, else the nation of its GSS code."""
    return body.region or _NATIONS.get(body.nation or "", WHOLE_COUNTRY)


@dataclass(frozen=True, slots=True)
class FilterLink:
    """One choice of a filter: its words, how many bodies it leaves, the key of its page, and if it is chosen."""

    words: str
    count: int
    key: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class RegionTile:
    """A region on the map, with its position, and in the list beneath it: how many of its bodies publish anything.

    `label` is what fits the tile. `share` is the width of its bar: the share of bodies that publish.
    """

    name: str
    label: str
    key: str
    bodies: int
    publishing: int
    x: int
    y: int
    share: int
    chosen: bool


@dataclass(frozen=True, slots=True)
class _Choice:
    """What is listed: bodies of a kind, of a region, of both, or all (None)."""

    kind: str | None
    region: str | None

    def includes(self, kind: str, region: str) -> bool:
        return self.kind in (None, kind) and self.region in (None, region)

    def key(self, number: int) -> str:
        if self.kind is None and self.region is None:
            return layout.bodies_page(number)
        return layout.bodies_list(self.kind, self.region and slugify(self.region), number)

    @property
    def title(self) -> str:
        words = "Public bodies" if self.kind is None else capitalize_first(name_kinds([self.kind]))
        return words if self.region is None else f"{words}: {self.region}"


@dataclass(frozen=True)
class _Census:
    """The bodies by kind and region, and how many of them publish anything."""

    kinds: Sequence[str]
    regions: Sequence[str]
    bodies: Mapping[tuple[str, str], int]
    publishing: Mapping[tuple[str, str], int]

    @classmethod
    def of(cls, digests: Iterable[BodyDigest]) -> _Census:
        bodies: Counter[tuple[str, str]] = Counter()
        publishing: Counter[tuple[str, str]] = Counter()
        for digest in digests:
            pair = digest.body.kind, region_of(digest.body)
            bodies[pair] += 1
            publishing[pair] += digest.tables > 0
        kinds = sorted({kind for kind, _ in bodies}, key=lambda kind: (kind not in KINDS, (*KINDS, kind).index(kind)))
        further = {region for _, region in bodies} - TILES.keys()
        regions = [*sorted(TILES), *sorted(further, key=lambda name: (name == WHOLE_COUNTRY, name))]
        return cls(kinds, regions, bodies, publishing)

    def count(self, choice: _Choice) -> int:
        return sum(count for pair, count in self.bodies.items() if choice.includes(*pair))

    def count_publishing(self, choice: _Choice) -> int:
        return sum(count for pair, count in self.publishing.items() if choice.includes(*pair))


def bodies_pages(overview: Overview) -> Iterator[tuple[str, bytes]]:
    """Render the list of all bodies, and one for each kind, each region, and each kind in a region that has any."""
    census = _Census.of(overview.digests)
    for kind in (None, *census.kinds):
        for region in (None, *census.regions):
            choice = _Choice(kind, region)
            if census.count(choice) or choice == _Choice(None, None):
                yield from _list_pages(overview, choice, census)


def _list_pages(overview: Overview, choice: _Choice, census: _Census) -> Iterator[tuple[str, bytes]]:
    listed = [one for one in overview.digests if choice.includes(one.body.kind, region_of(one.body))]
    tiles = [_tile(region, choice, census) for region in census.regions]
    kinds, regions = [], []
    for kind in (None, *census.kinds):
        to = _Choice(kind, choice.region)
        words = "All kinds" if kind is None else capitalize_first(name_kinds([kind]))
        kinds.append(FilterLink(words, census.count(to), to.key(1), chosen=to == choice))
    for region in (None, *census.regions):
        to = _Choice(choice.kind, region)
        regions.append(FilterLink(region or "All regions", census.count(to), to.key(1), chosen=to == choice))
    for page in paginate(listed, choice.key):
        yield render_page(
            overview,
            page.key,
            "bodies.html",
            page=page,
            title=choice.title,
            first=page.number == 1,
            kinds=[link for link in kinds if link.count],
            regions=[link for link in regions if link.count],
            tiles=[tile for tile in tiles if tile.name in TILES],
            elsewhere=[tile for tile in tiles if tile.name not in TILES and tile.bodies],
            view={"width": 4 * TILE_WIDTH, "height": 5 * TILE_HEIGHT, "tile": TILE_WIDTH, "bar": _BAR_WIDTH},
        )


def _tile(region: str, here: _Choice, census: _Census) -> RegionTile:
    to = _Choice(here.kind, region)
    bodies, publishing = census.count(to), census.count_publishing(to)
    column, row = TILES.get(region, (0, 0))
    return RegionTile(
        name=region,
        label=_TILE_LABELS.get(region, region),
        key=to.key(1) if bodies else "",
        bodies=bodies,
        publishing=publishing,
        x=column * TILE_WIDTH,
        y=row * TILE_HEIGHT,
        share=_BAR_WIDTH * publishing // bodies if bodies else 0,
        chosen=region == here.region,
    )
