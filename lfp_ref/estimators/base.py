"""The base of the estimators: parameters, standardisation of samples, the network, its training."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from lfp_ref import models, names, optim, rewards
from lfp_ref.core.checks import (
    check_bool,
    check_callable,
    check_eps,
    check_int,
    check_number,
    check_one_of,
    check_pair,
    refuse,
)
from lfp_ref.core.layer import Layer
from lfp_ref.core.state import Parameter
from lfp_ref.layers.conv import Conv2d
from lfp_ref.layers.dense import Dense
from lfp_ref.layers.flatten import Flatten
from lfp_ref.layers.pool import MaxPool2d
from lfp_ref.layers.weighted import WeightedLayer
from lfp_ref.network import Sequential
from lfp_ref.rules import Rule
from lfp_ref.training import ADVICE, DivergenceError, check_reward, check_state, epoch

DECAY_PER_EPOCH = 2.0  # default of "adamw": weight_decay times the batches of an epoch
ONE_UNIT = 10.0  # features whose deviations differ by less than this factor share a scale


@dataclass(eq=False, repr=False)  # writes __init__; BaseEstimator compares and prints
class LFPEstimator(BaseEstimator):
    """Base of classifier and regressor: the network, its training, the criterion to stop.

    hidden_layer_sizes: neurons of each dense layer between input, or convolutions, and output.
    activation: a name, as for lfp-ref train ("relu", "step", "negated-tanh"), or a class that makes it (lfp.Step).
    rule: a name ("epsilon:0.1", "gamma", "gradient", a composite), an lfp.rules.Rule, or a mapping (Layer.feedback).
    reward: a name of lfp.rewards, or a function (outputs, targets) -> reward of the outputs' shape; None is the usual
        one, "softmax" for classes and "squared-error" for numbers.
    standardize: the network gets (X - mean_) / scale_ instead of X: mean and standard deviation of each feature, of
        images of each channel. Features whose deviations differ by less than ten times are taken to be in one unit and
        share one scale. The first fit, or the first call of partial_fit, fixes both: give that call samples that stand
        for all of them. With False scale inputs yourself: LFP does not train on inputs in the hundreds.
    image_shape: (C, H, W) or (H, W) of a sample, whose C*H*W features are its pixels, row by row; the network then
        starts with convolutions. channels: of each of them: 3 x 3 with padding, activation, 2 x 2 max pooling.
    model: a network by its name or in a line, as for lfp-ref train ("resnet8", "32c3-p2-120-10", the last number being
        that of the outputs), of images if there is image_shape; in place of hidden_layer_sizes and channels.
    solver: "adamw", "adam" or "sgd" (with momentum). weight_decay: as in lfp.optim; "auto" is 2 / (batches of an epoch)
        for "adamw", so that few samples are not learned by heart; 0 for the others, which add it to the feedback, and
        in partial_fit, which sees no end of the data. beta_1, beta_2, epsilon: of the solvers named after Adam (the
        rule's epsilon is in `rule`).
    learning_rate_init: constant throughout; with image_shape 0.01 is a little better than the default.
    batch_size: "auto" is min(200, number of samples). max_iter: epochs. shuffle: draw a new order in every epoch.
    tol, n_iter_no_change: stop once the loss (early_stopping: the validation score) has not improved by tol for more
        than so many epochs, math.inf for never. early_stopping: hold out validation_fraction of the samples, keep the
        weights that did best there.
    warm_start: a second fit goes on from the weights of the first. verbose: print a line per epoch.
    random_state: of initial weights, order and held-out samples: an integer, a RandomState, or None.

    network_: the trained lfp.Sequential. mean_, scale_: of each feature, None without standardize. n_iter_: epochs of
    the last fit, and of partial_fit since. loss_curve_: the loss of each epoch, whatever the reward; loss_, best_loss_:
    its last and its lowest (None with early_stopping). reward_curve_: mean reward of a sample in each epoch.
    validation_scores_, best_validation_score_: with early_stopping, otherwise None. n_features_in_, n_outputs_,
    n_layers_, out_activation_, coefs_, intercepts_: as of scikit-learn's networks.
    Computes in float32 for float32 input, otherwise in float64.
    """

    hidden_layer_sizes: int | Sequence[int] = (100,)
    activation: str | models.Make = "relu"
    _: KW_ONLY
    rule: str | Rule | Mapping[Any, Rule] = "epsilon"
    reward: str | rewards.Reward | None = None
    standardize: bool = True
    image_shape: tuple[int, ...] | None = None
    channels: Sequence[int] = (16, 32)
    model: str | None = None
    solver: str = "adamw"
    learning_rate_init: float = 0.02
    weight_decay: float | str = "auto"
    batch_size: int | str = "auto"
    max_iter: int = 200
    shuffle: bool = True
    random_state: Any = None
    tol: float = 1e-3
    verbose: bool | int = False
    warm_start: bool = False
    momentum: float = 0.9
    early_stopping: bool = False
    validation_fraction: float = 0.1
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8
    n_iter_no_change: float = 10

    # ---- implemented by classifier and regressor

    usual_reward: ClassVar[str]
    output_function: ClassVar[str]  # from the network's outputs to predictions
    one_answer: ClassVar[str]  # the best answer that is the same for all samples

    def _check_targets(
        self, y: ArrayLike, weights: np.ndarray | None, reset: bool, classes: np.ndarray | None
    ) -> np.ndarray:
        """Targets as the reward takes them; with reset, remembers classes or scale for predictions.

        classes: of the classifier; None are those of y.
        """
        raise NotImplementedError

    def _times_class_weight(self, targets: np.ndarray, weights: np.ndarray | None) -> np.ndarray | None:
        """Weights of the samples, None where all are the same."""
        return weights

    def _losses(self, outputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """(N,): the loss of each sample."""
        raise NotImplementedError

    def _score(self, outputs: np.ndarray, targets: np.ndarray, weights: np.ndarray | None) -> float:
        """The validation score of early stopping."""
        raise NotImplementedError

    def _is_trivial(self, outputs: np.ndarray, targets: np.ndarray, weights: np.ndarray | None) -> bool:
        """True if one answer for all samples would be as good; False where it would be right."""
        raise NotImplementedError

    # ---- fitting

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Any:
        """Trains on X (N, features) and y; returns self.

        sample_weight: (N,), >= 0: multiplies each sample's reward; a weight of 2 is the sample given twice.
        Raises ValueError for data or parameters that make no sense, lfp_ref.DivergenceError, a ValueError too, at NaN
        or infinity. Warns by ConvergenceWarning where max_iter ends it, and where it has learned nothing.
        """
        going_on = self.warm_start and hasattr(self, "network_")
        x, y, weights = self._check_data(X, y, sample_weight, not going_on)
        if not going_on:
            self._start(x.dtype)
        self.n_iter_ = 0
        self._optimizer = self._new_optimizer(len(x) / self._batch(len(x)))
        self._run(x, y, weights, self.max_iter, stops=True)
        if self._is_trivial(self._outputs(x), y, weights):
            warnings.warn(
                f"after {self.n_iter_} epochs the network does no better on its training samples than {self.one_answer}"
                f" for all of them: try another learning_rate_init{'' if self.standardize else ', standardize=True'}, "
                "more epochs, or another reward", ConvergenceWarning, stacklevel=2,
            )  # fmt: skip
        return self

    def _partial_fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None, classes: np.ndarray | None = None
    ) -> Any:
        if self.early_stopping:
            raise ValueError("partial_fit does not support early_stopping=True: it sees one part of the data at a time")
        first = not hasattr(self, "network_")
        x, y, weights = self._check_data(X, y, sample_weight, first, classes)
        if first:
            self._start(x.dtype)
        if not hasattr(self, "_optimizer"):
            self._optimizer = self._new_optimizer(math.inf)
        elif is_auto(self.weight_decay):  # after fit
            self._optimizer.weight_decay = 0.0
        self._run(x, y, weights, 1, stops=False)
        return self

    def _check_data(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None,
        reset: bool,
        classes: np.ndarray | None = None,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """Samples as the network takes them, targets, and weights of mean 1 (None where all are the same)."""
        self._check_options()
        x, y = validate_data(
            self, X, y, dtype=(np.float64, np.float32), multi_output=True, y_numeric=False, reset=reset
        )
        weights = None
        if sample_weight is not None:
            weights = _check_sample_weight(sample_weight, x, dtype=x.dtype, ensure_non_negative=True)
        targets = self._check_targets(y, weights, reset, classes)
        weights = self._times_class_weight(targets, weights)
        if weights is not None:
            weights = (weights / weights.mean()).astype(x.dtype)
        if reset:
            self._fix_scale(x, weights)
        return self._scaled(x), targets, weights

    def _check_options(self) -> None:
        """Raises ValueError or TypeError for parameters that make no sense, before anything is fitted."""
        check_int("max_iter", self.max_iter)
        if not (isinstance(self.n_iter_no_change, float) and self.n_iter_no_change == math.inf):
            check_int("n_iter_no_change", self.n_iter_no_change)
        for name in ("standardize", "shuffle", "warm_start", "early_stopping"):
            check_bool(name, getattr(self, name))
        if not isinstance(self.verbose, bool | np.bool_):
            check_int("verbose", self.verbose, 0)
        for name in ("learning_rate_init", "tol"):
            check_number(name, getattr(self, name), 0)
        if not is_auto(self.weight_decay):
            check_number("weight_decay", self.weight_decay, 0)
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
        if not is_auto(self.batch_size):
            check_int("batch_size", self.batch_size)
        if self.image_shape is not None and not isinstance(self.image_shape, Iterable):
            raise refuse("image_shape", "(C, H, W), (H, W) or None", self.image_shape)
        if not isinstance(self.activation, str):
            check_callable("activation", self.activation, "")
        if not isinstance(self.rule, str | Rule | Mapping):
            raise refuse("rule", "a name, a rule of lfp_ref.rules or a mapping to rules", self.rule, TypeError)
        if not isinstance(self.reward, str | None):
            check_callable("reward", self.reward, "outputs, targets")

    def _fix_scale(self, x: np.ndarray, weights: np.ndarray | None) -> None:
        """Sets mean_ and scale_: of each feature; of images of each channel, so that rare pixels stay small."""
        self.mean_: np.ndarray | None = None
        self.scale_: np.ndarray | None = None
        if self.standardize:
            groups = x.shape[1] if self.image_shape is None else self._image()[0]
            mean, deviation = moments("X", x, weights, groups)
            varies = deviation > 0
            if varies.any() and deviation.max() < ONE_UNIT * deviation[varies].min():
                deviation[varies] = np.sqrt(np.mean(deviation[varies] ** 2))
            pixels = x.shape[1] // groups
            self.mean_, self.scale_ = mean.repeat(pixels), np.where(varies, deviation, 1).repeat(pixels)

    def _scaled(self, x: np.ndarray) -> np.ndarray:
        if self.mean_ is None or self.scale_ is None:
            return x
        with np.errstate(over="ignore"):  # float32; the network refuses infinity
            return (x - self.mean_.astype(x.dtype)) / self.scale_.astype(x.dtype)

    def _start(self, dtype: np.dtype) -> None:
        """Makes a new network at its initial weights, and an empty record of training."""
        self._rng = np.random.default_rng(check_random_state(self.random_state).randint(2**31))
        self.network_ = self._new_network(dtype)
        self.n_layers_ = 1 + sum(isinstance(layer, WeightedLayer) for _, layer in self.network_.named_layers())
        self.out_activation_ = self.output_function
        self.n_iter_ = 0
        self.loss_curve_: list[float] = []
        self.reward_curve_: list[float] = []
        self.best_loss_ = None if self.early_stopping else math.inf
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

    def _batch(self, samples: int) -> int:
        return min(200, samples) if is_auto(self.batch_size) else int(self.batch_size)

    def _new_optimizer(self, batches: float) -> optim.Optimizer:
        """batches: of an epoch. Raises ValueError for numbers too large or too small for the network's dtype."""
        dtype = np.dtype(self.network_.dtype)
        lr = check_number("learning_rate_init", self.learning_rate_init, 0, float(np.finfo(dtype).max))
        decay = self.weight_decay
        if is_auto(decay):
            decay = DECAY_PER_EPOCH / max(batches, 1) if self.solver == "adamw" else 0
        options: dict[str, Any] = {"weight_decay": check_number("weight_decay", decay, 0, float(np.finfo(dtype).max))}
        if self.solver == "sgd":
            options |= {"momentum": self.momentum}
        else:
            options |= {"betas": (self.beta_1, self.beta_2), "eps": check_eps("epsilon", self.epsilon, dtype)}
        return names.OPTIMIZERS[self.solver](self.network_.parameters(), lr, **options)

    def _run(self, x: np.ndarray, y: np.ndarray, weights: np.ndarray | None, epochs: int, stops: bool) -> None:
        """Trains for that many epochs, or until the loss (early stopping: the score) improves no more."""
        net = self.network_
        rule = names.rule_or_composite(self.rule, net) if isinstance(self.rule, str) else self.rule
        reward = self._reward()
        check_reward(reward, rule)
        held = None
        if stops and self.early_stopping:
            x, y, weights, held = self._hold_out(x, y, weights)
        batch_size = self._batch(len(x))
        images = self._images(x)
        options: dict[str, Any] = {"weights": weights, "rule": rule, "reward": reward}
        self._no_improvement_count = 0
        best = None
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
                if self._note(loss / len(x), total / len(x), held) and held is not None:
                    best = net.state_dict()
                if stops and self._no_improvement_count > self.n_iter_no_change:
                    break
            else:
                if stops:
                    warnings.warn(
                        f"max_iter={self.max_iter} epochs are done and it is still improving", ConvergenceWarning,
                        stacklevel=3,
                    )  # fmt: skip
        except KeyboardInterrupt:
            warnings.warn("training stopped by Ctrl-C; the network is kept as it is", stacklevel=3)
        except DivergenceError as error:
            raise DivergenceError(str(error).replace(ADVICE, "try a smaller learning_rate_init")) from None
        if best is not None:
            net.load_state_dict(best)

    def _note(self, loss: float, reward: float, held: tuple[Any, ...] | None) -> bool:
        """Records an epoch, and whether it is better by tol than the best before; returns whether it is the best."""
        self.n_iter_ += 1
        self.loss_ = loss
        self.loss_curve_.append(loss)
        self.reward_curve_.append(reward)
        line = f"Iteration {self.n_iter_}, loss = {loss:.6f}, reward = {reward:.6f}"
        if held is None:
            best = math.inf if self.best_loss_ is None else self.best_loss_
            gain = best - loss
            self.best_loss_ = min(best, loss)
        else:
            x, y, weights = held
            score = self._score(self._outputs(x), y, weights)
            best = -math.inf if self.best_validation_score_ is None else self.best_validation_score_
            gain = score - best
            self.best_validation_score_ = max(best, score)
            self.validation_scores_ = [*(self.validation_scores_ or []), score]
            line += f", validation score = {score:.6f}"
        self._no_improvement_count = 0 if gain > self.tol else self._no_improvement_count + 1
        if self.verbose:
            print(line)
        return gain > 0

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
                f"The validation set is too small: validation_fraction={self.validation_fraction} of {len(y)} samples "
                "holds out fewer than two, whose score says nothing"
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
        return self._outputs(self._scaled(validate_data(self, X, dtype=(np.float64, np.float32), reset=False)))

    def _images(self, x: np.ndarray) -> np.ndarray:
        return x if self.image_shape is None else x.reshape(-1, *self._image())

    @property
    def coefs_(self) -> list[np.ndarray]:
        """The weights of each layer, (inputs, outputs), where all are dense. They take standardised samples."""
        return [parameter.value.T for parameter in self._of_dense_layers("weight")]

    @property
    def intercepts_(self) -> list[np.ndarray]:
        """The biases of each layer, where all are dense."""
        return [parameter.value for parameter in self._of_dense_layers("bias")]

    def _of_dense_layers(self, name: str) -> list[Parameter]:
        layers = [layer for _, layer in self.network_.named_layers() if isinstance(layer, WeightedLayer)]
        if not all(isinstance(layer, Dense) for layer in layers):
            raise AttributeError("coefs_ and intercepts_ are those of dense layers alone; see network_.state_dict()")
        return [getattr(layer, name) for layer in layers]


def is_auto(value: Any) -> bool:
    """True for the text "auto"; arrays do not compare to it."""
    return isinstance(value, str) and value == "auto"


def moments(name: str, x: np.ndarray, weights: np.ndarray | None, groups: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each group of as many columns, one after the other, of (N, M): two of (groups,).

    The deviation of equal numbers is exactly 0. Raises ValueError for numbers too large to square.
    """
    columns = x.astype(np.float64, copy=False)
    with np.errstate(over="ignore", invalid="ignore"):
        means = np.average(columns, axis=0, weights=weights)
        variances = np.average((columns - means) ** 2, axis=0, weights=weights).reshape(groups, -1)
        means = means.reshape(groups, -1)
        mean = means.mean(axis=1)
        deviation = np.sqrt((variances + (means - mean[:, None]) ** 2).mean(axis=1))
    if not np.isfinite(deviation).all():
        raise ValueError(f"{name} must be numbers whose squares are finite, got values up to {np.abs(x).max():.3g}")
    rounding = len(x) * np.finfo(np.float64).eps * np.abs(mean)  # of a sum of equal numbers
    return mean, np.where(deviation > rounding, deviation, 0)
