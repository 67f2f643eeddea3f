from __future__ import annotations

import gzip

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from monitoring import blocks

_FLOATS = st.floats(width=32, allow_infinity=False, allow_nan=True)
_ROWS = st.integers(1, 40)
_MINUTES = st.integers(1, 8).map(lambda buckets: 5 * buckets)


def block(rows=_ROWS):
    shapes = st.tuples(rows, st.integers(1, 6))
    return shapes.flatmap(lambda shape: arrays.arrays(np.float32, shape, elements=_FLOATS))


def _pair(rows=20):
    cells = arrays.arrays(np.float32, (rows, 3), elements=_FLOATS)
    return st.tuples(cells, cells)


@given(block())
def test_packing_keeps_every_number(values):
    unpacked = blocks.unpack(blocks.pack(values), values.shape[1])

    np.testing.assert_array_equal(unpacked, values)


@given(block())
def test_the_stored_form_keeps_every_number(values):
    restored = blocks.decompress(blocks.compress(values), values.shape[1])

    np.testing.assert_array_equal(restored, values)


@given(_pair())
def test_merging_twice_is_merging_once(pair):
    old, new = pair
    once = blocks.merged(old, new)

    np.testing.assert_array_equal(blocks.merged(once, new), once)


@given(_pair())
def test_a_merge_takes_new_values_and_never_erases_one(pair):
    old, new = pair
    merged = blocks.merged(old, new)

    np.testing.assert_array_equal(merged[~np.isnan(new)], new[~np.isnan(new)])
    np.testing.assert_array_equal(merged[np.isnan(new)], old[np.isnan(new)])


@given(block(_MINUTES))
def test_buckets_agree_with_what_is_measured_in_them(values):
    values = np.clip(values, -1e6, 1e6)
    additive = np.arange(values.shape[1]) % 2 == 0

    buckets = blocks.bucketed(values, 5, additive)

    for row in range(len(values) // 5):
        for column in range(values.shape[1]):
            cell = values[5 * row : 5 * row + 5, column]
            known = cell[~np.isnan(cell)].astype(np.float64)
            if not len(known):
                assert np.isnan(buckets.means[row, column])
                assert np.isnan(buckets.peaks[row, column])
                continue
            assert buckets.peaks[row, column] == known.max()
            np.testing.assert_allclose(buckets.means[row, column], known.mean(), 1e-5, 1e-3)
            if additive[column]:
                place = int(additive[:column].sum())
                np.testing.assert_allclose(buckets.sums[row, place], known.sum(), 1e-5, 1e-3)


@given(block(_MINUTES))
def test_buckets_are_stored_and_read_back(values):
    additive = np.arange(values.shape[1]) % 2 == 0
    values = np.clip(values, -1e6, 1e6)
    buckets = blocks.bucketed(values, 5, additive)

    restored = blocks.unpack_buckets(buckets.pack(), additive)

    np.testing.assert_array_equal(restored.means, buckets.means)
    np.testing.assert_array_equal(restored.peaks, buckets.peaks)
    np.testing.assert_array_equal(restored.sums, buckets.sums)


def test_the_stored_form_is_gzip_of_numbers_sorted_by_significance():
    values = np.array([[1.0, 2.0], [3.0, 4.0]], dtype=np.float32)

    raw = gzip.decompress(blocks.compress(values))

    in_order = np.array([1, 3, 2, 4], dtype="<f4").tobytes()
    assert raw == b"".join(in_order[byte::4] for byte in range(4))


def test_the_same_minutes_have_the_same_stored_form():
    values = blocks.empty(1440, 3)

    assert blocks.compress(values) == blocks.compress(values)
