import copy
import pickle
import re
import threading

import numpy as np
import pytest

import lfp_ref as lfp
from lfp_ref.rules import AlphaBeta, Epsilon, Gamma, Gradient, ZBox


def network(seed=0, dtype=np.float32):
    rng = np.random.default_rng(seed)
    inner = lfp.Sequential(lfp.Dense(6, 6, dtype=dtype, rng=rng), lfp.ReLU())
    return lfp.Sequential(
        lfp.Conv2d(1, 2, 3, dtype=dtype, rng=rng), lfp.BatchNorm(2, dtype=dtype, rng=rng), lfp.ReLU(),
        lfp.MaxPool2d(2), lfp.Flatten(), lfp.Dense(8, 6, dtype=dtype, rng=rng), lfp.Residual(inner),
        lfp.Dense(6, 3, bias=False, dtype=dtype, rng=rng),
    )  # fmt: skip


def images(n, seed=0):
    return np.random.default_rng(seed).normal(size=(n, 1, 6, 6)).astype(np.float32)


def test_names_and_shapes_are_pytorchs():
    shapes = {name: array.shape for name, array in network().state_dict().items()}
    assert shapes == {
        "0.weight": (2, 1, 3, 3), "0.bias": (2,), "1.weight": (2,), "1.bias": (2,), "5.weight": (6, 8), "5.bias": (6,),
        "6.body.0.weight": (6, 6), "6.body.0.bias": (6,), "7.weight": (3, 6),
        "1.running_mean": (2,), "1.running_var": (2,),
    }  # fmt: skip
    assert [name for name, _ in network().named_parameters()] == list(shapes)[:9]


def test_outputs_follow_the_networks_dtype():
    for dtype in (np.float32, np.float64):
        for x in (images(3), images(3).astype(np.float64), np.ones((3, 1, 6, 6), np.uint8)):
            assert network(dtype=dtype).forward(x).dtype == dtype


def test_state_goes_round():
    source, target = network(0), network(1)
    source.forward(images(9), training=True)  # moves the running statistics
    target.load_state_dict(source.state_dict())
    assert np.array_equal(source.forward(images(5)), target.forward(images(5)))


def test_a_state_that_does_not_fit_is_named_in_full_and_changes_nothing():
    net = network()
    before = net.state_dict()
    wrong = {**before, "0.weight": np.zeros((2, 1, 3, 2)), "9.weight": np.zeros(3), "5.bias": np.full(6, np.nan)}
    del wrong["7.weight"]
    with pytest.raises(ValueError) as error:
        net.load_state_dict(wrong)
    for text in ("7.weight: missing, expected shape (3, 6)", "9.weight: unexpected",
                 "0.weight: shape (2, 1, 3, 2), expected (2, 1, 3, 3)", "5.bias: not finite"):  # fmt: skip
        assert text in str(error.value)
    assert all(np.array_equal(array, before[name]) for name, array in net.state_dict().items())


