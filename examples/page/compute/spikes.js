// Scene 4: a 2-4-2 network of leaky integrate-and-fire neurons over 15 steps. Runs in the worker.
"use strict";

function pageSpikes(LFP, { draws, initial, pass, isFinite }) {
  const { array } = LFP;
  const SIZES = [2, 4, 2], T = 15, EPSILON = 1e-6;

  function layer(shown, place, { beta, threshold, reset }, came) {
    const u = shown[`${place}.membrane`], [, , neurons] = u.shape, s = shown[`${place}.s.0`];
    const list = (x) => Array.from({ length: neurons }, (_, j) => Array.from({ length: T }, (_, t) => x.data[t * neurons + j]));
    const v = array(u.shape), c = array(u.shape);
    u.data.forEach((_, k) => {
      const before = k < neurons ? 0 : u.data[k - neurons];
      v.data[k] = reset === "zero" && before > threshold ? 0 : before;
      c.data[k] = beta * v.data[k] * s.data[k]; // what step t hands to step t - 1
    });
    return {
      u: list(u), v: list(v), current: list(shown[`${place}.current`]), spikes: list(shown[`${place}.output`]),
      r: list(came), flow: list(shown[`${place}.flow`]), s: list(s), c: list(c),
    };
  }

  return (state) => {
    const { beta, threshold, reset, rate, label, updates } = state;
    const layers = SIZES.slice(1).map(() => ({ type: "lif", layer: { type: "dense" }, beta, threshold, reset }));
    const parameters = {};
    for (const [name, value] of Object.entries(initial(SIZES, draws(state.seed)))) {
      parameters[`${name[0] / 2}.${name.slice(2)}`] = array(value.shape, value.data.map((w) => 2 * w)); // so that it spikes
    }
    const names = Object.keys(parameters), walk = LFP.optimiser("sgd", { lr: rate });
    const x = array([1, 2], state.x), y = array([1], [Number(label)]);
    const look = () => pass(layers, { name: "epsilon", epsilon: EPSILON }, parameters, x,
      (spikes) => LFP.REWARDS["rate-coded"](spikes, y), { steps: T, input: "constant" });
    let now = look();
    for (let k = 0; k < updates; k++) {
      walk.step(names.map((name) => parameters[name]), names.map((name) => now.shown[`${name}.feedback`]));
      now = look();
    }
    const { shown, reward, r } = now;
    if (![...Object.values(shown), r].every(isFinite)) {
      throw new Error(`After ${updates} updates the numbers are larger than a computer can hold. Lower the rate η.`);
    }
    const [hidden, out] = [layer(shown, 0, state, shown["1.input_reward"]), layer(shown, 1, state, reward)];
    return { T, layers: [hidden, out], r: [...r.data], counts: out.spikes.map((each) => each.reduce((a, b) => a + b, 0)) };
  };
}

if (typeof module === "object") module.exports = pageSpikes;
