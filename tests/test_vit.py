"""Vision transformers: sizes, names in both directions, what a rule's path means, and a step that learns."""

import numpy as np
import pytest

import lfp_ref as lfp
from lfp_ref.models.vit import VisionTransformer


def small(**options):
    options = {"dtype": np.float64, "rng": np.random.default_rng(0), **options}
    return VisionTransformer((2, 9, 8), 3, 4, (2, 2, 6, 10), lfp.GELU, 0.0, **options)


@pytest.mark.parametrize("shape,tokens", [((1, 28, 28), 50), ((3, 32, 32), 65), ((1, 8, 8), 65), ((3, 224, 224), 50),
                                          ((1, 1, 6), 7), ((1, 14, 31), 106)])  # fmt: skip
def test_vit_tiny_takes_patches_of_a_seventh_of_any_image(shape, tokens):
    net = lfp.models.vit_tiny(shape, 5)
    assert dict(net.named_parameters())["encoder.pos_embedding"].value.shape == (1, tokens, 128)


def test_vit_b_16_needs_a_patch():
    with pytest.raises(ValueError, match=r"at least 16 x 16, got \(3, 15, 16\)"):
        lfp.models.vit_b_16((3, 15, 16), 10)


def test_names_are_torchvisions_and_its_older_files_are_taken():
    net, other = small(), small(rng=np.random.default_rng(1))
    names = [name for name, _ in net.named_parameters()]
    assert names == list(net.state_dict()) and len(set(names)) == len(net.parameters())
    first = [name.removeprefix("encoder.layers.encoder_layer_0.") for name in names if "encoder_layer_0" in name]
    assert first == [
        "ln_1.weight", "ln_1.bias", "self_attention.in_proj_weight", "self_attention.in_proj_bias",
        "self_attention.out_proj.weight", "self_attention.out_proj.bias", "ln_2.weight", "ln_2.bias", "mlp.0.weight",
        "mlp.0.bias", "mlp.3.weight", "mlp.3.bias",
    ]  # fmt: skip
    assert {"class_token", "conv_proj.weight", "conv_proj.bias", "encoder.pos_embedding", "encoder.ln.weight",
            "heads.head.bias"} < set(names)  # fmt: skip
    former = {name.replace("mlp.0", "mlp.linear_1").replace("mlp.3", "mlp.linear_2"): array
              for name, array in net.state_dict().items()}  # fmt: skip
    assert former.keys() != net.state_dict().keys()
    for state in (former, net.state_dict()):
        other = small(rng=np.random.default_rng(1))
        other.load_state_dict(state)
        assert all(np.array_equal(array, other.state_dict()[name]) for name, array in net.state_dict().items())
    with pytest.raises(ValueError, match="nonsense: unexpected"):
        other.load_state_dict({**net.state_dict(), "nonsense": np.ones(3)})


def test_a_checkpoint_and_a_file_of_weights_bring_it_back(tmp_path):
    net, other = small(), small(rng=np.random.default_rng(1))
    lfp.save_weights(net, tmp_path / "net.npz")
    lfp.load_weights(other, tmp_path / "net.npz")
    x = np.random.default_rng(0).normal(size=(4, 2, 9, 8))
    assert np.array_equal(net.forward(x), other.forward(x))
    labels = np.arange(4) % 3
    options = {"batch_size": 2, "log": None, "checkpoint": tmp_path / "run.npz"}
    whole, resumed = small(), small()
    lfp.train(whole, (x, labels), epochs=2, batch_size=2, log=None)
    lfp.train(resumed, (x, labels), epochs=1, **options)
    optimizer = lfp.optim.SGD(other.parameters(), 0.1, momentum=0.9)
    lfp.train(other, (x, labels), epochs=2, resume=True, optimizer=optimizer, **options)
    assert np.array_equal(whole.forward(x), other.forward(x))


def test_it_is_a_layer_like_any_other_and_the_composite_conserves():
    net, x = small(), np.random.default_rng(1).normal(size=(3, 2, 9, 8))
    lfp.testing.check_layer(net, x)
    lfp.explain(net, x, 1, lfp.composites.conserving_transformer(net))
    sheet = lfp.balance(net)
    assert set(sheet.causes) == {"bias", "stabiliser", "class token", "positions"}
    assert np.abs(sheet.residue).max() < 1e-9 * np.abs(sheet.came).max()
