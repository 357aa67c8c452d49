"""The regressor: targets scaled on the way in, predictions scaled back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score
from sklearn.utils import Tags
from sklearn.utils.validation import column_or_1d

from lfp_ref.estimators.base import LFPEstimator, moments


@dataclass(eq=False, repr=False)
class LFPRegressor(RegressorMixin, LFPEstimator):
    """Predicts numbers, one or several per sample, with a network trained by LFP.

    Parameters and attributes as of LFPEstimator. loss_curve_ is half the mean squared error of the scaled targets;
    target_mean_, target_scale_: of each output.

    Targets are scaled inside to mean 0 and standard deviation 1, and predictions scaled back: weights start small and a
    step changes them in proportion, so targets in the thousands would be a long way off. The first fit, or the first
    call of partial_fit, fixes the scale. A reward of your own gets targets so scaled, of the outputs' shape (N, O).
    Sources: the paper on LFP (arXiv:2308.12053); scikit-learn's MLPRegressor for names, batch size and stopping.
    """

    usual_reward = "squared-error"
    output_function = "identity"
    one_answer = "the mean of the targets"

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def partial_fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> LFPRegressor:
        """One epoch on these samples, on top of what was learned; returns self."""
        return self._partial_fit(X, y, sample_weight)

    def _check_targets(
        self, y: ArrayLike, weights: np.ndarray | None, reset: bool, classes: np.ndarray | None
    ) -> np.ndarray:
        y = np.asarray(y)
        y = column_or_1d(y, warn=True) if y.ndim == 1 or y.shape[1] == 1 else y
        columns = y.reshape(len(y), -1).astype(np.float64)
        if reset:
            self.n_outputs_, self._flat = columns.shape[1], y.ndim == 1
            self.target_mean_, deviation = moments("y", columns, weights, self.n_outputs_)
            self.target_scale_ = np.where(deviation > 0, deviation, 1)
        if columns.shape[1] != self.n_outputs_:
            raise ValueError(f"y had {self.n_outputs_} columns before, now it has {columns.shape[1]}")
        return (columns - self.target_mean_) / self.target_scale_

    def _unscaled(self, outputs: np.ndarray) -> np.ndarray:
        y = (outputs * self.target_scale_ + self.target_mean_).astype(outputs.dtype)
        return y[:, 0] if self._flat else y

    def _losses(self, outputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
        return ((outputs - targets) ** 2).mean(axis=1) / 2

    def _score(self, outputs: np.ndarray, targets: np.ndarray, weights: np.ndarray | None) -> float:
        return float(r2_score(targets, outputs, sample_weight=weights))

    def _is_trivial(self, outputs: np.ndarray, targets: np.ndarray, weights: np.ndarray | None) -> bool:
        mean = np.average(targets, axis=0, weights=weights)
        variance, error = (np.average(self._losses(each, targets), weights=weights) for each in (mean[None], outputs))
        return 0 < 0.999 * variance < error

    def predict(self, X: ArrayLike) -> np.ndarray:
        """(N,), or (N, O) where y had a column per output."""
        return self._unscaled(self._checked_outputs(X))
