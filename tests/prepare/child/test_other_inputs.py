from __future__ import annotations

import numpy as np

from bench.prepare.child.other_inputs import other_feeds
from bench.records import Tensor

IMAGE = Tensor(name="image", shape=(None, 6, 6, 3), dtype="float32")
FIRST = Tensor(name="image", shape=(None, 3, 6, 8), dtype="float32")
WORDS = Tensor(name="words", shape=(None, 5), dtype="int32")
ROWS = {name: Tensor(name=name, shape=(None, 4), dtype="float32") for name in "abc"}
RNG = np.random.default_rng(0)


def test_channels_of_either_layout_are_reversed() -> None:
    for tensor, axis, shape in ((IMAGE, 3, (6, 6, 3)), (FIRST, 1, (3, 6, 8))):
        x = RNG.random((4, *shape)).astype(np.float32)
        feed = next(f for f in other_feeds([tensor], {"image": x}) if f.code == "input channels reversed").feed
        assert np.array_equal(feed["image"], np.flip(x, axis))


def test_every_feed_keeps_shape_and_type_and_is_another_one() -> None:
    pool = {"image": RNG.random((4, 6, 6, 3)).astype(np.float32), "words": RNG.integers(1, 9, (4, 5)).astype(np.int32)}
    feeds = list(other_feeds([IMAGE, WORDS], pool))
    assert all(feed.feed[name].shape == pool[name].shape for feed in feeds for name in pool)
    assert all(feed.feed[name].dtype == pool[name].dtype for feed in feeds for name in pool)
    assert all(any(not np.array_equal(feed.feed[name], pool[name]) for name in pool) for feed in feeds)
    assert len({feed.said for feed in feeds}) == len(feeds)


def test_inputs_of_one_shape_are_swapped_in_pairs_and_circles() -> None:
    pool = {name: RNG.random((4, 4)).astype(np.float32) for name in "abc"}
    said = [feed.said for feed in other_feeds(list(ROWS.values()), pool) if feed.code == "inputs swapped"]
    assert said == [
        "inputs 'a' and 'b' swapped",
        "inputs 'a' and 'c' swapped",
        "inputs 'b' and 'c' swapped",
        "inputs 'a', 'b', 'c' in a circle",
        "inputs 'a', 'c', 'b' in a circle",
    ]


def test_an_input_alone_is_not_swapped_nor_are_its_items_moved_against_another() -> None:
    codes = {feed.code for feed in other_feeds([IMAGE], {"image": RNG.random((4, 6, 6, 3)).astype(np.float32)})}
    assert not codes & {"inputs swapped", "input items permuted"}


def test_an_input_that_is_the_same_for_all_items_is_left_alone() -> None:
    unbatched = Tensor(name="t", shape=(3,), dtype="float32", batched=False)
    assert list(other_feeds([unbatched], {"t": np.ones((4, 3), np.float32)})) == []


def test_a_shift_brings_in_zeros_or_goes_round() -> None:
    x = RNG.random((2, 6, 6, 3)).astype(np.float32)
    feeds = {f.said: f.feed["image"] for f in other_feeds([IMAGE], {"image": x}) if f.code == "input shifted"}
    assert not feeds["input 'image' shifted by +1 along axis 2"][:, :, 0].any()
    assert np.array_equal(feeds["input 'image' shifted by +1 along axis 2, round the edge"], np.roll(x, 1, 2))
