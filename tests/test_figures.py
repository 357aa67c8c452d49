"""Pictures of explanations: colour images are drawn in colour, and the scale says what it is of."""

import numpy as np
import pytest

pytest.importorskip("matplotlib", reason="pictures need the extra cli")

from matplotlib.image import imread

from lfp_ref.tools import figures


def drawn(path, images):
    """The colours of a picture of these images whose heat maps are all 0, which is white."""
    maps = np.zeros((len(images), 1, *images.shape[2:]))
    figures.relevance(path, images, maps, ["a"] * len(images), ["3"], np.full((len(images), 1), "0"), "heading")
    return imread(path)[..., :3].reshape(-1, 3)


@pytest.mark.parametrize("low,high", [(-1, 1), (0, 1), (-2.1, 2.6)])
def test_images_of_three_channels_are_in_colour_whatever_their_range(tmp_path, low, high):
    image = np.full((1, 3, 8, 8), low, np.float32)
    image[0, 0, :, :4] = high  # red on the left
    image[0, 1, :, 4:] = high  # green on the right
    colours = drawn(tmp_path / "a.png", image)
    for colour in ((1, 0, 0), (0, 1, 0)):
        assert (colours == colour).all(axis=1).sum() > 1000


@pytest.mark.parametrize("channels", [1, 2])
def test_other_images_are_grey(tmp_path, channels):
    image = np.zeros((2, channels, 8, 8), np.float32)
    image[:, :, 2:4] = np.arange(channels)[:, None, None] + 1
    scale_only = drawn(tmp_path / "b.png", np.zeros((2, channels, 8, 8)))
    assert {tuple(c) for c in drawn(tmp_path / "a.png", image) if len(set(c)) > 1} == {
        tuple(c) for c in scale_only if len(set(c)) > 1
    }  # no colour but the scale's


def test_an_image_of_one_colour_is_no_division_by_zero(tmp_path):
    assert np.isfinite(drawn(tmp_path / "a.png", np.ones((1, 3, 8, 8)))).all()
