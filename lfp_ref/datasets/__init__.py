"""Data to train on: digits (ship inside), toy problems, MNIST and CIFAR files, fetched ones, your own arrays."""

from lfp_ref.datasets.arrays import load_arrays
from lfp_ref.datasets.augment import cutout, mirror, shift
from lfp_ref.datasets.base import Dataset
from lfp_ref.datasets.cifar import load_cifar
from lfp_ref.datasets.download import fetch
from lfp_ref.datasets.images import load_digits, load_mnist
from lfp_ref.datasets.toys import blobs, circles, swirls

__all__ = ["Dataset", "blobs", "circles", "cutout", "fetch", "load_arrays", "load_cifar", "load_digits", "load_mnist",
           "mirror", "shift", "swirls"]  # fmt: skip
