"""What every layer has: a door for the user's arrays, parameters, memory of its last pass.

Outside, the batch comes first, as everywhere: (N, I), (N, C, H, W). Inside a network it comes last and in P parts, one
for each thread, N samples each: (P, I, N), (P, C, H, W, N). With the batch last every scalar of an equation is one
contiguous vector, z = W a is written as in a book, and pooling, activations and convolution run at the processor's
vector width without tricks. With parts, what a thread reads is what it wrote one layer before, and is in its own cache.
`forward` and `feedback` are the door between the two; `propagate` and `hand_back` are what each layer computes inside.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numba import get_num_threads, prange
from numpy.typing import ArrayLike, DTypeLike

from lfp_ref.layers.kernels import elementwise
from lfp_ref.rules import Epsilon, Rule, resolve
from lfp_ref.threads import one_blas_thread

PAGE = 4096  # bytes
LINE = 64  # bytes that a cache fetches at once
EPSILON = Epsilon()  # the rule where none is named
SPIKE = np.dtype(np.uint8)  # what a layer of spiking neurons puts out: 0 or 1, in a byte


@elementwise
def added_up(x):
    """Sum of a flat array."""
    total = x.dtype.type(0)
    for k in prange(x.size):
        total += x[k]
    return total


@elementwise
def turn(x, inside):
    """inside[p, i, n] = x[p, n, i].  x (P, N, I) -> inside (P, I, N)"""
    for row in prange(x.shape[0] * x.shape[2]):
        p, i = row // x.shape[2], row % x.shape[2]
        for n in range(x.shape[1]):
            inside[p, i, n] = x[p, n, i]


class Parameter:
    """A trained array and its feedback.

    value: the array, changed in place by optimisers; assigning to it copies, ValueError where the shape differs.
    feedback: same shape; summed over the batch; the last pass's, overwritten by the next.
    """

    __slots__ = ("_value", "feedback")

    def __init__(self, value: np.ndarray) -> None:
        self._value = np.ascontiguousarray(value)
        self.feedback = np.zeros_like(self._value)

    @property
    def value(self) -> np.ndarray:
        return self._value

    @value.setter
    def value(self, value: ArrayLike) -> None:
        if np.shape(value) != self._value.shape:
            raise ValueError(f"this parameter has shape {self._value.shape}, got {np.shape(value)}")
        self._value[...] = value

    def __repr__(self) -> str:
        return f"Parameter{self.value.shape}"


class Layer:
    """Base of all layers.

    Whoever writes one implements `propagate` and `hand_back` on C-contiguous arrays (P, ..., N); one that contains
    others also `children`, and calls `adopt` once it has them. A layer remembers its last pass: it has one place in one
    network at a time.

    dtype: float32 or float64 where the layer has parameters; None where it takes what comes.
    path: its place in the network it belongs to, as in "2.body.0"; "" for the network itself.
    """

    dtype: np.dtype | None = None
    path: str = ""
    passed_over: tuple[str, ...] = ()  # entries of PyTorch's state that mean nothing here
    takes_spikes: bool = False  # propagate takes bytes; to others, spikes come as numbers
    sample_axis: int = 0  # of the user's input; only a spiking network given its input over time has another
    needs_output: bool = True  # on the way back; what does not lets a layer behind it have that memory
    spare: np.ndarray | None = None  # the last pass's input, where its memory is this layer's to overwrite
    seen: Any = None  # what the last propagate left for hand_back
    output: Any = None  # what it returned; until somebody finds it to spare
    told: Any = None  # reward and rules of the last feedback pass
    obeyed: Any = None  # what told it the rules, and the rule of each layer

    # ---- the door

    def forward(self, x: ArrayLike, training: bool = False) -> np.ndarray:
        """The layer's output.

        x: (N, ...) numbers, converted to the layer's dtype. training: dropout drops, batch normalisation uses and
        tracks the batch's statistics. Returns a new array (N, ...).
        Raises ValueError for a wrong shape, NaN or infinity; TypeError for what is not real numbers.
        """
        with one_blas_thread(), np.errstate(over="ignore", invalid="ignore"):
            return batch_first(self.propagate(self._inside("input", x), training))

    def feedback(
        self, reward: ArrayLike, rule: Rule | Mapping[Any, Rule] | None = None, input_reward: bool = True
    ) -> np.ndarray | None:
        """Hands the reward of the last forward pass's output back: fills every parameter's `feedback`.

        reward: of the output's shape (N, ...). rule: one rule (Epsilon() if None), or a mapping from layer class or
        parameter-name prefix to rule. input_reward: False skips what only the input's reward needs.
        Returns the reward of the input, a new array of its shape (None if not wanted). Under Gradient the same pass
        takes dJ/d(output), returns dJ/d(input), and leaves dJ/d(parameter).
        Raises RuntimeError before the first forward pass; ValueError for a wrong shape, NaN or infinity.
        """
        if self.seen is None:
            raise RuntimeError(f"{self.label}: feedback needs a forward pass first")
        rules = self._rules(EPSILON if rule is None else rule)
        with one_blas_thread(), np.errstate(over="ignore", invalid="ignore"):
            inside = self._inside("reward", reward, self.output.shape)
            self.told = inside.copy(), rules
            result = self.hand_back(inside, rules, input_reward)
        return batch_first(result) if input_reward and result is not None else None

    def _rules(self, rule: Rule | Mapping[Any, Rule]) -> dict[Any, Rule]:
        """The rule of each layer. One rule for all is not looked up again while it stays the same."""
        if self.obeyed is None or self.obeyed[0] is not rule or not isinstance(rule, Rule):
            self.obeyed = rule, resolve(rule, self)
        return self.obeyed[1]

    def _inside(self, what: str, x: ArrayLike, shape: tuple[int, ...] | None = None) -> np.ndarray:
        """Checks a user's array and copies it, batch last, into the layer's memory."""
        x = np.asarray(x)
        if x.dtype.kind not in "fiub":
            raise TypeError(f"{self.label}: {what} must be an array of real numbers, got dtype {x.dtype}")
        if x.ndim < 2 or 0 in x.shape:
            raise ValueError(f"{self.label}: {what} must have shape (N, ...) with nothing empty, got {x.shape}")
        if shape is not None and x.shape != outside(shape):
            raise ValueError(f"{self.label}: {what} must have the output's shape {outside(shape)}, got {x.shape}")
        dtype = self.dtype or (x.dtype if x.dtype in (np.float32, np.float64) else np.dtype(np.float64))
        x = np.ascontiguousarray(_cast(x, dtype))
        # adding up also fetches x, which is read across below
        if not math.isfinite(added_up(x.reshape(-1))) and not np.isfinite(x).all():
            where = tuple(int(i) for i in np.argwhere(~np.isfinite(x))[0])
            raise ValueError(f"{self.label}: {what} has NaN or infinity (as {dtype}), first at index {where}")
        parts = shape[0] if shape else self.parts(len(x))
        inside = self.buffer(f"door: {what}", (parts, *x.shape[1:], len(x) // parts), dtype)
        turn(x.reshape(parts, len(x) // parts, -1), inside.reshape(parts, -1, len(x) // parts))
        return inside

    def parts(self, samples: int) -> int:
        """In how many parts that many samples pass: one for each thread, if that makes whole cache lines; else one."""
        threads = get_num_threads()
        return threads if samples % (threads * LINE // 4) == 0 else 1  # 4: bytes of a number in single precision

    @property
    def samples(self) -> int:
        """N of the last pass."""
        return outside(self.output.shape)[0]

    def activity(self) -> dict[str, float]:
        """What is worth counting of the last forward pass, by name: spiking networks count spikes."""
        return {}

    # ---- what a layer computes

    def propagate(self, a: np.ndarray, training: bool) -> np.ndarray:
        """Output (P, ..., N) for input (P, ..., N). Keeps in `seen` what hand_back needs; must not change a."""
        raise NotImplementedError

    def hand_back(self, reward: np.ndarray, rules: Mapping[Any, Rule], wanted: bool) -> np.ndarray | None:
        """Reward of the input for the reward (P, ..., N) of the output, which it may overwrite; fills `feedback`.

        rules: the rule of each layer. wanted: False allows to return None instead.
        """
        raise NotImplementedError

    def kept(self, reward: np.ndarray, rules: Mapping[Any, Rule]) -> dict[str, np.ndarray]:
        """What this layer alone keeps of a reward instead of handing it on, by cause: a number a sample, or (T*N,).

        The reward is left as it is. Together with what is handed on it makes up the reward, but for rounding.
        """
        return {}

    # ---- names

    def children(self) -> dict[str, Layer]:
        """Layers inside this one, by name."""
        return {}

    def own_parameters(self) -> dict[str, Parameter]:
        """Parameters of this layer itself, by name."""
        return {}

    def own_statistics(self) -> dict[str, np.ndarray]:
        """Arrays that belong to the state but are not trained, by name."""
        return {}

    def first_layers(self) -> list[Layer]:
        """The layers with parameters that see the network's input."""
        return [self] if self.own_parameters() else []

    def named_layers(self, path: str = "") -> Iterator[tuple[str, Layer]]:
        """This layer and all inside it, with their paths."""
        yield path, self
        for name, child in self.children().items():
            yield from child.named_layers(_join(path, name))

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """(name, parameter), the names as PyTorch's: "0.weight", "2.body.0.bias"."""
        for path, layer in self.named_layers():
            for name, parameter in layer.own_parameters().items():
                yield _join(path, name), parameter

    def parameters(self) -> list[Parameter]:
        return [parameter for _, parameter in self.named_parameters()]

    @property
    def label(self) -> str:
        """How error messages call this layer."""
        return f"layer {self.path}, {self!r}" if self.path else repr(self)

    def adopt(self) -> None:
        """For layers made of layers: one dtype for all, a path for each.

        Raises TypeError for mixed dtypes, ValueError for a layer that occurs twice (it has memory for one place only).
        """
        layers = list(self.named_layers())
        dtypes = {str(layer.dtype): f"{path} ({layer!r})" for path, layer in layers if layer.dtype}
        if len(dtypes) > 1:
            found = ", ".join(f"{dtype} in {where}" for dtype, where in sorted(dtypes.items()))
            raise TypeError(f"all layers of a network need one dtype, got {found}")
        if len({id(layer) for _, layer in layers}) < len(layers):
            raise ValueError("a layer occurs twice in the network; give each place a layer of its own")
        self.dtype = np.dtype(next(iter(dtypes))) if dtypes else None
        for path, layer in layers:
            layer.path = path

    # ---- state

    def _state(self) -> dict[str, np.ndarray]:
        state = {name: parameter.value for name, parameter in self.named_parameters()}
        for path, layer in self.named_layers():
            state |= {_join(path, name): array for name, array in layer.own_statistics().items()}
        return state

    def state_dict(self) -> dict[str, np.ndarray]:
        """Copies of all parameters and statistics by name, with PyTorch's names and shapes."""
        return {name: array.copy() for name, array in self._state().items()}

    def load_state_dict(self, mapping: Mapping[str, ArrayLike]) -> None:
        """Sets all parameters and statistics; PyTorch's num_batches_tracked of batch normalisation is passed over.

        Raises ValueError that names every missing, unexpected, misshaped or non-finite entry; the layer is unchanged.
        """
        state = self._state()
        problems = [f"{name}: missing, expected shape {state[name].shape}" for name in state if name not in mapping]
        ignored = {_join(path, name) for path, layer in self.named_layers() for name in layer.passed_over}
        problems += [f"{name}: unexpected" for name in mapping if name not in state and name not in ignored]
        arrays = {name: np.asarray(mapping[name]) for name in state if name in mapping}
        for name, array in arrays.items():
            dtype = state[name].dtype
            if array.shape != state[name].shape:
                problems.append(f"{name}: shape {array.shape}, expected {state[name].shape}")
            elif array.dtype.kind not in "fiu" or not np.isfinite(_cast(array, dtype)).all():
                problems.append(f"{name}: not finite real numbers in {dtype}")
            elif name.endswith("running_var") and array.min() < 0:
                problems.append(f"{name}: a variance below 0")
        if problems:
            raise ValueError(f"{self.label}: state does not fit:\n  " + "\n  ".join(problems))
        for name, array in arrays.items():
            state[name][...] = array

    def __getstate__(self) -> dict[str, Any]:
        """Pickles and copies leave out the memory of the last pass."""
        memory = ("seen", "output", "told", "obeyed", "spare", "_memory")
        return {key: value for key, value in self.__dict__.items() if key not in memory}

    # ---- for subclasses

    def buffer(self, name: str, shape: tuple[int, ...], dtype: DTypeLike) -> np.ndarray:
        """An uninitialised array that this layer reuses from pass to pass: fresh memory costs more than sums on it."""
        memory = self.__dict__.setdefault("_memory", {})
        flat, array = memory.get(name, (None, None))  # all of the memory, and what was last asked of it
        if array is None or array.shape != shape or array.dtype != dtype:
            size = math.prod(shape)
            if flat is None or flat.size < size or flat.dtype != dtype:
                flat = aligned(size, dtype)
            array = flat[:size].reshape(shape)
            memory[name] = flat, array
        return array

    def numbers(self, a: np.ndarray, dtype: np.dtype | None, out: str = "numbers") -> np.ndarray:
        """Spikes as numbers of this dtype, in the buffer of that name; numbers as they are."""
        if a.dtype != SPIKE:
            return a
        assert dtype is not None, "where there are spikes there are neurons, which have one"
        numbers = self.buffer(out, a.shape, dtype)
        numbers[...] = a
        return numbers

    def remember(self, output: np.ndarray, *seen: Any) -> np.ndarray:
        """Keeps what hand_back needs, and returns the output."""
        self.seen, self.output, self.spare = seen, output, None
        return output

    def expect(self, right: bool, a: np.ndarray, expected: str) -> None:
        """Raises ValueError that says what shape came and what shape was expected."""
        if not right:
            raise ValueError(f"{self.label}: expected input of shape {expected}, got {outside(a.shape)}")


