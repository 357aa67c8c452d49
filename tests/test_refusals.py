"""Inputs that once gave wrong numbers, late refusals or somebody else's words; each with what is right."""

import copy

import numpy as np
import pytest

import lfp_ref as lfp
from lfp_ref import optim, rewards, rules
from lfp_ref.training import DivergenceError
from tests.awkward import snapshot

KIND = {"dtype": np.float64}


def rng():
    return np.random.default_rng(0)


# ---- wrong numbers


def test_the_accuracy_of_an_all_convolutional_network_is_that_of_its_class_scores():
    scores, labels = rng().uniform(-1, 1, (30, 10)), rng().integers(0, 10, 30)
    right = np.mean(scores.argmax(axis=1) == labels)
    for shape in ((30, 10), (30, 10, 1), (30, 10, 1, 1)):
        assert lfp.training.accuracy(scores.reshape(shape), labels) == right
    assert lfp.training.accuracy(np.stack([scores, np.zeros_like(scores)]), labels) == right  # over time
    for wrong in (np.zeros((30, 10, 6, 6)), np.zeros(30), np.zeros((30, 30, 1))):  # the last: 30 steps, or 30 classes?
        with pytest.raises(ValueError, match="outputs must have shape"):
            lfp.training.accuracy(wrong, labels)


def test_evaluate_and_explain_take_outputs_of_one_pixel():
    net = lfp.Sequential(lfp.Conv2d(2, 10, 3, rng=rng(), **KIND))
    flat = lfp.Sequential(lfp.Conv2d(2, 10, 3, rng=rng(), **KIND), lfp.Flatten())
    x, y = rng().uniform(-1, 1, (9, 2, 3, 3)), rng().integers(0, 10, 9)
    assert lfp.evaluate(net, (x, y), batch_size=4) == lfp.evaluate(flat, (x, y))
    assert np.array_equal(lfp.explain(net, x), lfp.explain(flat, x))
    row = lfp.Sequential(lfp.Conv1d(2, 10, 3, rng=rng(), **KIND))  # (N, O, 1): three axes, but no spikes
    assert lfp.evaluate(row, (x[:, :, 0], y), batch_size=4) == np.mean(row.forward(x[:, :, 0])[..., 0].argmax(1) == y)
    with pytest.raises(ValueError, match="outputs must have shape"):
        lfp.explain(net, rng().uniform(-1, 1, (9, 2, 5, 5)))


def test_the_number_of_steps_may_be_changed():
    net = lfp.Spiking(lfp.LIF(lfp.Dense(3, 2, rng=rng())), steps=12)
    twin = lfp.Spiking(lfp.LIF(lfp.Dense(3, 2, rng=rng())), steps=9)
    x = rng().uniform(-3, 3, (5, 3))
    net.forward(x)
    net.steps = 9
    assert np.array_equal(net.forward(x), twin.forward(x)) and net.forward(x).shape == (9, 5, 2)


def test_a_denominator_too_small_for_the_dtype_counts_as_zero():
    """1e-40 has no normal number in single precision: nothing flowed, the account says so; in double it is shared."""
    for dtype, handed in ((np.float32, 0), (np.float64, 1)):
        net = lfp.Sequential(lfp.Dense(1, 1, bias=False, dtype=dtype))
        net[0].weight.value = [[1e-30]]
        net.forward([[1e-10]])
        assert net.feedback([[1.0]], rules.Epsilon(0)) == handed and net[0].weight.feedback == handed
        balance = lfp.balance(net)
        assert balance.residue == 0 and balance.kept("empty group") == 1 - handed


def test_a_reward_that_overflows_on_its_way_is_refused():
    net = lfp.Sequential(lfp.Dense(1, 1, bias=False))
    net[0].weight.value = [[1e-20]]
    net.forward([[1.0]])
    with pytest.raises(OverflowError, match="the reward handed back is NaN or infinite"):
        net.feedback([[1e30]], rules.Epsilon(0))


@pytest.mark.parametrize(
    ("rule", "name"),
    [(rules.Epsilon(1e300), "epsilon"), (rules.Gamma(1e300), "gamma"), (rules.ZBox(-1, 1e300), "high")],
)
def test_numbers_of_a_rule_must_fit_the_dtype(rule, name):
    net = lfp.Sequential(lfp.Dense(3, 2))
    net.forward(np.ones((4, 3)))
    with pytest.raises(ValueError, match=f"{name} is too large for float32"):
        net.feedback(np.ones((4, 2)), rule)


