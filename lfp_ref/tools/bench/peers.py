"""The same training steps in other people's packages, where they are installed: lfprop, PyTorch, scikit-learn.

    PYTHONPATH=lfp_ref/tools python -m bench.peers PEER WORKLOAD STEPS     one JSON line; status 3: a package is missing

Runs as a package of its own: an import of lfp_ref would bring Numba's memory and thread settings into the measurement.
"""

from __future__ import annotations

import itertools
import json
import os
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from .measuring import WORKLOADS, Workload, median_ms, peak_memory, samples_of

KEEP_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(1 << 30), "MALLOC_TRIM_THRESHOLD_": str(1 << 32)}


def peers_of(workload: str) -> tuple[str, ...]:
    """The packages that can do it; PyTorch by gradient descent whatever the method, where nothing spikes."""
    model, method = workload.rsplit("-", 1)
    lfprop = ("lfprop",) if method == "lfp" else ()
    torch = () if model.startswith("spiking") else ("torch",)
    return (*lfprop, *torch, *(("sklearn",) if model == "mlp" else ()))


# ---- networks in PyTorch


def torch_network(workload: str) -> Any:
    """The workload's network in PyTorch."""
    model = workload.rsplit("-", 1)[0]
    if model.startswith("lenet"):
        return lenet()
    return {"mlp": mlp, "mlp1024": lambda: mlp(1024, 1024), "mlp4096": lambda: mlp(4096, 4096),
            "vgg": vgg, "resnet20": resnet20, "vit": vit}[model]()  # fmt: skip


def lenet() -> Any:
    """16c5-p2-16c5-p2-120-84-10."""
    from torch import nn

    return nn.Sequential(
        nn.Conv2d(1, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(256, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
    )  # fmt: skip


def mlp(*widths: int) -> Any:
    """784-widths-10; 120 and 84 if none are given."""
    from torch import nn

    sizes = (784, *(widths or (120, 84)), 10)
    layers = [layer for i, o in itertools.pairwise(sizes) for layer in (nn.Linear(i, o), nn.ReLU())]
    return nn.Sequential(nn.Flatten(), *layers[:-1])


def vgg() -> Any:
    """64c3-64c3-p2-128c3-128c3-p2-256c3-256c3-p2-10 with padding."""
    from torch import nn

    layers: list[Any] = []
    channels = 3
    for width in (64, 128, 256):
        layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU()]
        layers += [nn.Conv2d(width, width, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
        channels = width
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(256 * 16, 10))


def resnet20() -> Any:
    """Three residual blocks each of 16, 32 and 64 channels."""
    from torch import nn

    def normalised(i: int, o: int, size: int, stride: int) -> list[Any]:
        return [nn.Conv2d(i, o, size, stride, size // 2, bias=False), nn.BatchNorm2d(o)]

    def forward(self: Any, x: Any) -> Any:
        return self.act(self.body(x) + self.shortcut(x))

    kind = type("Block", (nn.Module,), {"forward": forward})  # torch, and so its base class, may be missing

    def block(i: int, o: int, stride: int) -> Any:
        made = kind()
        made.body = nn.Sequential(*normalised(i, o, 3, stride), nn.ReLU(), *normalised(o, o, 3, 1))
        made.shortcut = nn.Sequential(*([] if i == o else normalised(i, o, 1, stride)))
        made.act = nn.ReLU()
        return made

    blocks = []
    channels = 16
    for width, stride in ((16, 1), (32, 2), (64, 2)):
        for number in range(3):
            blocks.append(block(channels, width, stride if number == 0 else 1))
            channels = width
    head = (nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))
    return nn.Sequential(*normalised(3, 16, 3, 1), nn.ReLU(), *blocks, *head)


def vit() -> Any:
    """Four transformer blocks of width 128 and 4 heads over patches of 4 x 4 pixels and a class token.

    Attention is PyTorch's fastest, of modules that lfprop has rules for (nn.MultiheadAttention is none).
    """
    import torch
    from torch import nn

    width, heads = 128, 4

    def attend(self: Any, x: Any) -> Any:
        q, k, v = self.in_proj(x).unflatten(2, (3, heads, -1)).permute(2, 0, 3, 1, 4)
        return self.out_proj(nn.functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))

    def embed(self: Any, x: Any) -> Any:
        tokens = self.projection(x).flatten(2).transpose(1, 2)
        return torch.cat([self.token.expand(len(x), -1, -1), tokens], dim=1) + self.positions

    def module(forward: Callable[..., Any], **parts: Any) -> Any:
        made = type("Module", (nn.Module,), {"forward": forward})()  # torch, and so its base class, may be missing
        for name, part in parts.items():
            setattr(made, name, part)
        return made

    def residual(*body: Any) -> Any:
        return module(lambda self, x: self.body(x) + x, body=nn.Sequential(*body))

    layers = [module(embed, projection=nn.Conv2d(1, width, 4, 4), token=nn.Parameter(torch.randn(1, 1, width)),
                     positions=nn.Parameter(torch.randn(1, 50, width)))]  # fmt: skip
    for _ in range(4):
        attention = module(attend, in_proj=nn.Linear(width, 3 * width), out_proj=nn.Linear(width, width))
        layers.append(residual(nn.LayerNorm(width), attention))
        mlp = nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        layers.append(residual(nn.LayerNorm(width), *mlp))
    return nn.Sequential(*layers, nn.LayerNorm(width), module(lambda _, x: x[:, 0]), nn.Linear(width, 10))


def spiking_network(workload: str) -> Any:
    """lfprop's own."""
    from lfprop.model import spiking_networks

    make = {"spiking_mlp-lfp": spiking_networks.SmallLifMLP, "spiking_cnn-lfp": spiking_networks.LifCNN}[workload]
    options = {"reset_mechanism": "subtract", "surrogate_disable": False, "spike_grad": "step"}
    return make(784 if "mlp" in workload else 1, 10, beta=0.9, apply_noise=False, **options)


# ---- steps


def gradient_step(workload: str) -> Callable[[Any, Any], None]:
    """PyTorch's, on the cross-entropy."""
    import torch

    net, loss = torch_network(workload), torch.nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9)

    def step(x: Any, y: Any) -> None:
        net.train()
        optimizer.zero_grad()
        loss(net(x), y).backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 3.0)
        optimizer.step()

    return step


