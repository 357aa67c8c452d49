"""Short training runs that the tests share, and their comparison."""

import numpy as np

import lfp_ref as lfp

DATA = lfp.datasets.blobs(samples=200)


def network(seed=0, dropout=True):
    rng = np.random.default_rng(seed)
    drop = [lfp.Dropout(0.2, rng=rng)] if dropout else []
    return lfp.Sequential(
        lfp.Dense(2, 16, rng=rng), lfp.BatchNorm(16, rng=rng), lfp.ReLU(), *drop, lfp.Dense(16, 3, rng=rng)
    )


def run(net, **options):
    optimizer = lfp.optim.Adam(net.parameters(), 0.02)
    options = {"epochs": 4, "batch_size": 32, "schedule": lfp.optim.one_cycle(0.02, 4 * 5), "log": None, **options}
    return lfp.train(net, DATA, optimizer=optimizer, **options)


def same_history(one, other):
    return all(np.array_equal(one[name], other[name], equal_nan=True) for name in one if name != "seconds")


def same_state(one, other):
    return all(
        np.array_equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    )
