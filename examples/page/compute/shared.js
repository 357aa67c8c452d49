// What the scenes' computing shares: networks of dense layers, a pass with all it shows, the balance of a layer,
// and random numbers that are the same in Python. Runs in the worker.
"use strict";

function pageShared(LFP) {
  const { array } = LFP;
  const sum = (x) => x.reduce((a, b) => a + b, 0);

  // A rule of the engine. Its numbers, but for epsilon, are the usual ones of lfp_ref.
  function ruleOf(name, epsilon) {
    const numbers = { gamma: { gamma: 0.25 }, "alpha-beta": { alpha: 2, beta: 1 }, "z-box": { low: -1, high: 1 } };
    return name === "gradient" ? { name } : { name, epsilon, ...numbers[name] };
  }

  // "step:-1" -> {type: "step", parameter: -1}
  function activationOf(text) {
    const [type, parameter] = text.split(":");
    return parameter === undefined ? { type } : { type, parameter: Number(parameter) };
  }

  // Dense layers with an activation in between: layer k of the list of sizes has the place 2k
  function dense(sizes, activation) {
    const layers = sizes.slice(1).map(() => [{ type: "dense" }, activationOf(activation)]).flat();
    return layers.slice(0, -1);
  }

  // Uniform in 0..1; "Show me the code" has the same lines in Python
  function* draws(seed) {
    let state = ((seed + 1) * 2654435761) % 2 ** 32;
    for (;;) {
      state = (state * 1664525 + 1013904223) % 2 ** 32;
      yield state / 2 ** 32;
    }
  }

  // Weights and biases within ±1 / sqrt(inputs), as lfp_ref has them
  function initial(sizes, random) {
    const parameters = {};
    sizes.slice(1).forEach((outputs, k) => {
      const inputs = sizes[k], bound = 1 / Math.sqrt(inputs);
      const some = (n) => Array.from({ length: n }, () => (2 * random.next().value - 1) * bound);
      parameters[`${2 * k}.weight`] = array([outputs, inputs], some(outputs * inputs));
      parameters[`${2 * k}.bias`] = array([outputs], some(outputs));
    });
    return parameters;
  }

  // An order of n samples
  function shuffled(n, random) {
    const keys = Array.from({ length: n }, () => random.next().value);
    return keys.map((_, k) => k).sort((i, j) => keys[i] - keys[j]);
  }

  const rows = (x, chosen) => {
    const size = x.data.length / x.shape[0], out = array([chosen.length, ...x.shape.slice(1)]);
    chosen.forEach((n, k) => out.data.set(x.data.subarray(n * size, (n + 1) * size), k * size));
    return out;
  };

  // One pass; rewardOf(outputs) -> {reward, ...}. Everything that the engine shows, by name, and outputs, reward, r
  function pass(...about) {
    const [layers, rule, parameters, x, rewardOf, options] = about;
    return passes(layers, rule, parameters, options)(x, rewardOf);
  }

  // The same for many passes of one network
  function passes(layers, rule, parameters, options = {}) {
    let shown;
    const net = LFP.network(layers, rule, parameters, { ...options, show: (name, value) => (shown[name] = value) });
    return (x, rewardOf) => {
      shown = {};
      const outputs = net.forward(x), { reward } = rewardOf(outputs);
      return { shown, outputs, reward, r: net.feedback(reward) };
    };
  }

  function accuracy(outputs, labels) {
    const classes = outputs.shape[1];
    let right = 0;
    labels.data.forEach((label, n) => {
      const z = outputs.data.subarray(n * classes, (n + 1) * classes);
      right += z.indexOf(Math.max(...z)) === label ? 1 : 0;
    });
    return right / labels.data.length;
  }

  const isFinite = (x) => x.data.every(Number.isFinite);

  // Where the reward r of a dense layer's outputs went, over all samples: what lfp_ref.balance says of that layer.
  // get(name): the engine's quantity of this layer
  function account(get, rule, r, b) {
    const z = get("output"), outputs = z.shape[1], line = { came: sum(r.data), handed: sum(get("input_reward").data) };
    const kept = { bias: 0, stabiliser: 0, mask: 0, "empty group": 0 };
    const groups = LFP.GROUPS[rule.name](rule);
    const taken = (z_j) => sum(groups.map(({ c = 1, mask = () => true }) => (mask(z_j) ? c : 0)));
    groups.forEach(({ c = 1, mask = () => true, terms }, number) => {
      const D = rule.name === "epsilon" ? z : get(`denominator.${number}`), s = get(`s.${number}`);
      s.data.forEach((v, k) => {
        const part = mask(z.data[k]) ? c * r.data[k] : 0, d = D.data[k];
        kept.bias += sum(terms.map(([, , B]) => v * B(b.data[k % outputs])));
        kept.stabiliser += d === 0 ? 0 : Math.sign(d) * v * rule.epsilon;
        kept["empty group"] += d === 0 ? part : 0;
      });
    });
    r.data.forEach((v, k) => (kept.mask += v * (1 - taken(z.data[k]))));
    return { ...line, kept };
  }

  return {
    ruleOf, activationOf, dense, draws, initial, shuffled, rows, pass, passes, accuracy, isFinite, account, sum,
  };
}

if (typeof module === "object") module.exports = pageShared;
