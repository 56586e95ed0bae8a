"""Damage to whole files: cut, flipped, spliced, inserted, repeated; by a seed, so that each case can be had again."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Sequence
from random import Random

from .seeds import unzipped, zipped

_TELLING = (
    *(b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b'"', b'""', b",", b";", b"\t", b"\r", b"\n", b"\r\n", b"\xa3", b"\x9c"),
    *(b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b", b"\xd0\xcf\x11\xe0", b"%PDF-", b"<", b">", b"{", b"}", b"[", b"]"),
    *(b"\\ud800", b"\\u0000", b"NaN", b"1e999", b"-", b"(", b")", b"\xc3\x83\xc2\xa9", b"\xef\xbf\xbd", b"#REF!"),
    *(b"<table>", b"</table>", b"<td colspan=99999>", b'ss:Index="1048576"', b"Total", b"Nil", b"31/02/2026"),
    *(b'r="XFD1048576"', b"9" * 40, b" " * 40, b"," * 200, b"\n" * 200, b"\x80\x81\x8d\x8f\x90\x9d"),
)
"""What decides something somewhere."""


def damaged(content: bytes, other: bytes, random: Random) -> bytes:
    """A file damaged in one to four ways; `other` is what it may be spliced with."""
    for _ in range(random.randint(1, 4)):
        content = random.choice(_WAYS)(content, other, random)
    return content


def damaged_inside(content: bytes, other: bytes, random: Random) -> bytes:
    """A zip of which one member is damaged and all else is right, so that the damage gets to who reads the member."""
    try:
        members = unzipped(content)
    except (zipfile.BadZipFile, ValueError):
        return damaged(content, other, random)
    name = random.choice(sorted(members))
    members[name] = damaged(members[name], other[:400], random)
    return zipped(members, plain=["mimetype"])


def _cut(content: bytes, _other: bytes, random: Random) -> bytes:
    index = random.randint(0, len(content))
    return content[:index] if random.random() < 0.8 else content[index:]


def _flip(content: bytes, _other: bytes, random: Random) -> bytes:
    changed = bytearray(content)
    for _ in range(random.randint(1, 8) if content else 0):
        changed[random.randrange(len(changed))] ^= 1 << random.randrange(8)
    return bytes(changed)


def _write_over(content: bytes, _other: bytes, random: Random) -> bytes:
    start = random.randint(0, len(content))
    return content[:start] + random.randbytes(random.randint(1, 12)) + content[start + random.randint(0, 12) :]


def _insert(content: bytes, _other: bytes, random: Random) -> bytes:
    index = random.randint(0, len(content))
    return content[:index] + random.choice(_TELLING) * random.choice((1, 1, 1, 2, 30)) + content[index:]


def _drop(content: bytes, _other: bytes, random: Random) -> bytes:
    start = random.randint(0, len(content))
    return content[:start] + content[start + random.randint(1, 200) :]


def _repeat(content: bytes, _other: bytes, random: Random) -> bytes:
    start = random.randint(0, len(content))
    piece = content[start : start + random.randint(1, 300)]
    return content[:start] + piece * random.randint(2, 6) + content[start:]


def _splice(content: bytes, other: bytes, random: Random) -> bytes:
    start, end = random.randint(0, len(content)), random.randint(0, len(other))
    return (
        content[:start]
        + other[end : end + random.randint(1, 4000)]
        + (content[start:] if random.random() < 0.5 else b"")
    )


_WAYS: Sequence[Callable[[bytes, bytes, Random], bytes]] = (
    *(_cut, _flip, _flip, _write_over, _insert, _insert, _drop, _repeat, _splice),
)
