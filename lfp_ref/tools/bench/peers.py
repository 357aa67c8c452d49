"""The same training steps in other people's packages, where they are installed: lfprop, PyTorch, scikit-learn.

python -m lfp_ref.tools.bench.peers PEER WORKLOAD STEPS     one JSON line; status 3 where a package is missing
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from lfp_ref.tools.bench.workloads import BATCH, median_ms, peak_memory, samples

# by workload: the packages that can do it
PEERS = {
    "lenet-lfp": ("lfprop", "torch"),
    "lenet-gradient": ("torch",),
    "mlp-lfp": ("lfprop", "torch", "sklearn"),
    "mlp-gradient": ("torch", "sklearn"),
    "spiking_mlp-lfp": ("lfprop",),
    "spiking_cnn-lfp": ("lfprop",),
}
KEEP_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(1 << 30), "MALLOC_TRIM_THRESHOLD_": str(1 << 32)}


def torch_network(workload: str) -> Any:
    """The workload's network in PyTorch."""
    from torch import nn

    if workload.startswith("lenet"):
        images = [nn.Conv2d(1, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 16, 5), nn.ReLU(), nn.MaxPool2d(2)]
        inputs = 256
    else:
        images, inputs = [], 784
    hidden = [nn.Linear(inputs, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU()]
    return nn.Sequential(*images, nn.Flatten(), *hidden, nn.Linear(84, 10))


def gradient_step(workload: str) -> Callable[..., Any]:
    """PyTorch's, on the cross-entropy."""
    import torch

    net, loss = torch_network(workload), torch.nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9)

    def step(x: Any, y: Any) -> None:
        optimizer.zero_grad()
        loss(net(x), y).backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 3.0)
        optimizer.step()

    return step


def lfp_step(workload: str) -> Callable[..., Any]:
    """lfprop's, under its epsilon composites."""
    import torch
    from lfprop.propagation import propagator_lxt
    from lfprop.rewards import reward_functions

    steps = 0
    if workload.startswith("spiking"):
        from lfprop.model import spiking_networks
        from lfprop.propagation import propagator_snn

        make = {"spiking_mlp-lfp": spiking_networks.SmallLifMLP, "spiking_cnn-lfp": spiking_networks.LifCNN}[workload]
        options = {"reset_mechanism": "subtract", "surrogate_disable": False, "spike_grad": "step"}
        net = make(784 if "mlp" in workload else 1, 10, beta=0.9, apply_noise=False, **options)
        composite, steps = propagator_snn.LFPSNNEpsilonComposite(), 15
        reward = reward_functions.SnnCorrectClassRewardSpikesRateCoded("cpu")
    else:
        net, composite = torch_network(workload), propagator_lxt.LFPEpsilonComposite()
        reward = reward_functions.SoftmaxLossReward("cpu")
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9)

    def step(x: Any, y: Any) -> None:
        optimizer.zero_grad()
        if steps:
            net.reset()
        with composite.context(net) as changed:
            x = x.detach().requires_grad_(True)
            out = torch.stack([changed(x)[0] for _ in range(steps)]) if steps else changed(x)
            told = reward(out, y).detach() / max(steps, 1)
            torch.autograd.grad((out,), (x,), grad_outputs=(told,))
        for parameter in net.parameters():
            parameter.grad = -parameter.feedback
        torch.nn.utils.clip_grad_norm_(net.parameters(), 3.0)
        optimizer.step()

    return step


def sklearn_ms(x: np.ndarray, y: np.ndarray) -> float:
    """scikit-learn's MLPClassifier has no step of its own: epochs, divided by their number of batches."""
    from sklearn.neural_network import MLPClassifier

    net = MLPClassifier((120, 84), solver="sgd", learning_rate_init=0.01, momentum=0.9, batch_size=BATCH, max_iter=1,
                        alpha=0, warm_start=True)  # fmt: skip
    x, seconds = x.reshape(len(x), -1), []
    for _ in range(4):
        start = time.perf_counter()
        net.fit(x, y)
        seconds.append(time.perf_counter() - start)
    return 1e3 * statistics.median(seconds[1:]) / (len(x) // BATCH)


def measure(peer: str, workload: str, steps: int) -> dict[str, Any]:
    """The row of lfp-ref bench for one peer and one workload."""
    x, y = samples(BATCH * 128)
    if peer == "sklearn":
        ms = sklearn_ms(x, y)
    else:
        import torch

        torch.manual_seed(0)
        step = lfp_step(workload) if peer == "lfprop" else gradient_step(workload)
        ms = median_ms(step, torch.from_numpy(x), torch.from_numpy(y.astype(np.int64)), BATCH, steps)
    return {"peer": peer, "work": workload, "ms": round(ms, 3), "steps": steps, "rss_mb": round(peak_memory())}


if __name__ == "__main__":
    if not KEEP_MEMORY.keys() <= os.environ.keys():  # glibc would map every large buffer anew: up to 1.8x slower
        os.execve(sys.executable, [sys.executable, "-m", __spec__.name, *sys.argv[1:]], {**os.environ, **KEEP_MEMORY})
    warnings.simplefilter("ignore")
    try:
        print(json.dumps(measure(sys.argv[1], sys.argv[2], int(sys.argv[3]))), flush=True)
    except ImportError as error:
        print(f"not installed: {error.name}", file=sys.stderr)
        sys.exit(3)