def test_numbers_that_become_zero_in_single_precision_are_refused_when_made():
    for make in (lambda **kind: lfp.BatchNorm(3, eps=1e-60, **kind),
                 lambda **kind: optim.Adam(lfp.Dense(3, 2, **kind).parameters(), eps=1e-50)):  # fmt: skip
        with pytest.raises(ValueError, match=r"eps must be >= 1\.18e-38"):
            make(dtype=np.float32)
        make(dtype=np.float64)
    with pytest.raises(ValueError, match="ZBox: low has NaN or infinity"):
        rules.ZBox(-np.inf, np.inf)


@pytest.mark.parametrize("wish", [1, -1])
def test_a_step_at_exactly_zero_moves_the_way_it_is_rewarded(wish):
    """The next layer wishes the unit up or down: its z moves that way, whatever side of the threshold it is on."""
    for z in (-1.0, 0.0, 1.0):
        net = lfp.Sequential(lfp.Dense(1, 1, **KIND), lfp.Step(-1), lfp.Dense(1, 1, bias=False, **KIND))
        net[0].weight.value, net[0].bias.value, net[2].weight.value = [[1.0]], [z - 1], [[1.0]]
        outputs = net.forward([[1.0]])
        net.feedback(wish * outputs, rules.Epsilon(0.5))  # reward of the output's sign: away from 0
        assert np.sign(net[0].weight.feedback) == wish


# ---- training refuses before the first step, and then changes nothing


def batch_normed():
    return lfp.Sequential(
        lfp.Dense(3, 4, rng=rng()), lfp.BatchNorm(4, rng=rng()), lfp.Dropout(0.5, rng()), lfp.Dense(4, 2, rng=rng())
    )


X, Y = rng().uniform(-1, 1, (129, 3)), rng().integers(0, 2, 129)
LATE = {
    "a single sample in the last batch, in front of batch norm": ((X, Y), {}, "more than one value per channel"),
    "a label too large, in the last batch": ((X[:128], np.r_[Y[:127], 2]), {}, "labels must be in 0..1"),
    "a reward of another shape": ((X[:128], Y[:128]), {"reward": lambda z, y: z[:, :1]}, "gave shape"),
    "a metric that gives no number": ((X[:128], Y[:128]), {"metric": lambda z, y: None}, "returns a number"),
    "a rule that a layer refuses": ((X[:128], Y[:128]), {"rule": rules.ZPlus()}, "shares by Epsilon"),
    "a log that cannot be called": ((X[:128], Y[:128]), {"log": "print"}, "log must be a function"),
    "on_step with another number of arguments": ((X[:128], Y[:128]), {"on_step": lambda k: None}, "on_step must be"),
    "a negative clip": ((X[:128], Y[:128]), {"clip": -1}, "clip must be"),
    "NaN in the last sample": ((np.r_[X[:127], [[0, np.nan, 0]]], Y[:128]), {}, r"x has NaN .* at index \(127, 1"),
    "beyond single precision": ((np.r_[X[:127], [[0, 1e39, 0]]], Y[:128]), {}, r"float32\), first at .*127, 1"),
    "labels that are text": ((X[:128], Y[:128].astype(str)), {}, "data: y must be an array of real numbers"),
    "targets in three columns, and the accuracy": ((X[:128], X[:128]), {"reward": rewards.squared_error}, "metric"),
}  # fmt: skip


@pytest.mark.parametrize("name", LATE)
def test_training_is_refused_before_anything_has_changed(name, tmp_path):
    data, options, message = LATE[name]
    outputs = 3 if "three columns" in name else 2
    net = lfp.Sequential(*batch_normed().layers[:3], lfp.Dense(4, outputs, rng=rng()))
    before, calls = snapshot(net), []
    with pytest.raises((ValueError, TypeError), match=message):
        lfp.train(net, data, batch_size=128, **{"log": calls.append, "checkpoint": tmp_path / "run.npz"} | options)
    assert snapshot(net) == before and not calls and not list(tmp_path.iterdir())


def test_a_folder_is_no_checkpoint(tmp_path):
    (tmp_path / "file").touch()
    for path in (tmp_path, tmp_path / "file" / "run.npz", "", "a\0b"):
        net = batch_normed()
        before = snapshot(net)
        with pytest.raises(ValueError, match="checkpoint must be the path of a file"):
            lfp.train(net, (X[:128], Y[:128]), checkpoint=path)
        assert snapshot(net) == before


