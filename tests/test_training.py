import math

import numpy as np
import pytest

import lfp_ref as lfp
from lfp_ref.training import DivergenceError, accuracy, epoch, step
from tests.runs import DATA, network, run, same_history, same_state


def test_learns_and_reports():
    net, lines = network(), []
    history = run(net, epochs=10, schedule=None, log=lines.append)
    assert history["test_accuracy"][-1] == lfp.evaluate(net, DATA) >= 0.95  # the blobs are 4 standard deviations apart
    assert all((len(column) == 10 and column.dtype == float) or column.dtype == int for column in history.values())
    assert np.all((history["untouched"] >= 0) & (history["untouched"] <= 1)) and len(lines) == 10
    assert "epoch 10/10" in lines[-1] and f"test accuracy {history['test_accuracy'][-1]:.4f}" in lines[-1]


def test_one_step_is_forward_reward_feedback_and_update():
    """Against the same step taken by hand, in both reductions and both ways of training."""
    for rule in (lfp.rules.Epsilon(), lfp.rules.Gradient()):
        for reduction, divisor in (("mean", len(DATA.x_train)), ("sum", 1)):
            net, twin = network(dropout=False), network(dropout=False)
            lfp.train(net, DATA, optimizer=lfp.optim.SGD(net.parameters(), 0.01), rule=rule, reduction=reduction,
                      batch_size=1000, epochs=1, log=None)  # fmt: skip
            order = np.random.default_rng([0, 0]).permutation(len(DATA.x_train))
            z = twin.forward(DATA.x_train[order], training=True)
            reward = lfp.rewards.softmax.gradient if rule.is_gradient else lfp.rewards.softmax
            twin.feedback(reward(z, DATA.y_train[order]) / divisor, rule)
            lfp.optim.SGD(twin.parameters(), 0.01).step()
            assert same_state(net, twin)


def test_same_seed_same_numbers():
    one, other, third = network(), network(), network()
    assert same_history(run(one), run(other)) and same_state(one, other)
    run(third, seed=1)
    assert not same_state(one, third)


def test_divergence_names_epoch_step_and_culprit_and_keeps_the_last_good_checkpoint(tmp_path):
    path, net = tmp_path / "run.npz", network()
    run(net, epochs=1, checkpoint=path)
    good = path.read_bytes()
    optimizer = lfp.optim.SGD(net.parameters(), 1e38)
    with pytest.raises(DivergenceError, match="epoch 1, step 2: NaN or infinity in the outputs; try a smaller"):
        lfp.train(net, DATA, optimizer=optimizer, batch_size=32, checkpoint=path, log=None)
    assert path.read_bytes() == good


def test_a_reward_that_is_not_finite_is_blamed():
    def broken(outputs, labels):
        return np.full_like(outputs, np.nan)

    with pytest.raises(DivergenceError, match="the reward broken is NaN"):
        run(network(), reward=broken)


def test_feedback_that_overflows_is_named_where_its_norm_is_taken():
    net = network()
    for parameter in net[4].parameters():
        parameter.value *= 1e-6  # shares divide by small outputs

    def huge(outputs, labels):
        return np.full_like(outputs, 1e36)

    says = r"epoch 1, step 1: NaN or infinity in the feedback of \d\.\w+; try a smaller"
    with pytest.raises(DivergenceError, match=says):
        run(net, reward=huge, rule=lfp.rules.Epsilon(0.0), reduction="sum", clip=1.0)


def test_an_epoch_is_its_steps_in_order_and_may_begin_in_the_middle():
    x, y = DATA.x_train, DATA.y_train
    order = np.random.default_rng(0).permutation(len(y))
    weights = np.random.default_rng(1).random(len(y), dtype=np.float32)
    by_hand, whole, halves = network(), network(), network()
    optimizers = [lfp.optim.SGD(net.parameters(), 0.1) for net in (by_hand, whole, halves)]
    how = {"rule": lfp.rules.Epsilon(), "reward": lfp.rewards.softmax}
    totals = []
    for k in range(5):
        batch = order[32 * k : 32 * (k + 1)]
        optimizers[0].lr = 0.1 / (11 + k)
        totals.append(step(by_hand, x[batch], y[batch], optimizers[0], weights=weights[batch], **how)[1])
    how |= {"schedule": lambda k: 0.1 / (k + 1), "number": 2, "weights": weights}
    steps = list(epoch(whole, x, y, order, 32, optimizers[1], **how))
    assert [total for *_, total in steps] == totals and np.array_equal(
        np.concatenate([each[0] for each in steps]), order
    )
    begun = epoch(halves, x, y, order, 32, optimizers[2], **how)
    assert [next(begun)[2], next(begun)[2]] == totals[:2]
    assert [total for *_, total in epoch(halves, x, y, order, 32, optimizers[2], done=2, **how)] == totals[2:]
    assert same_state(by_hand, whole) and same_state(by_hand, halves)


