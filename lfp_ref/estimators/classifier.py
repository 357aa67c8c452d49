"""The classifier: labels, weights of classes, probabilities."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import entr, log_softmax
from scipy.special import softmax as _softmax
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d

from lfp_ref.core.checks import check_number, refuse
from lfp_ref.estimators.base import LFPEstimator


@dataclass(eq=False, repr=False)
class LFPClassifier(ClassifierMixin, LFPEstimator):
    """Classifies with a network trained by LFP: one output per class, two for two classes.

    Parameters and attributes as of LFPEstimator, and
    class_weight: a factor for the samples of each class, {label: factor}, 1 for those not named; "balanced" gives all
        classes the same weight. It multiplies sample_weight.
    classes_: the labels, which may be strings. Default reward: the paper's softmax. loss_curve_ is the log-loss of the
    softmax of the outputs.
    Sources: the paper on LFP (arXiv:2308.12053); scikit-learn's MLPClassifier for names, batch size and stopping.
    """

    _: KW_ONLY
    class_weight: Mapping[Any, float] | str | None = None

    usual_reward = "softmax"
    output_function = "softmax"
    one_answer = "the most frequent class"

    def partial_fit(
        self, X: ArrayLike, y: ArrayLike, classes: ArrayLike | None = None, sample_weight: ArrayLike | None = None
    ) -> LFPClassifier:
        """One epoch on these samples, on top of what was learned; returns self.

        classes: all labels there will ever be; the first call needs them. Raises ValueError without, and for others.
        """
        if self._is_balanced():
            raise ValueError(
                "class_weight must be numbers in partial_fit, which sees one part of the data, got 'balanced'"
            )
        first = not hasattr(self, "network_")
        if first and classes is None:
            raise ValueError("the first call of partial_fit needs classes, all labels there will ever be")
        known = self.classes_ if classes is None else np.unique(np.asarray(classes))
        if not first and not np.array_equal(known, self.classes_):
            raise ValueError(f"classes were {self.classes_} in the first call of partial_fit, now they are {known}")
        return self._partial_fit(X, y, sample_weight, known)

    def _check_targets(
        self, y: ArrayLike, weights: np.ndarray | None, reset: bool, classes: np.ndarray | None
    ) -> np.ndarray:
        y = column_or_1d(y, warn=True)
        check_classification_targets(y)
        present = np.unique(y)
        classes = present if classes is None else classes
        if reset:
            self.classes_ = classes
            self.n_outputs_ = len(classes)
        elif not np.array_equal(classes, self.classes_):
            raise ValueError(
                "warm_start can only be used where `y` has the same classes as in the previous call to fit. "
                f"Previously got {self.classes_}, `y` has {classes}"
            )
        if unknown := np.setdiff1d(present, classes).tolist():
            raise ValueError(f"y has labels that are not among the classes {classes}: {unknown}")
        return np.searchsorted(classes, y)

    def _is_balanced(self) -> bool:
        return isinstance(self.class_weight, str) and self.class_weight == "balanced"

    def _losses(self, outputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
        return -log_softmax(outputs, axis=1)[np.arange(len(targets)), targets]

    def _score(self, outputs: np.ndarray, targets: np.ndarray, weights: np.ndarray | None) -> float:
        return float(accuracy_score(targets, outputs.argmax(axis=1), sample_weight=weights))

    def _is_trivial(self, outputs: np.ndarray, targets: np.ndarray, weights: np.ndarray | None) -> bool:
        """By accuracy and log-loss: with rare classes, probabilities can say more than the labels."""
        frequency = np.bincount(targets, weights) / (len(targets) if weights is None else weights.sum())
        accuracy = self._score(outputs, targets, weights)
        loss = np.average(self._losses(outputs, targets), weights=weights)
        return accuracy < frequency.max() + 1e-6 < 1 and loss > 0.999 * entr(frequency).sum()

    def _times_class_weight(self, targets: np.ndarray, weights: np.ndarray | None) -> np.ndarray | None:
        if self.class_weight is None:
            return weights
        if self._is_balanced():
            counts = np.bincount(targets, weights, len(self.classes_))
            factors = 1 / np.where(counts > 0, counts, 1)
        else:
            labels = self.classes_.tolist()
            if not isinstance(self.class_weight, Mapping) or not self.class_weight.keys() <= set(labels):
                raise refuse("class_weight", f"'balanced', None or factors of the classes {labels}", self.class_weight)
            factors = np.array([check_number("each of class_weight", self.class_weight.get(c, 1), 0) for c in labels])
        product = factors[targets] if weights is None else factors[targets] * weights
        if not product.any():
            raise refuse("class_weight", "> 0 for one of the classes in y", self.class_weight)
        return product

    def _strata(self, y: np.ndarray) -> np.ndarray | None:
        return self.classes_[y]

    def predict(self, X: ArrayLike) -> np.ndarray:
        """(N,): the label of each sample's largest output."""
        outputs = self._checked_outputs(X)
        return self.classes_[outputs.argmax(axis=1)]

    def predict_proba(self, X: ArrayLike) -> np.ndarray:
        """(N, classes): the softmax of the outputs. The reward decides whether it is a calibrated probability."""
        return _softmax(self._checked_outputs(X), axis=1)

    def predict_log_proba(self, X: ArrayLike) -> np.ndarray:
        """(N, classes): the logarithm of predict_proba."""
        return log_softmax(self._checked_outputs(X), axis=1)
