import numpy as np
import pytest

import lfp_ref as lfp
from lfp_ref.summary import rows

LENET = """\
    layer                  output       parameters  multiplications
    input                  1 x 28 x 28
0   Conv2d(1, 16, (5, 5))  16 x 24 x 24        416          230,400
1   ReLU()                 16 x 24 x 24
2   MaxPool2d((2, 2))      16 x 12 x 12
3   Conv2d(16, 16, (5, 5)) 16 x 8 x 8        6,416          409,600
4   ReLU()                 16 x 8 x 8
5   MaxPool2d((2, 2))      16 x 4 x 4
6   Flatten()              256
7   Dense(256, 120)        120              30,840           30,720
8   ReLU()                 120
9   Dense(120, 84)         84               10,164           10,080
10  ReLU()                 84
11  Dense(84, 10)          10                  850              840
    network                10               48,686          681,640"""


def test_lenets_table(capsys):
    lfp.models.lenet((1, 28, 28), 10).summary()
    said = capsys.readouterr().out.splitlines()
    assert [line.split() for line in said] == [line.split() for line in LENET.splitlines()]
    assert len({len(line) for line in said}) == 1  # columns are aligned


def test_multiplications_are_those_that_a_convolution_in_groups_makes():
    net = lfp.Sequential(lfp.Conv2d(4, 6, (3, 2), stride=2, padding=1, groups=2), lfp.BatchNorm(6), lfp.Flatten(),
                         lfp.Residual(lfp.Dense(96, 96)))  # fmt: skip
    conv, norm, flatten, dense = rows(net, (4, 7, 6))
    assert conv.shape == norm.shape == (6, 4, 4) and flatten.shape == dense.shape == (96,)
    assert conv.multiplications == 6 * 4 * 4 * (2 * 3 * 2) and dense.multiplications == 96 * 96
    assert (norm.parameters, norm.multiplications, dense.path) == (12, 0, "3.body")


def test_shared_parameters_count_once_and_neurons_show_as_what_they_are():
    layer = lfp.Dense(5, 5)
    once, again = rows(lfp.Sequential(layer, layer), (5,))
    assert (once.parameters, again.parameters) == (30, 0) and once.multiplications == again.multiplications == 25
    net = lfp.models.spiking_mlp((3,), 2, steps=4)
    assert [row.layer for row in rows(net, (3,))] == ["Flatten()", "LIF(Dense(3, 1000))", "LIF(Dense(1000, 2))"]
    given = lfp.Spiking(lfp.LIF(lfp.Dense(3, 2, dtype=np.float64)), steps=4, inputs="given")
    assert rows(given, (3,))[0].shape == (2,)


def test_a_network_that_nobody_gave_a_shape_asks_for_it():
    net = lfp.Sequential(lfp.Dense(3, 2))
    with pytest.raises(ValueError, match=r"needs the shape of one sample, as in net\.summary\(\(1, 28, 28\)\)"):
        net.summary()
    with pytest.raises(ValueError, match="expected input of shape"):
        net.summary((4,))
