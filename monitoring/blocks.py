"""Blocks of metric minutes as arrays, and as the bytes that are stored and sent.

Arrays are float32 with time down and series across, NaN where nothing was measured. A closed
day's minutes are stored series by series, the four bytes of all numbers sorted by significance,
then gzipped: an eighth of the size of rows, and a browser undoes it natively.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]

MINUTES_PER_DAY = 1440
COARSE = (5, 30)  # minutes per bucket of a closed day's summaries


def empty(rows: int, columns: int) -> Floats:
    """Return a block in which nothing was measured."""
    return np.full((rows, columns), np.nan, dtype=np.float32)


def merged(old: Floats, new: Floats) -> Floats:
    """Return `old` with what `new` has measured. A missing value never erases one."""
    return np.where(np.isnan(new), old, new)


def pack(block: Floats) -> bytes:
    """Return the block as little-endian float32, time-major."""
    return np.ascontiguousarray(block, dtype="<f4").tobytes()


def unpack(data: bytes, columns: int) -> Floats:
    return np.frombuffer(data, dtype="<f4").reshape(-1, columns)


def shuffled(block: Floats) -> bytes:
    """Return the block series by series, with the bytes of equal significance together."""
    numbers = np.ascontiguousarray(block.T, dtype="<f4")
    return np.ascontiguousarray(numbers.view(np.uint8).reshape(-1, 4).T).tobytes()


def unshuffled(data: bytes, columns: int) -> Floats:
    """Undo `shuffled`."""
    planes = np.frombuffer(data, dtype=np.uint8).reshape(4, -1)
    numbers = np.ascontiguousarray(planes.T).view("<f4")
    return numbers.reshape(columns, -1).T


def compress(block: Floats) -> bytes:
    """Return the stored form of a closed day's minutes, which is also what a browser gets."""
    return gzip.compress(shuffled(block), compresslevel=6, mtime=0)


def decompress(data: bytes, columns: int) -> Floats:
    return unshuffled(gzip.decompress(data), columns)


@dataclass(frozen=True, slots=True)
class Buckets:
    """Several minutes in one: each array has a row per bucket and a column per series.

    `sums` has only the columns that may be added up.
    """

    means: Floats
    peaks: Floats
    sums: Floats

    def pack(self) -> bytes:
        return pack(self.means) + pack(self.peaks) + pack(self.sums)


def unpack_buckets(data: bytes, additive: Flags) -> Buckets:
    numbers = np.frombuffer(data, dtype="<f4")
    columns, sums = len(additive), int(additive.sum())
    rows = len(numbers) // (2 * columns + sums)
    means, peaks, rest = np.split(numbers, [rows * columns, 2 * rows * columns])
    return Buckets(
        means.reshape(rows, columns), peaks.reshape(rows, columns), rest.reshape(rows, sums)
    )


def bucketed(block: Floats, minutes: int, additive: Flags) -> Buckets:
    """Sum the block up by so many minutes; its length is a multiple of `minutes`."""
    cells = block.reshape(-1, minutes, block.shape[1])
    measured = ~np.isnan(cells)
    counts = measured.sum(axis=1)
    # Sums of many float32 lose digits that a bill or a ratio would miss.
    totals = np.where(measured, cells, 0).sum(axis=1, dtype=np.float64)
    missing = counts == 0
    means = np.where(missing, np.nan, totals / np.maximum(counts, 1))
    peaks = np.where(missing, np.nan, np.where(measured, cells, -np.inf).max(axis=1))
    sums = np.where(missing, np.nan, totals)[:, additive]
    return Buckets(_f4(means), _f4(peaks), _f4(sums))


def _f4(numbers: npt.NDArray[np.floating]) -> Floats:
    return numbers.astype(np.float32)