@pytest.mark.parametrize("parts", [2, 3, 6])
@pytest.mark.parametrize("rule", [
    Epsilon(0.25), Epsilon(learning="oja"), Gradient(), AlphaBeta(),
    {"0": ZBox(np.full((1, 6, 6), -4.0), 4.0), lfp.Layer: Gamma()},
])  # fmt: skip
def test_a_batch_in_parts_gives_what_it_gives_whole(parts, rule):
    """Each part is a thread's; how many there are is no matter but of rounding, not even to what dropout draws."""
    found = []
    for number in (1, parts):
        net = lfp.Sequential(*network(dtype=np.float64)[:3], lfp.Dropout(0.5, np.random.default_rng(0)),
                             lfp.AvgPool2d(1), *network(dtype=np.float64)[3:])  # fmt: skip
        net.parts = lambda samples, number=number: number
        z = net.forward(images(12), training=True)
        assert net.output.shape == (number, 3, 12 // number)
        handed = net.feedback(np.ones_like(z), rule)
        kept = [] if isinstance(rule, Gradient) else [k for line in lfp.balance(net).lines for k in line.kept.values()]
        found.append([z, handed, *net.state_dict().values(), *(p.feedback for p in net.parameters()), *kept])
    for whole, cut in zip(*found, strict=True):
        np.testing.assert_allclose(cut, whole, rtol=1e-11, atol=1e-13 * max(1, np.abs(whole).max()))


def test_errors_name_the_layer():
    with pytest.raises(ValueError, match=r"layer 5, Dense\(8, 6\): expected input of shape \(N, 8\), got \(2, 18\)"):
        network().forward(np.ones((2, 1, 8, 8)))
    nested = lfp.Sequential(lfp.Sequential(lfp.Dense(4, 4), lfp.Sequential(lfp.Dense(3, 3))))
    with pytest.raises(ValueError, match=r"layer 0\.1\.0, Dense\(3, 3\)"):
        nested.forward(np.ones((2, 4)))


def test_inputs_that_are_no_good():
    net = network()
    for where in ((0, 0, 0, 0), (2, 0, 1, 3), (3, 0, 5, 5)):
        bad = images(4)
        bad[where] = np.nan
        with pytest.raises(ValueError, match=rf"input has NaN or infinity.*{re.escape(str(where))}"):
            net.forward(bad)
    with pytest.raises(ValueError, match=r"as float32"):
        net.forward(np.full((1, 1, 6, 6), 1e300))  # infinite once it is float32
    for wrong in (np.ones(3), np.ones((0, 1, 6, 6)), 3.0):
        with pytest.raises(ValueError, match=r"input must have shape \(N, \.\.\.\)"):
            net.forward(wrong)
    for wrong in (np.array([["a"]]), np.ones((1, 1, 6, 6), complex), np.array([[None]])):
        with pytest.raises(TypeError, match="real numbers"):
            net.forward(wrong)


def test_feedback_that_is_no_good():
    net = network()
    with pytest.raises(RuntimeError, match="needs a forward pass first"):
        net.feedback(np.ones((4, 3)))
    net.forward(images(4))
    with pytest.raises(ValueError, match=r"reward must have the output's shape \(4, 3\), got \(4, 2\)"):
        net.feedback(np.ones((4, 2)))
    with pytest.raises(ValueError, match="reward has NaN"):
        net.feedback(np.full((4, 3), np.inf))
    with pytest.raises(TypeError, match="rule must be a rule"):
        net.feedback(np.ones((4, 3)), "epsilon")


def test_networks_that_cannot_be():
    with pytest.raises(TypeError, match=r"one dtype, got float32 in 0 .*float64 in 1"):
        lfp.Sequential(lfp.Dense(2, 2), lfp.Dense(2, 2, dtype=np.float64))
    same = lfp.ReLU()
    with pytest.raises(ValueError, match="occurs twice"):
        lfp.Sequential(lfp.Dense(2, 2), same, lfp.Dense(2, 2), same)
    with pytest.raises(TypeError, match="number 1 is 'relu'"):
        lfp.Sequential(lfp.Dense(2, 2), "relu")
    with pytest.raises(ValueError, match="at least one layer"):
        lfp.Sequential()


def outcome(net, x):
    z = net.forward(x)
    handed = net.feedback(np.ones_like(z))
    return [z, handed, *(p.feedback.copy() for p in net.parameters())]


def same(left, right):
    return all(np.array_equal(a, b) for a, b in zip(left, right, strict=True))


def test_results_do_not_depend_on_what_was_computed_before():
    net = network()
    fresh = {n: outcome(network(), images(n)) for n in (1, 7, 16, 3)}
    for n in (7, 1, 16, 3, 7):  # memory grows, shrinks, is used again
        assert same(outcome(net, images(n)), fresh[n])


def test_results_returned_earlier_stay():
    net = network()
    z = net.forward(images(5))
    handed = net.feedback(np.ones_like(z))
    kept = z.copy(), handed.copy()
    net.forward(images(5, seed=1))
    net.feedback(-np.ones_like(z))
    assert same((z, handed), kept)


def test_two_networks_in_turn_and_in_threads():
    alone = [outcome(network(seed), images(8)) for seed in (0, 1)]
    nets = [network(0), network(1)]
    for net in nets:
        net.forward(images(8))
    for net, expected in zip(nets, alone, strict=True):
        assert np.array_equal(net.feedback(np.ones((8, 3), np.float32)), expected[1])
    results = [[], []]

    def work(which):
        for _ in range(20):
            results[which] = outcome(nets[which], images(8))

    threads = [threading.Thread(target=work, args=(which,)) for which in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(same(result, expected) for result, expected in zip(results, alone, strict=True))


def test_inputs_may_be_views_read_only_and_are_not_changed():
    net = network()
    x = images(8)
    expected = net.forward(x[::2])
    kept = x.copy()
    x.flags.writeable = False
    assert np.array_equal(net.forward(x[::2]), expected)
    assert np.array_equal(net.forward(np.asfortranarray(x[::2])), expected)
    reward = np.ones((4, 3), np.float32)
    net.feedback(reward)
    assert np.array_equal(x, kept) and np.all(reward == 1)


def test_without_input_reward_the_parameters_feedback_is_the_same():
    one, other = network(), network()
    outcome(one, images(5))
    z = other.forward(images(5))
    assert other.feedback(np.ones_like(z), input_reward=False) is None
    assert same([p.feedback for p in one.parameters()], [p.feedback for p in other.parameters()])


def test_copies_and_pickles_are_independent():
    class Here(Epsilon):
        """A rule that cannot be pickled, as one from a notebook; the network that followed it can."""

    net = network()
    expected = outcome(net, images(4))
    net.feedback(np.ones((4, 3)), Here())
    for twin in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        with pytest.raises(RuntimeError):
            twin.feedback(np.ones((4, 3)))  # the memory of the last pass stays behind
        assert same(outcome(twin, images(4)), expected)
        twin[0].weight.value[...] = 0
    assert same(outcome(net, images(4)), expected)


def test_silent_networks_and_exact_zeros_make_no_nan():
    net = network()
    for parameter in net.parameters():
        parameter.value[...] = 0
    for rule in (lfp.rules.Epsilon(0.0), lfp.rules.Epsilon(), lfp.rules.Gradient()):
        net.forward(images(3))
        assert np.isfinite(net.feedback(np.ones((3, 3)), rule)).all()
        assert all(np.isfinite(p.feedback).all() for p in net.parameters())


def test_assigning_a_parameter_copies_and_checks():
    layer = lfp.Dense(3, 2)
    array = layer.weight.value
    layer.weight.value = np.arange(6.0).reshape(3, 2).T
    assert layer.weight.value is array and array.flags.c_contiguous and array[0].tolist() == [0, 2, 4]
    with pytest.raises(ValueError, match=r"has shape \(2, 3\), got \(3, 2\)"):
        layer.weight.value = np.ones((3, 2))


class Backwards(lfp.Layer):
    """A layer somebody else wrote, that returns views."""

    def propagate(self, a, training):
        return self.remember(a[:, ::-1])

    def hand_back(self, reward, rules, wanted):
        return reward[:, ::-1]


def test_layers_of_others_may_return_views():
    one, other = lfp.Dense(4, 3, dtype=np.float64), lfp.Dense(4, 3, dtype=np.float64)
    other.load_state_dict(one.state_dict())
    net, x = (
        lfp.Sequential(lfp.Dense(5, 4, dtype=np.float64), Backwards(), one),
        np.random.default_rng(0).normal(size=(6, 5)),
    )
    z = net.forward(x)
    net.feedback(z)
    middle = net[0].forward(x)[:, ::-1]
    assert np.array_equal(other.forward(middle), z)
    handed = other.feedback(z)[:, ::-1]
    alone = net[0].weight.feedback.copy()
    net[0].feedback(handed)
    np.testing.assert_allclose(net[0].weight.feedback, alone, rtol=1e-12)


def test_gradient_in_a_mapping_is_gradient_everywhere():
    net = lfp.Sequential(lfp.Dense(3, 4), lfp.Tanh(), lfp.Dense(4, 2))
    x = np.random.default_rng(0).normal(size=(5, 3))
    results = []
    for rule in (lfp.rules.Gradient(), {lfp.Dense: lfp.rules.Gradient()}):
        net.forward(x)
        results.append(net.feedback(np.ones((5, 2)), rule))
    assert np.array_equal(*results)


def test_an_activation_inside_another_counts_as_occurring():
    act = lfp.ReLU()
    with pytest.raises(ValueError, match="occurs twice"):
        lfp.Sequential(lfp.Dense(2, 2), act, lfp.Dense(2, 2), lfp.Negated(act))


def test_memory_follows_the_dtype_and_states_are_copies():
    relu = lfp.ReLU()
    for dtype in (np.float64, np.float32):
        assert relu.forward(np.ones((2, 3), dtype)).dtype == dtype
    assert np.isfinite(lfp.ReLU().forward(np.full((4, 4), 3e38, np.float32))).all()  # only their sum overflows
    net = network()
    state = net.state_dict()
    net[0].weight.value[...] = 9
    assert not np.any(state["0.weight"] == 9)
    for wrong in (np.ones(6, complex), np.full(6, 1e300)):
        with pytest.raises(ValueError, match=r"5\.bias: not finite real numbers in float32"):
            net.load_state_dict({**state, "5.bias": wrong})


def test_a_pooling_takes_over_memory_that_only_it_needed():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((3, 1, 9, 9)).astype(np.float32)

    def trained(*between):
        seeded = np.random.default_rng(1)
        layers = [lfp.Conv2d(1, 2, 2, rng=seeded), lfp.ReLU(), *between, lfp.MaxPool2d(2), lfp.Flatten()]
        net = lfp.Sequential(*layers, lfp.Dense(32, 3, rng=seeded))
        z = net.forward(x)
        handed = [net.feedback(np.ones_like(z)) for _ in range(2)]  # the second finds what the first overwrote
        return net, *handed, net[0].weight.feedback.copy()

    net, *found = trained()
    apart, *expected = trained(lfp.Dropout(0.5))  # outside of training: hands on what it gets
    assert np.shares_memory(net[2].spare, net[1].output) and apart[3].spare is None
    assert all(np.array_equal(a, b) for a, b in zip(found, expected, strict=True))
    assert np.array_equal(found[0], found[1])


def test_a_pooling_leaves_alone_what_others_need():
    rng = np.random.default_rng(0)
    pooled = lfp.MaxPool2d(1)
    net = lfp.Sequential(
        lfp.Conv2d(1, 2, 2, rng=rng), lfp.ReLU(), lfp.Residual(pooled, lfp.AvgPool2d(1)), lfp.Flatten()
    )
    z = net.forward(rng.standard_normal((3, 1, 5, 5)))
    before = net[1].output.copy()
    net.feedback(np.ones_like(z))
    assert pooled.spare is None and np.array_equal(net[1].output, before)

    plain = lfp.Sequential(lfp.ReLU(), lfp.MaxPool2d(2))  # no parameters: input and reward may differ in their dtypes
    plain.forward(np.ones((1, 1, 2, 2), np.float32))
    reward = np.array([[[[1 + 2.0**-40]]]])
    assert plain.feedback(reward).sum() == reward.sum()