def aligned(size: int, dtype: DTypeLike) -> np.ndarray:
    """An uninitialised array that begins at a page: no vector lies across two cache lines, and whether vectors of two
    arrays get into each other's way is no matter of chance."""
    raw = np.empty(size * np.dtype(dtype).itemsize + PAGE, np.uint8)
    begin = -raw.ctypes.data % PAGE
    return raw[begin : begin + size * np.dtype(dtype).itemsize].view(dtype)


def initial(shape: tuple[int, ...], fan_in: int, dtype: DTypeLike, rng: np.random.Generator | None) -> Parameter:
    """U(-k, k) with k = 1/sqrt(fan_in), weights and biases alike, as in PyTorch and the paper's networks.

    LFP multiplies by |w|: what starts at exactly zero never moves, biases included.
    Raises TypeError for a dtype other than float32 and float64, or a generator that is none.
    """
    if np.dtype(dtype) not in (np.float32, np.float64):
        raise TypeError(f"dtype must be float32 or float64, got {np.dtype(dtype)}")
    rng = generator(rng)
    k = 1 / math.sqrt(fan_in)
    return Parameter(rng.uniform(-k, k, shape).astype(dtype))


def generator(rng: np.random.Generator | None) -> np.random.Generator:
    """The generator given, or a new one for None. Raises TypeError for anything else."""
    if not isinstance(rng, np.random.Generator | None):
        raise TypeError(f"rng must be a numpy Generator, as from numpy.random.default_rng(0), got {rng!r}")
    return np.random.default_rng() if rng is None else rng


