"""Data to train on: digits (ship inside), toy problems, MNIST-format files."""

from lfp_ref.datasets.base import Dataset
from lfp_ref.datasets.images import load_digits, load_mnist
from lfp_ref.datasets.toys import blobs, circles, swirls

__all__ = ["Dataset", "blobs", "circles", "load_digits", "load_mnist", "swirls"]