def test_any_function_is_a_reward():
    rng = np.random.default_rng(0)

    def noisy_opinion(outputs, labels):
        right = outputs.argmax(axis=1) == labels
        opinion = np.where(right, 1, -1) + rng.normal(size=len(labels))
        said = np.zeros_like(outputs)
        said[np.arange(len(labels)), outputs.argmax(axis=1)] = opinion
        return said * np.sign(outputs)

    assert np.isfinite(run(network(), reward=noisy_opinion)["reward"]).all()
    with pytest.raises(
        ValueError, match=r"noisy_opinion has no gradient to descend; use an LFP rule, or one of softmax, sigmoid"
    ):
        run(network(), reward=noisy_opinion, rule=lfp.rules.Gradient())


def test_regression_with_squared_error():
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (256, 2)).astype(np.float32)
    y = x[:, 0] - 0.5 * x[:, 1]

    def r_squared(outputs, targets):
        return 1 - float(((outputs[:, 0] - targets) ** 2).mean() / targets.var())

    net = lfp.Sequential(lfp.Dense(2, 16, rng=rng), lfp.ReLU(), lfp.Dense(16, 1, rng=rng))
    history = lfp.train(net, (x, y), optimizer=lfp.optim.Adam(net.parameters(), 0.01), reward=lfp.rewards.squared_error,
                        metric=r_squared, epochs=60, batch_size=32, log=None)  # fmt: skip
    assert history["train_r_squared"][-1] > 0.95 and np.isnan(history["test_r_squared"]).all()
    assert lfp.evaluate(net, (x, y), r_squared) > 0.95


def test_accuracy_of_classes_of_one_output_and_of_spikes():
    assert accuracy(np.array([[1, 2], [3, 0]]), np.array([1, 1])) == 0.5
    assert accuracy(np.array([[-1.0], [2.0], [3.0]]), np.array([0, 1, 0])) == pytest.approx(2 / 3)
    spikes = np.zeros((3, 2, 2))
    spikes[:2, 0, 1] = spikes[0, 0, 0] = spikes[2, 1, 0] = 1
    assert accuracy(spikes, np.array([1, 0])) == 1


def test_options_that_make_no_sense():
    net = network()
    for options, says in (
        ({"reduction": "max"}, "reduction"),
        ({"epochs": 0}, "epochs must be an integer >= 1"),
        ({"batch_size": 0}, "batch_size must be an integer >= 1"),
        ({"resume": True}, "needs a checkpoint"),
        ({"clip": -1}, "clip must be a finite number"),
    ):
        with pytest.raises(ValueError, match=says):
            run(net, **options)
    with pytest.raises(ValueError, match="as many targets as inputs"):
        lfp.train(net, (DATA.x_train, DATA.y_train[:-1]), log=None)
    with pytest.raises(ValueError, match=r"labels must be in 0\.\.2"):
        lfp.train(net, (DATA.x_train, DATA.y_train + 1), log=None)


def test_without_a_test_part():
    history = lfp.train(network(), (DATA.x_train, DATA.y_train), epochs=1, log=None)
    assert math.isnan(history["test_accuracy"][0]) and not math.isnan(history["train_accuracy"][0])


def test_an_optimiser_of_another_network_is_refused():
    with pytest.raises(ValueError, match="not this network's"):
        lfp.train(network(), DATA, optimizer=lfp.optim.SGD(network().parameters(), 0.1), log=None)
    with pytest.raises(TypeError, match="optimizer must be one of"):
        lfp.train(network(), DATA, optimizer=lfp.optim.SGD, log=None)


def test_nan_behind_a_step_is_seen_at_once(tmp_path):
    net, path = lfp.Sequential(lfp.Dense(2, 4), lfp.Step(), lfp.Dense(4, 3)), tmp_path / "run.npz"

    def poison(epoch, step, steps):
        if step == 2:
            net[0].weight.value[...] = np.nan

    with pytest.raises(DivergenceError, match=r"epoch 1, step 3: NaN or infinity in parameter 0\.weight"):
        lfp.train(net, DATA, batch_size=32, checkpoint=path, on_step=poison, log=None)
    assert not path.exists()


