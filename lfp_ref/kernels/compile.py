"""How kernels are compiled."""

from lfp_ref.layers.kernels import *
from lfp_ref.layers.kernels import KERNEL, PARALLEL, njit

kernel = njit(**KERNEL)
parallel = njit(**PARALLEL)
