"""LFP as scikit-learn estimators: LFPClassifier and LFPRegressor (extra `sklearn`; nothing else here imports it).

They take samples as rows, go into pipelines, cross-validation and grid searches, and pass scikit-learn's own
`check_estimator`. Parameters and attributes have MLPClassifier's names where they mean the same; LFP adds `rule`,
`reward`, and `image_shape` with `channels` for convolutional networks.

    make_pipeline(MinMaxScaler((-1, 1)), LFPClassifier((120, 84), activation="step", rule="epsilon:0.5"))
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import log_softmax
from scipy.special import softmax as _softmax

from lfp_ref import models, names, optim, rewards
from lfp_ref.core.checks import check_bool, check_callable, check_int, check_number, check_one_of, check_pair, refuse
from lfp_ref.core.layer import Layer
from lfp_ref.extras import MissingExtra
from lfp_ref.layers.conv import Conv2d
from lfp_ref.layers.dense import Dense
from lfp_ref.layers.flatten import Flatten
from lfp_ref.layers.pool import MaxPool2d
from lfp_ref.network import Sequential
from lfp_ref.rules import Rule
from lfp_ref.training import check_reward, check_state, epoch

try:
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.metrics import accuracy_score, r2_score
    from sklearn.model_selection import train_test_split
    from sklearn.utils import Tags, check_random_state
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import _check_sample_weight, check_is_fitted, column_or_1d, validate_data
except ImportError:
    raise MissingExtra(
        "lfp_ref.estimators", "scikit-learn", "sklearn",
        "Without it, networks train by lfp_ref.train, or on the command line by lfp-ref train.",
    ) from None  # fmt: skip


class LFPEstimator(BaseEstimator):
    """Base of classifier and regressor: the network, its training, the criterion to stop.

    hidden_layer_sizes: neurons of each dense layer between input, or convolutions, and output.
    image_shape: (C, H, W) or (H, W) of a sample, whose C*H*W features are its pixels, row by row; the network then
        starts with convolutions. channels: of each of them: 3 x 3 with padding, activation, 2 x 2 max pooling.
    model: a network by its name or in a line, as for lfp-ref train ("resnet8", "32c3-p2-120-10", the last number being
        that of the outputs), of images if there is image_shape; in place of hidden_layer_sizes and channels.
    activation: a name, as for lfp-ref train ("relu", "step", "negated-tanh"), or a class that makes it (lfp.Step).
    rule: a name ("epsilon:0.1", "gamma", "gradient", a composite), an lfp.rules.Rule, or a mapping (Layer.feedback).
    reward: a name of lfp.rewards, or a function (outputs, targets) -> reward of the outputs' shape; None is the usual
        one, "softmax" for classes and "squared-error" for numbers.
    solver: "adam", "adamw" or "sgd" (with momentum). weight_decay: as in lfp.optim. beta_1, beta_2, epsilon: of the
        solvers named after Adam (the rule's epsilon is in `rule`).
    learning_rate_init: constant throughout; with image_shape try 0.01, since the default can be too large for
        convolutions (99 % and 8 to 97 % on held-out digits).
    batch_size: "auto" is min(200, number of samples). max_iter: epochs. shuffle: draw a new order in every epoch.
    tol, n_iter_no_change: stop once the loss (early_stopping: the validation score) has not improved by tol for so
        many epochs. early_stopping: hold out validation_fraction of the samples, keep the weights that did best there.
    warm_start: a second fit goes on from the weights of the first. verbose: print a line per epoch.
    random_state: of initial weights, order and held-out samples: an integer, a RandomState, or None.

    network_: the trained lfp.Sequential. n_iter_: epochs done. loss_curve_: the loss of each epoch, whatever the
    reward; loss_, best_loss_: its last and its lowest. reward_curve_: mean reward of a sample in each epoch.
    validation_scores_, best_validation_score_: with early_stopping, otherwise None. n_outputs_, n_features_in_.
    Computes in float32 for float32 input, otherwise in float64.
    """

    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int] = (100,),
        activation: str | models.Make = "relu",
        *,
        rule: str | Rule | Mapping[Any, Rule] = "epsilon",
        reward: str | rewards.Reward | None = None,
        image_shape: tuple[int, ...] | None = None,
        channels: Sequence[int] = (16, 32),
        model: str | None = None,
        solver: str = "adam",
        learning_rate_init: float = 0.05,
        weight_decay: float = 0.0,
        batch_size: int | str = "auto",
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: bool = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: int = 10,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.rule = rule
        self.reward = reward
        self.image_shape = image_shape
        self.channels = channels
        self.model = model
        self.solver = solver
        self.learning_rate_init = learning_rate_init
        self.weight_decay = weight_decay
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change

    # ---- implemented by classifier and regressor

    usual_reward: str

    def _check_targets(self, y: ArrayLike, weights: np.ndarray | None, reset: bool) -> np.ndarray:
        """Targets as the reward takes them; with reset, remembers classes or scale for predictions."""
        raise NotImplementedError

    def _losses(self, outputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """(N,): the loss of each sample."""
        raise NotImplementedError

    def _score(self, outputs: np.ndarray, targets: np.ndarray, weights: np.ndarray | None) -> float:
        """The validation score of early stopping."""
        raise NotImplementedError

    # ---- fitting

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Any:
        """Trains on X (N, features) and y; returns self.

        sample_weight: (N,), >= 0: multiplies each sample's reward; a weight of 2 is the sample given twice.
        Raises ValueError for data or parameters that make no sense, lfp_ref.DivergenceError at NaN or infinity.
        """
        going_on = self.warm_start and hasattr(self, "network_")
        x, y, weights = self._check_data(X, y, sample_weight, reset=not going_on)
        if not going_on:
            self._start(x.dtype)
        self._optimizer = self._new_optimizer()
        self._run(x, y, weights, self.max_iter, stops=True)
        return self

    def _partial_fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None) -> Any:
        if self.early_stopping:
            raise ValueError("partial_fit sees one part of the data at a time: it does not go with early_stopping")
        first = not hasattr(self, "network_")
        x, y, weights = self._check_data(X, y, sample_weight, reset=first)
        if first:
            self._start(x.dtype)
        if not hasattr(self, "_optimizer"):
            self._optimizer = self._new_optimizer()
        self._run(x, y, weights, 1, stops=False)
        return self

    def _check_data(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None, reset: bool
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """Samples, targets, and weights of mean 1 (None where all are the same)."""
        self._check_options()
        x, y = validate_data(
            self, X, y, dtype=(np.float64, np.float32), multi_output=True, y_numeric=False, reset=reset
        )
        weights = None
        if sample_weight is not None:
            weights = _check_sample_weight(sample_weight, x, dtype=x.dtype, ensure_non_negative=True)
            weights = weights / weights.mean()
        return x, self._check_targets(y, weights, reset), weights

    def _check_options(self) -> None:
        """Raises ValueError or TypeError for parameters that make no sense, before anything is fitted."""
        for name in ("max_iter", "n_iter_no_change"):
            check_int(name, getattr(self, name))
        for name in ("shuffle", "verbose", "warm_start", "early_stopping"):
            check_bool(name, getattr(self, name))
        for name in ("learning_rate_init", "weight_decay", "tol"):
            check_number(name, getattr(self, name), 0)
        check_number("momentum", self.momentum, 0, 1)
        check_number("validation_fraction", self.validation_fraction, 0, 1, above=True, below=True)
        for name in ("beta_1", "beta_2"):
            check_number(name, getattr(self, name), 0, 1, below=True)
        check_number("epsilon", self.epsilon, 0, 1, above=True)
        check_one_of("solver", self.solver, names.OPTIMIZERS)
        for name in ("hidden_layer_sizes", "channels"):
            sizes = getattr(self, name)
            for size in sizes if isinstance(sizes, Iterable) and not isinstance(sizes, str) else [sizes]:
                check_int(f"each of {name}", size)
        if self.batch_size != "auto":
            check_int("batch_size", self.batch_size)
        if self.image_shape is not None and not isinstance(self.image_shape, Iterable):
            raise refuse("image_shape", "(C, H, W), (H, W) or None", self.image_shape)
        if not isinstance(self.activation, str):
            check_callable("activation", self.activation, "")
        if not isinstance(self.rule, str | Rule | Mapping):
            raise refuse("rule", "a name, a rule of lfp_ref.rules or a mapping to rules", self.rule, TypeError)
        if not isinstance(self.reward, str | None):
            check_callable("reward", self.reward, "outputs, targets")

    def _start(self, dtype: np.dtype) -> None:
        """Makes a new network at its initial weights, and an empty record of training."""
        self._rng = np.random.default_rng(check_random_state(self.random_state).randint(2**31))
        self.network_ = self._new_network(dtype)
        self.n_iter_ = 0
        self.loss_curve_: list[float] = []
        self.reward_curve_: list[float] = []
        self.best_loss_ = math.inf
        self.validation_scores_: list[float] | None = [] if self.early_stopping else None
        self.best_validation_score_ = -math.inf if self.early_stopping else None
        self.__dict__.pop("_optimizer", None)

    def _new_network(self, dtype: np.dtype) -> Sequential:
        kind: dict[str, Any] = {"dtype": dtype, "rng": self._rng}
        act = names.activation(self.activation) if isinstance(self.activation, str) else self.activation
        if self.model is not None:
            if names.is_spiking(self.model):
                raise ValueError(f"model={self.model!r}: estimators have no spiking networks; train them by lfp.train")
            shape = (self.n_features_in_,) if self.image_shape is None else self._image()
            return names.network(self.model)(shape, self.n_outputs_, act, **kind)
        layers: list[Layer] = []
        size = self.n_features_in_
        if self.image_shape is not None:
            channels, height, width = self._image()
            for wanted in self.channels:
                if min(height, width) < 2:
                    raise ValueError(f"channels={self.channels!r} halves {self.image_shape} once too often")
                layers += [Conv2d(channels, wanted, 3, padding=1, **kind), act(), MaxPool2d(2)]
                channels, height, width = wanted, height // 2, width // 2
            layers.append(Flatten())
            size = channels * height * width
        hidden = self.hidden_layer_sizes
        for neurons in (hidden,) if isinstance(hidden, int | np.integer) else hidden:
            layers += [Dense(size, neurons, **kind), act()]
            size = neurons
        return Sequential(*layers, Dense(size, self.n_outputs_, **kind))

    def _image(self) -> tuple[int, int, int]:
        """(C, H, W) of a sample. Raises ValueError if that is not the samples' shape."""
        shape = tuple(self.image_shape)  # type: ignore[arg-type]
        shape = (1, *shape) if len(shape) == 2 else shape
        if len(shape) != 3 or math.prod(shape) != self.n_features_in_:
            raise ValueError(
                f"image_shape must be (C, H, W) or (H, W) of {self.n_features_in_} features, got {self.image_shape!r}"
            )
        return check_int("image_shape[0]", shape[0]), *check_pair("image_shape", shape[1:])

    def _new_optimizer(self) -> optim.Optimizer:
        options: dict[str, Any] = {"betas": (self.beta_1, self.beta_2), "eps": self.epsilon}
        if self.solver == "sgd":
            options = {"momentum": self.momentum}
        kind = names.OPTIMIZERS[self.solver]
        return kind(self.network_.parameters(), self.learning_rate_init, weight_decay=self.weight_decay, **options)

    def _run(self, x: np.ndarray, y: np.ndarray, weights: np.ndarray | None, epochs: int, stops: bool) -> None:
        """Trains for that many epochs, or until the loss (early stopping: the score) improves no more."""
        net = self.network_
        rule = names.rule_or_composite(self.rule, net) if isinstance(self.rule, str) else self.rule
        reward = self._reward()
        check_reward(reward, rule)
        held = None
        if stops and self.early_stopping:
            x, y, weights, held = self._hold_out(x, y, weights)
        batch_size = min(200, len(x)) if self.batch_size == "auto" else int(self.batch_size)
        images = self._images(x)
        options: dict[str, Any] = {"weights": weights, "rule": rule, "reward": reward}
        since_better, best = 0, None
        try:
            for _ in range(epochs):
                order = self._rng.permutation(len(x)) if self.shuffle else np.arange(len(x))
                loss = total = 0.0
                steps = epoch(net, images, y, order, batch_size, self._optimizer, number=self.n_iter_, **options)
                for batch, outputs, batch_reward in steps:
                    losses = self._losses(outputs, y[batch])
                    loss += float(losses.sum() if weights is None else losses @ weights[batch])
                    total += batch_reward
                check_state(net, f"epoch {self.n_iter_ + 1}")
                better, is_best = self._note(loss / len(x), total / len(x), held)
                since_better = 0 if better else since_better + 1
                if is_best and held is not None:
                    best = net.state_dict()
                if stops and since_better > self.n_iter_no_change:
                    break
            else:
                if stops:
                    warnings.warn(
                        f"max_iter={self.max_iter} epochs are done and it is still improving", ConvergenceWarning,
                        stacklevel=3,
                    )  # fmt: skip
        except KeyboardInterrupt:
            warnings.warn("training stopped by Ctrl-C; the network is kept as it is", stacklevel=3)
        if best is not None:
            net.load_state_dict(best)

    def _note(self, loss: float, reward: float, held: tuple[Any, ...] | None) -> tuple[bool, bool]:
        """Records an epoch; returns whether it is better, by tol, than the best before, and whether it is the best."""
        self.n_iter_ += 1
        self.loss_ = loss
        self.loss_curve_.append(loss)
        self.reward_curve_.append(reward)
        said = f"epoch {self.n_iter_}, loss {loss:.6f}, reward {reward:.6f}"
        better = loss < self.best_loss_ - self.tol
        is_best = loss < self.best_loss_
        self.best_loss_ = min(self.best_loss_, loss)
        if held is not None:
            x, y, weights = held
            score = self._score(self._outputs(x), y, weights)
            self.validation_scores_.append(score)  # type: ignore[union-attr]
            better = score > self.best_validation_score_ + self.tol  # type: ignore[operator]
            is_best = score > self.best_validation_score_  # type: ignore[operator]
            self.best_validation_score_ = max(self.best_validation_score_, score)  # type: ignore[type-var]
            said += f", validation score {score:.6f}"
        if self.verbose:
            print(said)
        return better, is_best

    def _hold_out(self, x: np.ndarray, y: np.ndarray, weights: np.ndarray | None) -> tuple[Any, ...]:
        """Samples, targets and weights to train on, and a tuple of those held out."""
        parts = [x, y] if weights is None else [x, y, weights]
        split = train_test_split(
            *parts, test_size=self.validation_fraction, stratify=self._strata(y),
            random_state=int(self._rng.integers(2**31)),
        )  # fmt: skip
        train, test = split[::2], split[1::2]
        if len(test[1]) < 2:
            raise ValueError(
                f"validation_fraction={self.validation_fraction} of {len(y)} samples holds out fewer than two: "
                "their score says nothing"
            )
        none = [None] * (3 - len(parts))
        return *train, *none, (*test, *none)

    def _strata(self, y: np.ndarray) -> np.ndarray | None:
        return None

    def _reward(self) -> rewards.Reward:
        reward = self.usual_reward if self.reward is None else self.reward
        return names.reward(reward) if isinstance(reward, str) else reward

    # ---- predicting

    def _outputs(self, x: np.ndarray) -> np.ndarray:
        """(N, O): the network's outputs, a thousand samples at a time to bound memory."""
        x = self._images(x)
        return np.concatenate([self.network_.forward(x[begin : begin + 1000]) for begin in range(0, len(x), 1000)])

    def _checked_outputs(self, X: ArrayLike) -> np.ndarray:
        check_is_fitted(self)
        return self._outputs(validate_data(self, X, dtype=(np.float64, np.float32), reset=False))

    def _images(self, x: np.ndarray) -> np.ndarray:
        return x if self.image_shape is None else x.reshape(-1, *self._image())


class LFPClassifier(ClassifierMixin, LFPEstimator):
    """Classifies with a network trained by LFP: one output per class, two for two classes.

    Parameters and attributes as of LFPEstimator, and classes_: the labels, which may be strings. Default reward: the
    paper's softmax. loss_curve_ is the log-loss of the softmax of the outputs.
    Sources: the paper on LFP (arXiv:2308.12053); scikit-learn's MLPClassifier for names, batch size and stopping.
    """

    usual_reward = "softmax"

    def partial_fit(
        self, X: ArrayLike, y: ArrayLike, classes: ArrayLike | None = None, sample_weight: ArrayLike | None = None
    ) -> LFPClassifier:
        """One epoch on these samples, on top of what was learned; returns self.

        classes: all labels there will ever be; the first call needs them. Raises ValueError without, and for others.
        """
        if not hasattr(self, "network_"):
            if classes is None:
                raise ValueError("the first call of partial_fit needs classes, all labels there will ever be")
            self._classes_to_come = np.unique(np.asarray(classes))
        elif classes is not None and not np.array_equal(np.unique(np.asarray(classes)), self.classes_):
            raise ValueError(f"classes were {self.classes_} in the first call of partial_fit, now they are {classes}")
        return self._partial_fit(X, y, sample_weight)

    def _check_targets(self, y: ArrayLike, weights: np.ndarray | None, reset: bool) -> np.ndarray:
        y = column_or_1d(y, warn=True)
        check_classification_targets(y)
        if reset:
            self.classes_ = self.__dict__.pop("_classes_to_come", None)
            if self.classes_ is None:
                self.classes_ = np.unique(y)
            self.n_outputs_ = len(self.classes_)
        if unknown := np.setdiff1d(y, self.classes_).tolist():
            raise ValueError(f"y has labels that are not among the classes {self.classes_}: {unknown}")
        return np.searchsorted(self.classes_, y)

    def _losses(self, outputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
        return -log_softmax(outputs, axis=1)[np.arange(len(targets)), targets]

    def _score(self, outputs: np.ndarray, targets: np.ndarray, weights: np.ndarray | None) -> float:
        return float(accuracy_score(targets, outputs.argmax(axis=1), sample_weight=weights))

    def _strata(self, y: np.ndarray) -> np.ndarray | None:
        return y

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


class LFPRegressor(RegressorMixin, LFPEstimator):
    """Predicts numbers, one or several per sample, with a network trained by LFP.

    Parameters and attributes as of LFPEstimator. loss_curve_ is half the mean squared error of the scaled targets.

    Targets are scaled inside to mean 0 and standard deviation 1, and predictions scaled back: weights start small and a
    step changes them in proportion, so targets in the thousands would be a long way off. The first fit, or the first
    call of partial_fit, fixes the scale. A reward of your own gets targets so scaled, of the outputs' shape (N, O).
    Sources: the paper on LFP (arXiv:2308.12053); scikit-learn's MLPRegressor for names, batch size and stopping.
    """

    usual_reward = "squared-error"

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def partial_fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> LFPRegressor:
        """One epoch on these samples, on top of what was learned; returns self."""
        return self._partial_fit(X, y, sample_weight)

    def _check_targets(self, y: ArrayLike, weights: np.ndarray | None, reset: bool) -> np.ndarray:
        y = np.asarray(y)
        y = column_or_1d(y, warn=True) if y.ndim == 1 or y.shape[1] == 1 else y
        columns = y.reshape(len(y), -1).astype(np.float64)
        if reset:
            self.n_outputs_, self._flat = columns.shape[1], y.ndim == 1
            self._mean = np.average(columns, axis=0, weights=weights)
            deviation = np.sqrt(np.average((columns - self._mean) ** 2, axis=0, weights=weights))
            self._scale = np.where(deviation > 0, deviation, 1)
        if columns.shape[1] != self.n_outputs_:
            raise ValueError(f"y had {self.n_outputs_} columns before, now it has {columns.shape[1]}")
        return (columns - self._mean) / self._scale

    def _unscaled(self, outputs: np.ndarray) -> np.ndarray:
        y = outputs.astype(np.float64) * self._scale + self._mean
        return y[:, 0] if self._flat else y

    def _losses(self, outputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
        return ((outputs - targets) ** 2).mean(axis=1) / 2

    def _score(self, outputs: np.ndarray, targets: np.ndarray, weights: np.ndarray | None) -> float:
        return float(r2_score(targets, outputs, sample_weight=weights))

    def predict(self, X: ArrayLike) -> np.ndarray:
        """(N,), or (N, O) where y had a column per output."""
        return self._unscaled(self._checked_outputs(X))
