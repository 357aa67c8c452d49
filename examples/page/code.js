// "Show me the code": the Python lines that compute with lfp_ref what a scene shows.
"use strict";

const PageCode = (() => {
  const LAYERS = {
    relu: "lfp.ReLU()", tanh: "lfp.Tanh()", sigmoid: "lfp.Sigmoid()", "step:0": "lfp.Step(0)", "step:-1": "lfp.Step(-1)",
  };
  const RULES = {
    epsilon: "Epsilon(", gamma: "Gamma(0.25, ", "alpha-beta": "AlphaBeta(2, 1, ", "z-plus": "ZPlus(", "w-square": "WSquare(",
    flat: "Flat(", "z-box": "ZBox(-1, 1, ",
  };
  const rule = (name, epsilon) => `lfp.rules.${RULES[name]}epsilon=${epsilon})`;
  const list = (numbers) => `[${numbers.join(", ")}]`;
  const grid = (numbers, columns) => list(numbers.flatMap((_, k) => (k % columns ? [] : [list(numbers.slice(k, k + columns))])));

  const RANDOM = `

def draws(seed):  # the page's random numbers in 0..1
    state = (seed + 1) * 2654435761 % 2**32
    while True:
        state = (state * 1664525 + 1013904223) % 2**32
        yield state / 2**32


def initialise(parameters, random, factor=1.0):  # weight, bias, weight, bias, ...
    for weight, bias in zip(parameters[::2], parameters[1::2]):
        bound = 1 / np.sqrt(weight.value.shape[1])
        for parameter in (weight, bias):
            numbers = [(2 * next(random) - 1) * bound * factor for _ in range(parameter.value.size)]
            parameter.value = np.reshape(numbers, parameter.value.shape)


`;

  function hand({ step, x, w, b, v, c, r, from, rule: name, epsilon, rate, activation }) {
    const rounds = Math.floor(Math.max(step - 1, 0) / 3) + 1;
    const numbers = `np.array(${grid(r, 2)}, dtype=float)`;
    const reward = from === "targets" ? `lfp.rewards.squared_error(y, ${numbers})` : numbers;
    return `import numpy as np
import lfp_ref as lfp

net = lfp.Sequential(
    lfp.Dense(2, 3, dtype=np.float64), ${LAYERS[activation]}, lfp.Dense(3, 2, dtype=np.float64)
)
hidden, output = net[0], net[2]
hidden.weight.value = ${grid(w, 2)}
hidden.bias.value = ${list(b)}
output.weight.value = ${grid(v, 3)}
output.bias.value = ${list(c)}

x = np.array(${grid(x, 2)}, dtype=float)
optimizer = lfp.optim.SGD(net.parameters(), lr=${rate})
for round in range(${rounds}):
    y = net.forward(x)
    reward = ${reward}
    r = net.feedback(reward, ${rule(name, epsilon)})
    print("outputs", y, "rewards of the inputs", r)
    print(lfp.balance(net).table())
    changes = [${rate} * parameter.feedback for parameter in net.parameters()]
    optimizer.step()
print("outputs after the update", net.forward(x))
`;
  }

  // Training as the worker does it: data x, y, x_test, y_test, a network, batches in the page's order
  const training = (lfpRule, { rate, batch, epochs }) => `optimizer = lfp.optim.Adam(net.parameters(), lr=${rate})
rule = ${lfpRule}  # or lfp.rules.Gradient() with lfp.rewards.softmax.gradient
for epoch in range(${epochs}):
    keys = [next(random) for _ in y]
    order = sorted(range(len(y)), key=keys.__getitem__)
    for start in range(0, len(y), ${batch}):
        chosen = order[start : start + ${batch}]
        z = net.forward(x[chosen])
        net.feedback(lfp.rewards.softmax(z, y[chosen]) / len(chosen), rule)
        optimizer.step()
`;

  function boundaries({ data, activation, rule: name, epsilon, rate, batch, layers, width, seed, epoch, points }) {
    const classes = data === "points" || data === "blobs" ? 3 : 2, sizes = [2, ...Array(layers).fill(width), classes];
    const own = points.filter((_, k) => k % 3 < 2), labels = points.filter((_, k) => k % 3 === 2);
    const load = data === "points"
      ? `x = x_test = np.array(${grid(own, 2)}, dtype=float).reshape(-1, 2)\ny = y_test = np.array(${list(labels)}, dtype=int)`
      : `data = lfp.datasets.${data}(400)\nx, y, x_test, y_test = data.x_train, data.y_train, data.x_test, data.y_test`;
    return `import numpy as np
import lfp_ref as lfp
${RANDOM}${load}
sizes, layers = ${list(sizes)}, []
for inputs, outputs in zip(sizes, sizes[1:]):
    layers += [lfp.Dense(inputs, outputs, dtype=np.float64), ${LAYERS[activation]}]
net = lfp.Sequential(*layers[:-1])
random = draws(${seed})
initialise(net.parameters(), random)
${training(rule(name, epsilon), { rate, batch, epochs: epoch })}
accuracy = np.mean(net.forward(x_test).argmax(axis=1) == y_test)
print(f"held-out accuracy {accuracy:.1%}")
`;
  }

  function digits({ epochs, width, rate, seed, drawing, of, rule: name, epsilon }) {
    const why = name === "z-box"
      ? `{"0": ${rule("z-box", epsilon)}, lfp.Layer: ${rule("epsilon", epsilon)}}`
      : rule(name, epsilon);
    return `import numpy as np
import lfp_ref as lfp
${RANDOM}data = lfp.datasets.load_digits()
x, y = data.x_train.reshape(-1, 64), data.y_train
x_test, y_test = data.x_test.reshape(-1, 64), data.y_test
net = lfp.Sequential(
    lfp.Dense(64, ${width}, dtype=np.float64), lfp.ReLU(),
    lfp.Dense(${width}, ${width}, dtype=np.float64), lfp.ReLU(),
    lfp.Dense(${width}, 10, dtype=np.float64),
)
random = draws(${seed})
initialise(net.parameters(), random)
${training(rule("epsilon", 1e-6), { rate, batch: 32, epochs })}
accuracy = np.mean(net.forward(x_test).argmax(axis=1) == y_test)
print(f"held-out accuracy {accuracy:.1%}")

drawing = np.array([[int(letter, 17) / 8 - 1 for letter in "${drawing}"]])
scores = net.forward(drawing)
heat = lfp.explain(net, drawing, ${of === "largest" ? "None" : of}, ${why})
print("scores", scores.round(3))
print(heat.reshape(8, 8).round(3))
print(lfp.balance(net).table())
`;
  }

  function spikes({ x, beta, threshold, reset, label, updates, rate, seed }) {
    return `import numpy as np
import lfp_ref as lfp
${RANDOM}neuron = {"beta": ${beta}, "threshold": ${threshold}, "reset": "${reset}"}
net = lfp.Spiking(
    lfp.LIF(lfp.Dense(2, 4, dtype=np.float64), **neuron), lfp.LIF(lfp.Dense(4, 2, dtype=np.float64), **neuron), steps=15
)
initialise(net.parameters(), draws(${seed}), factor=2)

x = np.array(${grid(x, 2)}, dtype=float)
label = np.array([${label}])
optimizer = lfp.optim.SGD(net.parameters(), lr=${rate})
for update in range(${updates} + 1):
    if update:
        optimizer.step()
    spikes = net.forward(x)  # (15, 1, 2)
    r = net.feedback(lfp.rewards.rate_coded(spikes, label))
print("spikes of both outputs", spikes.sum(axis=0))
print("membrane of the first output", net[1].membrane[:, 0, 0].round(3))
print("rewards of the inputs", r)
`;
  }

  return { hand, boundaries, digits, spikes };
})();
