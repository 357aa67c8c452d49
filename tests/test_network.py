import copy
import gc
import pickle
import re
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor

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


@pytest.mark.parametrize("rule", [
    Epsilon(0.25), Epsilon(learning="oja"), Gradient(), AlphaBeta(),
    {"0": ZBox(np.full((1, 6, 6), -4.0), 4.0), lfp.Layer: Gamma()},
])  # fmt: skip
def test_feedback_of_a_batch_is_the_sum_of_its_samples(rule):
    """Also for z-box bounds of a sample's shape: no rule knows where the batch is."""
    if isinstance(rule, dict) or not rule.is_plain or rule.learning != "share":
        rule = {lfp.BatchNorm: Epsilon()} | (rule if isinstance(rule, dict) else {lfp.Layer: rule})
    net = network(dtype=np.float64)
    x = images(5)
    z = net.forward(x)
    handed = net.feedback(np.ones_like(z), rule)
    feedback = [p.feedback.copy() for p in net.parameters()]
    alone = []
    for n in range(5):
        net.forward(x[n : n + 1])
        alone.append((net.feedback(np.ones((1, 3)), rule), [p.feedback.copy() for p in net.parameters()]))
    np.testing.assert_allclose(np.concatenate([r for r, _ in alone]), handed, rtol=1e-11, atol=1e-13)
    for number, d in enumerate(feedback):
        expected = sum(each[number] for _, each in alone)
        np.testing.assert_allclose(d, expected, rtol=1e-10, atol=1e-12 * max(1, np.abs(d).max()))


def test_errors_name_the_layer():
    with pytest.raises(
        ValueError, match=r"layer 5, Dense\(8, 6\): expected input of shape \(N\[, T\], 8\), got \(2, 18\)"
    ):
        network().forward(np.ones((2, 1, 8, 8)))
    nested = lfp.Sequential(lfp.Sequential(lfp.Dense(4, 4), lfp.Sequential(lfp.Dense(3, 3))))
    with pytest.raises(ValueError, match=r"layer 0\.1\.0, Dense\(3, 3\)"):
        nested.forward(np.ones((2, 4)))


def test_inputs_that_are_no_good():
    net = network()
    for where in ((0, 0, 0, 0), (2, 0, 1, 3), (3, 0, 5, 5)):
        bad = images(4)
        bad[where] = np.nan
        with pytest.raises(ValueError, match=rf"x has NaN or infinity.*{re.escape(str(where))}"):
            net.forward(bad)
    with pytest.raises(ValueError, match=r"as float32"):
        net.forward(np.full((1, 1, 6, 6), 1e300))  # infinite once it is float32
    for wrong in (np.ones(3), np.ones((0, 1, 6, 6)), 3.0):
        with pytest.raises(ValueError, match=r"x must have shape \(N, \.\.\.\)"):
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
    with pytest.raises(TypeError, match=r"one dtype, got float32 in 0\.weight, float64 in 1\.weight"):
        lfp.Sequential(lfp.Dense(2, 2), lfp.Dense(2, 2, dtype=np.float64))
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

    def propagate(self, x, node):
        return x[:, ::-1]

    def hand_back(self, reward, node):
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


def test_without_parameters_the_reward_keeps_its_own_dtype():
    plain = lfp.Sequential(lfp.ReLU(), lfp.MaxPool2d(2))  # no parameters: input and reward may differ in their dtypes
    plain.forward(np.ones((1, 1, 2, 2), np.float32))
    reward = np.array([[[[1 + 2.0**-40]]]])
    assert plain.feedback(reward).sum() == reward.sum()


def copies(net, x):
    """The network with a copy of each layer at each of its places."""
    return lfp.Sequential(*(copy.deepcopy(layer) for layer in net))


@pytest.mark.parametrize(
    "shared", [lfp.Dense(4, 4, dtype=np.float64), lfp.Tanh(), lfp.Conv1d(1, 1, 3, padding=1, dtype=np.float64)]
)
def test_a_layer_twice_in_a_network_learns_the_sum_of_what_two_copies_learn(shared):
    x = np.random.default_rng(0).normal(size=(5, 1, 4) if isinstance(shared, lfp.Conv1d) else (5, 4))
    net = lfp.Sequential(shared, lfp.ReLU(), shared)
    apart = copies(net, x)
    z = net.forward(x)
    assert np.array_equal(apart.forward(x), z)
    for rule in (Epsilon(0.25), Gradient(), AlphaBeta()):
        assert np.array_equal(net.feedback(z, rule), apart.feedback(z, rule))
        for parameter, *both in zip(shared.parameters(), apart[0].parameters(), apart[2].parameters(), strict=True):
            expected = both[0].feedback + both[1].feedback
            np.testing.assert_allclose(parameter.feedback, expected, rtol=1e-12, atol=1e-12 * np.abs(expected).max())
    assert len(net.parameters()) == len(shared.parameters())
    state = net.state_dict()
    assert len(state) == 2 * len(shared.parameters()) and (not state or set(state) >= {"0.weight", "2.weight"})
    if state:
        with pytest.raises(ValueError, match=r"2\.weight: differs from 0\.weight, the same shared array"):
            net.load_state_dict({**state, "2.weight": state["2.weight"] + 1})
    net.load_state_dict(state)


