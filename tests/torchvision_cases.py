"""torchvision's networks at weights drawn by NumPy: what they put out is recorded, for machines without torch.

python -m tests.torchvision_cases        writes tests/recorded/torchvision.json, where torchvision is installed
"""

import json
from pathlib import Path

import numpy as np

import lfp_ref as lfp

FILE = Path(__file__).parent / "recorded" / "torchvision.json"
CLASSES = 10
CASES = {  # by torchvision's names: the function here, height and width of the images
    "resnet18": (lfp.models.resnet18, 64),
    "resnet34": (lfp.models.resnet34, 64),
    "vgg16": (lfp.models.vgg16, 64),
    "vgg16_bn": (lfp.models.vgg16_bn, 64),
    "vit_b_16": (lfp.models.vit_b_16, 64),
}


def network(name):
    """Ours, in float32."""
    make, size = CASES[name]
    return make((3, size, size), CLASSES)


def images(name):
    """Two images."""
    size = CASES[name][1]
    return np.random.default_rng(1).normal(size=(2, 3, size, size)).astype(np.float32)


def draw(shapes):
    """A state for arrays of these names and shapes, float32, of a scale that deep networks keep."""
    rng = np.random.default_rng(0)
    state = {}
    for name in sorted(shapes):
        shape = shapes[name]
        if name.endswith("running_var") or (len(shape) == 1 and name.endswith("weight")):
            state[name] = rng.uniform(0.5, 1.5, shape).astype(np.float32)
        elif len(shape) in (2, 4):
            deviation = np.float32(np.sqrt(2 / np.prod(shape[1:])))
            state[name] = rng.standard_normal(shape, np.float32) * deviation
        else:
            state[name] = rng.standard_normal(shape, np.float32) * np.float32(0.1)
    return state


def peer(name):
    """torchvision's, at the drawn weights, for evaluation."""
    import torch
    import torchvision

    size = {"image_size": CASES[name][1]} if name.startswith("vit") else {}
    model = getattr(torchvision.models, name)(num_classes=CLASSES, **size)
    counted = {key: tensor for key, tensor in model.state_dict().items() if key.endswith("num_batches_tracked")}
    drawn = draw({key: tuple(tensor.shape) for key, tensor in model.state_dict().items() if key not in counted})
    model.load_state_dict(counted | {key: torch.from_numpy(array) for key, array in drawn.items()})
    return model.eval()


def outputs(model, x):
    """(N, classes)"""
    import torch

    with torch.no_grad():
        return model(torch.from_numpy(x)).numpy()


def record():
    recorded = {name: outputs(peer(name), images(name)).tolist() for name in CASES}
    FILE.write_text(json.dumps(recorded, indent=1) + "\n")


if __name__ == "__main__":
    record()