def test_the_rehearsal_leaves_training_as_it_is():
    """One epoch, by hand, without a rehearsal: the same weights, statistics and random states."""
    one, other = batch_normed(), batch_normed()
    lfp.train(one, (X[:100], Y[:100]), epochs=1, batch_size=30, log=None, seed=4)
    optimizer = optim.SGD(other.parameters(), 0.1, momentum=0.9)
    order = np.random.default_rng([4, 0]).permutation(100)
    options = {"rule": rules.Epsilon(), "reward": rewards.softmax}
    for _ in lfp.training.epoch(other, X[:100], Y[:100], order, 30, optimizer, **options):
        pass
    assert snapshot(one) == snapshot(other)


def test_outputs_that_are_not_finite_have_no_accuracy():
    net = lfp.Sequential(lfp.Dense(3, 2))
    net[0].weight._value[...] = np.inf
    with pytest.raises(DivergenceError, match="outputs of samples 0 to 127 are NaN or infinite"):
        lfp.evaluate(net, (np.ones((128, 3)), np.zeros(128, int)), batch_size=128)


def test_a_reward_too_large_for_the_dtype_is_a_divergence_with_its_place():
    with pytest.raises(DivergenceError, match=r"epoch 1, step 1: the reward .* is NaN or infinite"):
        lfp.train(batch_normed(), (X[:128], Y[:128]), reward=lambda z, y: np.full(z.shape, 1e300), log=None)


# ---- arguments


def test_arguments_that_were_taken_for_something_else():
    masked = np.ma.masked_array(np.ones((4, 2)), np.eye(4, 2))
    for refused, error, message in [
        (lambda: rewards.squared_error(masked, np.ones((4, 2))), TypeError, "outputs is a masked array"),
        (lambda: rewards.squared_error(np.ones((4, 2)), masked), TypeError, "targets is a masked array"),
        (lambda: rewards.squared_error(np.ones((1, 1)), ["2"]), TypeError, "targets must be an array of real numbers"),
        (lambda: rewards.squared_error(np.ones((1, 1)), [None]), TypeError, "targets must be"),
        (lambda: lfp.train(batch_normed(), (X, np.ma.array(Y))), TypeError, "data: y is a masked array"),
        (
            lambda: setattr(lfp.Parameter(np.ones(2)), "value", [0, np.nan]),
            ValueError,
            r"value has NaN .* index \(1,\)",
        ),
        (lambda: lfp.Dense(2, 2, bias="False"), TypeError, "bias must be True or False"),
        (lambda: lfp.Dense(2, 2, dtype=None), TypeError, "dtype must be float32 or float64, got None"),
        (lambda: lfp.names.rule("epsilon:1e-6,,,"), ValueError, "rule 'epsilon:1e-6,,,'"),
        (lambda: lfp.names.rule("gamma:"), ValueError, "rule 'gamma:'"),
        (lambda: rewards.rate_coded(np.full((3, 2, 2), 0.5), [0, 1]), ValueError, "must be spikes, 0 or 1"),
        (lambda: optim.Adam(batch_normed()), TypeError, "parameters must be parameters, as net.parameters"),
        (lambda: optim.Adam(batch_normed().parameters(), betas=(0.9,)), ValueError, "betas must be a pair"),
        (lambda: lfp.evaluate(batch_normed(), (X, Y), batch_size=-1), ValueError, "batch_size must be an integer"),
    ]:
        with pytest.raises(error, match=message):
            refused()
    assert np.array_equal(rewards.softmax([[1.0, 2.0]], [1]), rewards.softmax(np.array([[1.0, 2.0]]), [1]))
    z, labels = rng().uniform(-1, 1, (4, 3)), [0, 1, 2, 0]
    assert np.array_equal(rewards.softmax(outputs=z, labels=labels), rewards.softmax(z, labels))


def test_a_refused_pass_leaves_no_half_of_two_passes():
    net = lfp.Sequential(lfp.Conv2d(1, 4, 3), lfp.Conv2d(4, 4, 3), lfp.MaxPool2d(4), lfp.Flatten(), lfp.Dense(16, 3))
    net.forward(np.ones((2, 1, 12, 12)))
    with pytest.raises(ValueError, match="layer 2"):
        net.forward(np.ones((500, 1, 7, 7)))
    with pytest.raises(RuntimeError, match="feedback needs a forward pass first"):
        net.feedback(np.ones((2, 3)))
    twin = copy.deepcopy(net)
    net.forward(np.ones((2, 1, 12, 12)))
    net[0].forward(np.ones((4096, 1, 4, 4)))  # a pass of one layer is a pass of its own
    twin.forward(np.ones((2, 1, 12, 12)))
    assert np.array_equal(net.feedback(np.ones((2, 3))), twin.feedback(np.ones((2, 3))))
