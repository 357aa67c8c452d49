"""The contract of a layer: what one implements, and what everyone gets from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from lfp_ref.core import state
from lfp_ref.core.node import Node
from lfp_ref.core.state import Parameter, join, writable
from lfp_ref.core.tape import PassesByThread, Tape

if TYPE_CHECKING:
    from lfp_ref.rules import Rule


class Layer:
    """Base of all layers. A layer holds parameters and options; what a pass computes is on its tape.

    An own layer implements `propagate` and `hand_back` on ordinary arrays (N, ...) (docs/extending.md):

    - propagate(x, node) returns the output, and leaves what hand_back needs in node.saved;
    - hand_back(reward, node) returns the reward of the input, of its shape and dtype;
    - a Parameter or a Layer that is an attribute (or in a list that is one) is found: it is trained and saved;
    - node.forward("name", x) and node.feedback("name", reward) run an inner layer of that attribute's name;
    - node.divide_by_output, node.times_input and node.times_weight are the rule's; node.learn(parameter, d) gives a
      parameter its feedback, summed over the batch;
    - reward that is kept instead of handed on is named: node.absorb("cause", amount).
    """

    batch_first: bool = True  # arrays (N, ...) in propagate and hand_back; the package's own layers have the batch last
    ignored_state: tuple[str, ...] = ()  # entries of PyTorch's state that mean nothing here
    sample_axis: int = 0  # of the user's input; only a spiking network given its input over time has another

    # ---- what a layer computes

    def propagate(self, x: np.ndarray, node: Node) -> np.ndarray:
        """The output for input x, which is left as it is; node.saved is for hand_back."""
        raise NotImplementedError(f"{type(self).__name__}.propagate(x, node) returns the layer's output")

    def hand_back(self, reward: np.ndarray, node: Node) -> np.ndarray | None:
        """The reward of the input for the reward of the output; None is allowed where node.wanted is False."""
        raise NotImplementedError(f"{type(self).__name__}.hand_back(reward, node) returns the input's reward")

    def check_rule(self, node: Node) -> None:
        """Raises ValueError for a rule (node.rule) that this layer has no form of; before a feedback pass begins."""

    # ---- a pass

    def forward(self, x: ArrayLike, training: bool = False) -> np.ndarray:
        """The layer's output.

        x: (N, ...) numbers, converted to the layer's dtype. training: dropout drops, batch normalisation uses and
        tracks the batch's statistics. Returns a new array (N, ...).
        Raises ValueError for a wrong shape, NaN or infinity; TypeError for what is not real numbers.
        """
        passes = self._passes_of_this_thread()
        passes.last = None  # its memory is free for the pass that begins
        passes.last = tape = Tape(self, x, training, passes)
        return tape.outputs

    def feedback(
        self, reward: ArrayLike, rule: Rule | Mapping[Any, Rule] | None = None, input_reward: bool = True
    ) -> np.ndarray | None:
        """Hands the reward of this thread's last forward pass back: fills every parameter's `feedback`.

        reward: of the output's shape (N, ...). rule: one rule (Epsilon() if None), or a mapping from layer class or
        parameter-name prefix to rule. input_reward: False skips what only the input's reward needs.
        Returns the reward of the input, a new array of its shape (None if not wanted). Under Gradient the same pass
        takes dJ/d(output), returns dJ/d(input), and leaves dJ/d(parameter).
        Raises RuntimeError without a forward pass before, or where parameters have changed since; ValueError for a
        wrong shape, NaN or infinity, and for a rule that a layer has no form of, or with a number too large for the
        dtype; OverflowError where the reward handed back is too large for it.
        """
        return self.last_tape("feedback").feedback(reward, rule, input_reward)

    def record(self, x: ArrayLike, training: bool = False) -> Tape:
        """A forward pass as a value: tape.outputs, tape.feedback(reward, rule), tape.balance(). Arguments as forward.

        The tape is the caller's: passes of others, and later ones of this network, leave it as it is.
        """
        tape = Tape(self, x, training, self._passes_of_this_thread())
        tape.net = self
        return tape

    def last_tape(self, purpose: str = "the last tape") -> Tape:
        """The tape of this thread's last forward pass. Raises RuntimeError, for that purpose, without one."""
        last = self._passes_of_this_thread().last
        if last is None:
            raise RuntimeError(f"{self.label}: {purpose} needs a forward pass first")
        return last

    def _passes_of_this_thread(self) -> Any:
        passes = self.__dict__.get("_passes")
        if passes is None:
            passes = self.__dict__.setdefault("_passes", PassesByThread())
        return passes.of_this_thread()

    def __getstate__(self) -> dict[str, Any]:
        """Pickles and copies leave out passes and their memory."""
        return {key: value for key, value in self.__dict__.items() if key != "_passes"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Arrays that cannot be written to, as joblib maps them from a file, are copied."""
        self.__dict__.update({key: writable(value) for key, value in state.items()})

    def fold(self, x: np.ndarray) -> tuple[np.ndarray, int, int | None]:
        """The input with time in its batch, the number of samples, and of time steps: only spiking networks have."""
        return x, len(x) if x.ndim else 0, None

    def unfold(self, outputs: np.ndarray, steps: int | None) -> np.ndarray:
        """Outputs with time as an axis of their own again."""
        return outputs

    def unfold_input(self, reward: np.ndarray, steps: int | None) -> np.ndarray:
        """The input's reward, likewise."""
        return reward

    def activity(self) -> dict[str, float]:
        """Counts of this thread's last forward pass, by name: the spikes of a spiking network; {} for others."""
        return self.last_tape("its activity").activity()

    def count(self, node: Node) -> dict[str, float]:
        """Counts of one pass, by name."""
        return {}

    # ---- what it is made of

    def children(self) -> dict[str, Layer]:
        """Layers inside this one, by name: attributes, and entries of lists and tuples ("blocks.0")."""
        found: dict[str, Layer] = {}
        for name, value in vars(self).items():
            if isinstance(value, Layer):
                found[name] = value
            elif isinstance(value, list | tuple):
                found |= {f"{name}.{i}": entry for i, entry in enumerate(value) if isinstance(entry, Layer)}
        return found

    def own_parameters(self) -> dict[str, Parameter]:
        """Parameters of this layer itself, by name."""
        return {name: value for name, value in vars(self).items() if isinstance(value, Parameter)}

    def buffers(self) -> dict[str, np.ndarray]:
        """Arrays that belong to the state but are not trained, by name."""
        return {}

    def first_layers(self, path: str = "") -> list[str]:
        """Paths of the layers with parameters that see the network's input."""
        if self.own_parameters():
            return [path]
        return [first for name, child in self.children().items() for first in child.first_layers(join(path, name))]

    def named_layers(self, path: str = "") -> Iterator[tuple[str, Layer]]:
        """This layer and all inside it, with their paths; a shared layer with each of its places."""
        yield path, self
        for name, child in self.children().items():
            yield from child.named_layers(join(path, name))

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """(name, parameter), the names as PyTorch's: "0.weight", "2.body.0.bias"; each parameter once."""
        seen: set[int] = set()
        for path, layer in self.named_layers():
            for name, parameter in layer.own_parameters().items():
                if id(parameter) not in seen:
                    seen.add(id(parameter))
                    yield join(path, name), parameter

    def parameters(self) -> list[Parameter]:
        """All parameters, each once."""
        return [parameter for _, parameter in self.named_parameters()]

    @property
    def has_parameters(self) -> bool:
        """True if there is anything to train."""
        return next(self.named_parameters(), None) is not None

    @property
    def dtype(self) -> np.dtype | None:
        """float32 or float64 where there are parameters; None where there are none: it takes what comes."""
        return next((parameter.value.dtype for _, parameter in self.named_parameters()), None)

    def check_dtypes(self) -> None:
        """Raises TypeError unless all parameters have one dtype."""
        dtypes: dict[str, str] = {}
        for name, parameter in self.named_parameters():
            dtypes.setdefault(str(parameter.value.dtype), name)
        if len(dtypes) > 1:
            found = ", ".join(f"{dtype} in {name}" for dtype, name in sorted(dtypes.items()))
            raise TypeError(f"all layers of a network need one dtype, got {found}")

    @property
    def label(self) -> str:
        """The layer's name in error messages."""
        return repr(self)

    @property
    def account_name(self) -> str:
        """The layer's name in a balance sheet; "" for a layer that hands every reward on as it is."""
        return repr(self)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

    # ---- state

    def state_dict(self) -> dict[str, np.ndarray]:
        """Copies of all parameters and buffers by name, with PyTorch's names and shapes."""
        return {name: array.copy() for name, array in state.state_of(self).items()}

    def load_state_dict(self, mapping: Mapping[str, ArrayLike]) -> None:
        """Sets all parameters and buffers; PyTorch's num_batches_tracked of batch normalisation is passed over.

        Raises ValueError that names every missing, unexpected, misshaped or non-finite entry; the layer is unchanged.
        """
        state.load_state(self, mapping)
