"""On the real MNIST files, where LFP_REF_DATA names their folder."""

import os

import numpy as np
import pytest

import lfp_ref as lfp

pytestmark = pytest.mark.skipif("LFP_REF_DATA" not in os.environ, reason="LFP_REF_DATA names no folder with MNIST")


def test_files_are_mnist_and_lenet_learns_from_a_tenth_of_them():
    data = lfp.datasets.load_mnist()
    assert data.x_train.shape == (60000, 1, 28, 28) and data.x_test.shape == (10000, 1, 28, 28)
    counts = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]  # as everywhere documented
    assert np.bincount(data.y_train).tolist() == counts
    net = lfp.models.lenet(data.input_shape, data.classes, rng=np.random.default_rng(0))
    history = lfp.train(
        net,
        data.subset(6000).holdout(0.1),
        optimizer=lfp.optim.Adam(net.parameters(), 0.01),
        schedule=lfp.optim.one_cycle(0.01, 3 * 43),
        epochs=3,
        log=None,
    )
    assert history["test_accuracy"][-1] > 0.9