def whole(name: str, value: Any, least: int = 1) -> int:
    """A size given by the user, checked: an integer of at least `least`. Raises ValueError."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise ValueError(f"{name} must be an integer >= {least}, got {value!r}")
    return int(value)


def pair(name: str, value: Any, least: int = 1) -> tuple[int, int]:
    """A size along height and width: one integer for both, or two. Raises ValueError."""
    values = tuple(value) if isinstance(value, tuple | list) else (value, value)
    if len(values) != 2:
        raise ValueError(f"{name} must be one integer or a pair (height, width), got {value!r}")
    return whole(name, values[0], least), whole(name, values[1], least)


def _cast(array: np.ndarray, dtype: DTypeLike) -> np.ndarray:
    with np.errstate(over="ignore"):
        return array.astype(dtype, copy=False)


def batch_first(a: np.ndarray) -> np.ndarray:
    """A copy of an array (P, ..., N) as the user sees it, the whole batch first."""
    return a.transpose(0, -1, *range(1, a.ndim - 1)).copy(order="C").reshape(outside(a.shape))


def outside(shape: tuple[int, ...]) -> tuple[int, ...]:
    """A shape (P, ..., N) as the user sees it."""
    return (shape[0] * shape[-1], *shape[1:-1])


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path and name else path or name
