"""Data to train on: digits (ship inside), toy problems, MNIST and CIFAR files, fetched ones, your own files."""

from lfp_ref.datasets.augment import cutout, mirror, shift
from lfp_ref.datasets.base import Dataset
from lfp_ref.datasets.cifar import load_cifar
from lfp_ref.datasets.download import fetch
from lfp_ref.datasets.images import load_digits, load_mnist
from lfp_ref.datasets.own import load_arrays, load_own
from lfp_ref.datasets.scaling import Scaling
from lfp_ref.datasets.toys import blobs, circles, swirls

__all__ = ["Dataset", "Scaling", "blobs", "circles", "cutout", "fetch", "load_arrays", "load_cifar", "load_digits",
           "load_mnist", "load_own", "mirror", "shift", "swirls"]  # fmt: skip