def lfp_step(workload: str) -> Callable[[Any, Any], None]:
    """lfprop's, under its epsilon composites."""
    import torch
    from lfprop.propagation import propagator_lxt
    from lfprop.rewards import reward_functions

    steps = 0
    if workload.startswith("spiking"):
        from lfprop.propagation import propagator_snn

        net, composite, steps = spiking_network(workload), propagator_snn.LFPSNNEpsilonComposite(), 15
        reward = reward_functions.SnnCorrectClassRewardSpikesRateCoded("cpu")
    else:
        net, composite = torch_network(workload), propagator_lxt.LFPEpsilonComposite()
        if workload.startswith("vit"):  # its rules for modules; those for functions never act
            from lfprop.propagation import propagator_vit

            composite = propagator_vit.LFPEpsilonComposite()
            composite.layer_map = {kind: rule for kind, rule in composite.layer_map.items() if isinstance(kind, type)}
        reward = reward_functions.SoftmaxLossReward("cpu")
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9)

    def step(x: Any, y: Any) -> None:
        net.train()
        optimizer.zero_grad()
        if steps:
            net.reset()
        with composite.context(net) as changed:
            x = x.detach().requires_grad_(True)
            out = torch.stack([changed(x)[0] for _ in range(steps)]) if steps else changed(x)
            r = reward(out, y).detach() / max(steps, 1)
            torch.autograd.grad((out,), (x,), grad_outputs=(r,))
        for parameter in net.parameters():
            if hasattr(parameter, "feedback"):  # not a class token, nor positions
                parameter.grad = -parameter.feedback
        torch.nn.utils.clip_grad_norm_(net.parameters(), 3.0)
        optimizer.step()

    return step


def sklearn_ms(x: np.ndarray, y: np.ndarray, batch: int) -> float:
    """scikit-learn's MLPClassifier has no step of its own: epochs, divided by their number of batches."""
    from sklearn.neural_network import MLPClassifier

    net = MLPClassifier((120, 84), solver="sgd", learning_rate_init=0.01, momentum=0.9, batch_size=batch, max_iter=1,
                        alpha=0, warm_start=True)  # fmt: skip
    x, seconds = x.reshape(len(x), -1), []
    for _ in range(4):
        start = time.perf_counter()
        net.fit(x, y)
        seconds.append(time.perf_counter() - start)
    return 1e3 * statistics.median(seconds[1:]) / (len(x) // batch)


def measure(peer: str, name: str, steps: int) -> dict[str, Any]:
    """The row of lfp-ref bench for one peer and one workload."""
    workload: Workload = WORKLOADS[name]
    x, y = samples_of(workload)
    if peer == "sklearn":
        ms = sklearn_ms(x, y, workload.batch)
    else:
        import torch

        torch.manual_seed(0)
        step = lfp_step(name) if peer == "lfprop" else gradient_step(name)
        ms = median_ms(step, torch.from_numpy(x), torch.from_numpy(y), workload.batch, steps)
    return {"peer": peer, "work": name, "ms": round(ms, 3), "steps": steps, "rss_mb": round(peak_memory())}


if __name__ == "__main__":
    if not KEEP_MEMORY.keys() <= os.environ.keys():  # glibc would map every large buffer anew: up to 1.8x slower
        os.execve(sys.executable, [sys.executable, "-m", __spec__.name, *sys.argv[1:]], {**os.environ, **KEEP_MEMORY})
    warnings.simplefilter("ignore")
    try:
        print(json.dumps(measure(sys.argv[1], sys.argv[2], int(sys.argv[3]))), flush=True)
    except ImportError as error:
        print(f"not installed: {error.name}", file=sys.stderr)
        sys.exit(3)