def test_networks_that_share_layers_train_in_turn_as_one_that_is_kept_in_step():
    rng, kind = np.random.default_rng(0), {"dtype": np.float64}
    body, one, other = lfp.Dense(6, 5, **kind), lfp.Dense(5, 3, **kind), lfp.Dense(5, 2, **kind)
    nets = lfp.Sequential(body, lfp.ReLU(), one), lfp.Sequential(body, lfp.ReLU(), other)
    twins = copy.deepcopy(nets[0]), copy.deepcopy(nets[1])
    x, labels = rng.normal(size=(8, 6)), rng.integers(0, 2, 8)
    for _ in range(3):
        for net, twin, behind in zip(nets, twins, reversed(twins), strict=True):
            for each in (net, twin):
                optimizer = lfp.optim.SGD(each.parameters(), lr=0.1)
                each.feedback(lfp.rewards.softmax(each.forward(x), labels))
                optimizer.step()
            behind[0].load_state_dict(twin[0].state_dict())
            assert all(
                np.array_equal(a, b) for a, b in zip(net.state_dict().values(), twin.state_dict().values(), strict=True)
            )


def test_a_part_of_a_network_leaves_the_whole_as_it_was():
    net = network(dtype=np.float64)
    rule = {"0": Gamma(), "5": Epsilon(0.5), lfp.Layer: Epsilon()}
    z = net.forward(images(4))
    expected = net.feedback(z, rule)
    lfp.Sequential(*net.layers[3:]).forward(net.record(images(4)).output("2"))
    assert np.array_equal(net.forward(images(4)), z) and np.array_equal(net.feedback(z, rule), expected)
    assert next(name for name, _ in net.named_parameters()) == "0.weight"
    with pytest.raises(ValueError, match=r"layer 5, Dense"):
        net.forward(np.ones((2, 1, 8, 8)))


def test_a_refused_pass_leaves_none_behind_and_a_layers_own_pass_is_its_own():
    kind = {"rng": np.random.default_rng(0)}
    net = lfp.Sequential(lfp.Conv2d(1, 4, 3, **kind), lfp.Conv2d(4, 4, 3, **kind), lfp.MaxPool2d(4), lfp.Flatten(),
                         lfp.Dense(16, 3, **kind))  # fmt: skip
    x = np.random.default_rng(1).normal(size=(2, 1, 12, 12))
    z = net.forward(x)
    expected = net.feedback(z)
    net[0].forward(np.ones((4096, 1, 7, 7)))
    assert np.array_equal(net.feedback(z), expected)
    with pytest.raises(ValueError, match="at least 4 x 4"):
        net.forward(np.ones((5000, 1, 7, 7)))
    with pytest.raises(RuntimeError, match="needs a forward pass first"):
        net.feedback(np.ones((2, 3)))


def test_passes_as_values_do_not_disturb_each_other():
    net = network(dtype=np.float64)
    one, other = images(4), images(4)[::-1].copy()
    expected = [net.record(x) for x in (one, other)]
    results = [(tape.outputs, tape.feedback(tape.outputs)) for tape in expected]
    tapes = [net.record(x) for x in (one, other)]
    net.forward(images(3))
    for tape, (outputs, handed) in zip(tapes, results, strict=True):
        assert np.array_equal(tape.outputs, outputs) and np.array_equal(tape.feedback(outputs), handed)
    assert np.array_equal(tapes[0].output(str(len(net) - 1)), tapes[0].outputs)
    with pytest.raises(KeyError, match="no layer has the path"):
        tapes[0].output("nine")


def test_twenty_threads_through_one_network_get_their_own_answers():
    net = network(dtype=np.float64)
    inputs = [images(4) * scale for scale in np.linspace(0.1, 2, 20)]
    expected = []
    for x in inputs:
        z = net.forward(x)
        expected.append((z, net.feedback(z)))

    between = threading.Barrier(20)

    def work(number):
        for _ in range(15):
            z = net.forward(inputs[number])
            between.wait(10)  # no thread hands back before all have gone forward
            handed = net.feedback(z)
            if not (np.array_equal(z, expected[number][0]) and np.array_equal(handed, expected[number][1])):
                return False
        return True

    with ThreadPoolExecutor(20) as pool:
        assert all(pool.map(work, range(20)))


def test_a_network_lets_go_of_its_memory_at_once():
    """Without the garbage collector: a pass holds no circle of references."""
    gc.disable()
    try:
        net = network()
        z = net.forward(images(4))
        net.feedback(z)
        tape = net.record(images(2))
        tape.feedback(tape.outputs)
        alive = weakref.ref(net), weakref.ref(net[0])
        del net, tape
        assert [each() for each in alive] == [None, None]
    finally:
        gc.enable()


def test_training_goes_on_to_the_same_bits_from_a_copy_or_a_pickle_in_the_middle():
    net, x, labels = network(), images(8), np.arange(8) % 3
    size = len(pickle.dumps(net))

    def train(each):
        optimizer = lfp.optim.SGD(each.parameters(), lr=0.1)
        for _ in range(3):
            each.feedback(lfp.rewards.softmax(each.forward(x, training=True), labels))
            optimizer.step()
        return each.state_dict()

    train(net)
    assert len(pickle.dumps(net)) == size
    twins = copy.deepcopy(net), pickle.loads(pickle.dumps(net))
    expected = train(net)
    for twin in twins:
        assert all(np.array_equal(a, b) for a, b in zip(train(twin).values(), expected.values(), strict=True))
