// Scene 2: LFP and gradient descent learn points in the plane, from the same start. Runs in the worker.
"use strict";

function pageBoundaries(LFP, { ruleOf, dense, sum }, { learner, advance }, toys) {
  const { array } = LFP;
  const SIDE = 1.6; // the picture shows -1.6..1.6 in both directions
  let run = null, key = "";

  function plane(n) {
    const at = (k) => -SIDE + (2 * SIDE * (k + 0.5)) / n;
    return array([n * n, 2], Array.from({ length: 2 * n * n }, (_, k) =>
      k % 2 ? -at(Math.floor(k / 2 / n)) : at(Math.floor(k / 2) % n))); // row by row, from the top
  }
  const FINE = plane(64), COARSE = plane(20);

  // Points that the visitor set, [x, y, class, ...]: learnt and tested alike
  function own(points) {
    const n = points.length / 3, pick = (which) => points.filter((_, k) => which(k % 3));
    const x = array([n, 2], pick((k) => k < 2)), y = array([n], pick((k) => k === 2));
    return { classes: 3, x, y, xTest: x, yTest: y };
  }

  function dataOf({ data, points }) {
    if (data === "points") return own(points);
    const { classes, x_train, y_train, x_test, y_test } = toys[data];
    const x = (numbers) => array([numbers.length / 2, 2], numbers.map(Math.fround));
    const y = (digits) => array([digits.length], [...digits].map(Number));
    return { classes, x: x(x_train), y: y(y_train), xTest: x(x_test), yTest: y(y_test) };
  }

  function start(state) {
    const data = dataOf(state), sizes = [2, ...Array(state.layers).fill(state.width), data.classes];
    const about = { sizes, layers: dense(sizes, state.activation), rate: state.rate, batch: state.batch, seed: state.seed };
    const learners = [ruleOf(state.rule, state.epsilon), { name: "gradient" }].map((rule) => learner({ ...about, rule }, data));
    return { data, sizes, learners };
  }

  // The class with the largest output, and how sure: 0..1 of the softmax
  function colours(net) {
    if (net.diverged !== null) return null;
    const z = net.forward(FINE);
    const classes = z.shape[1];
    return Array.from({ length: z.shape[0] }, (_, n) => {
      const row = z.data.subarray(n * classes, (n + 1) * classes), most = Math.max(...row);
      return [row.indexOf(most), 1 / sum(row.map((v) => Math.exp(v - most)))];
    });
  }

  // Column j of an array (N, width), for every j
  const columns = ({ data, shape: [N, width] }) =>
    Array.from({ length: width }, (_, j) => Array.from({ length: N }, (__, n) => data[n * width + j]));

  // The reward that goes back along every connection of a layer for all samples (flow), and how much of it, whatever its
  // sign (size); lists in the order of w
  function shares({ rule }, w, a, sOf) {
    const [outputs, inputs] = w.shape, N = a.shape[0], flow = Array(w.data.length).fill(0), size = Array(w.data.length).fill(0);
    const groups = rule.name === "gradient" ? [{ terms: [[() => 1, (v) => v]] }] : LFP.GROUPS[rule.name](rule);
    groups.forEach(({ terms }, g) => terms.forEach(([A, W]) => {
      const s = sOf(g).data;
      for (let n = 0; n < N; n++) for (let k = 0; k < flow.length; k++) {
        const part = A(a.data[n * inputs + (k % inputs)]) * W(w.data[k]) * s[n * outputs + Math.floor(k / inputs)];
        flow[k] += part;
        size[k] += Math.abs(part);
      }
    }));
    return { flow, size };
  }

  // Of every hidden neuron its output over the plane and its reward at the training points; of every layer its shares
  function inside(net, { x, y }, sizes) {
    const plain = {}, { shown } = net.look(x, y), hidden = sizes.slice(1, -1).map((_, k) => 2 * k + 1);
    LFP.network(net.layers, net.rule, net.parameters, { show: (name, a) => (plain[name] = a) }).forward(COARSE);
    return {
      maps: hidden.map((place) => columns(plain[`${place}.output`])),
      rewards: hidden.map((place) => columns(shown[`${place + 1}.input_reward`])),
      shares: sizes.slice(1).map((_, k) => shares(net, net.parameters[`${2 * k}.weight`], k ? shown[`${2 * k - 1}.output`] : x,
        (g) => shown[`${2 * k}.s.${g}`])),
    };
  }

  return (state) => {
    const { data, points, activation, rule, epsilon, rate, batch, layers, width, seed } = state;
    const now = JSON.stringify({ data, points, activation, rule, epsilon, rate, batch, layers, width, seed });
    if (data === "points" && points.length < 6) {
      throw new Error("Set at least two points: choose a class and click into the plane.");
    }
    if (now !== key || run.learners[0].epoch > state.epoch) {
      run = start(state);
      key = now;
    }
    advance(run.learners, state.epoch, 60);
    const [lfp, gradient] = run.learners, side = state.side === "gradient" ? gradient : lfp;
    return {
      epoch: lfp.epoch, sizes: run.sizes,
      points: Object.fromEntries(["x", "y", "xTest", "yTest"].map((name) => [name, [...run.data[name].data]])),
      diverged: run.learners.map((each) => each.diverged),
      history: run.learners.map((each) => each.history),
      colours: run.learners.map(colours),
      first: run.learners.map((each) => each.firstFeedback(run.data.x, run.data.y)),
      inside: side.diverged === null ? inside(side, run.data, run.sizes) : null,
    };
  };
}

if (typeof module === "object") module.exports = pageBoundaries;