def test_statistics_that_overflow_are_not_saved(tmp_path):
    net, path = lfp.Sequential(lfp.BatchNorm(2), lfp.Dense(2, 3)), tmp_path / "run.npz"
    huge = np.random.default_rng(0).normal(size=(64, 2)).astype(np.float32) * 1e25
    with pytest.raises(DivergenceError, match=r"0\.running_var is no longer finite"):
        lfp.train(net, (huge, np.zeros(64, int)), checkpoint=path, log=None)
    assert not path.exists()


@pytest.mark.parametrize("kind", ["PCG64", "Philox", "MT19937", "SFC64"])
def test_any_random_generator_goes_through_a_checkpoint(tmp_path, kind):
    def make(seed):
        rng = np.random.Generator(getattr(np.random, kind)(seed))
        return lfp.Sequential(lfp.Dense(2, 8, rng=rng), lfp.Dropout(0.5, rng=rng), lfp.Dense(8, 3, rng=rng))

    whole, first, second = make(0), make(0), make(1)
    run(whole)
    run(first, epochs=2, checkpoint=tmp_path / "run.npz")
    run(second, checkpoint=tmp_path / "run.npz", resume=True)
    assert same_state(whole, second)


def test_rewards_and_targets_that_do_not_fit():
    for reward, says in ((lambda z, y: z[0], "gave shape"), (lambda z, y: z.sum(), "gave shape")):
        with pytest.raises(ValueError, match=says):
            run(network(), reward=reward)
    targets = np.full(len(DATA.x_train), np.nan)
    with pytest.raises(ValueError, match="data: y has NaN"):
        lfp.train(network(), (DATA.x_train, targets), reward=lfp.rewards.squared_error, log=None)


def test_evaluate_takes_outputs_of_any_rank_in_any_number_of_batches():
    net = lfp.Sequential(lfp.Conv2d(1, 2, 3))
    x = np.random.default_rng(0).normal(size=(600, 1, 5, 5))
    seen = []
    lfp.evaluate(net, (x, np.zeros(600)), lambda outputs, targets: seen.append(outputs.shape) or 0.0, batch_size=256)
    assert seen == [(600, 2, 3, 3)]


def test_averages_and_shuffling():
    """With constant reward and metric every average is that constant, also over a last batch that is smaller."""
    seen, net = [], network(dropout=False)

    def constant(outputs, labels):
        seen.append(labels.copy())
        return np.ones_like(outputs)

    history = lfp.train(
        net,
        DATA,
        optimizer=lfp.optim.SGD(net.parameters(), 0.0),
        reward=constant,
        metric=lambda outputs, labels: 1.0,
        batch_size=64,
        epochs=2,
        log=None,
    )
    assert np.all(history["reward"] == 3) and np.all(history["untouched"] == 1)
    assert all(np.all(column == 1) for name, column in history.items() if name.startswith("train"))
    assert not np.array_equal(np.concatenate(seen[:3]), np.concatenate(seen[3:]))  # every epoch has its own order


def test_the_schedule_counts_steps_over_epochs():
    asked = []
    run(network(), epochs=2, schedule=lambda step: asked.append(step) or 0.01)
    assert asked == list(range(10))


def test_clipping_covers_all_parameters():
    net = network(dropout=False)
    optimizer = lfp.optim.SGD(net.parameters(), 1e-3)
    lfp.train(net, DATA, optimizer=optimizer, batch_size=999, epochs=1, clip=1e-3, reduction="sum", log=None)
    assert math.sqrt(sum((p.feedback.astype(float) ** 2).sum() for p in net.parameters())) <= 1e-3 * (1 + 1e-6)


def test_divergence_in_the_last_step_is_seen():
    net = network(dropout=False)
    with pytest.raises(DivergenceError, match=r"step 1: .* no longer finite"):
        lfp.train(
            net,
            DATA,
            optimizer=lfp.optim.SGD(net.parameters(), 1e38),
            reduction="sum",
            reward=lambda outputs, labels: 1e3 * np.ones_like(outputs),
            batch_size=999,
            epochs=1,
            log=None,
        )


def test_an_output_of_exactly_0_says_0():
    assert accuracy(np.array([[0.0]]), np.array([0])) == 1
