// Scene 1: a 2-3-2 network, one sample; forward, feedback, update, as often as is asked. Runs in the worker.
"use strict";

function pageHand(LFP, { ruleOf, activationOf, pass, account, isFinite }) {
  const { array } = LFP;
  const SIZES = [2, 3, 2];

  const parametersOf = ({ w, b, v, c }) => ({
    "0.weight": array([3, 2], w), "0.bias": array([3], b), "2.weight": array([2, 3], v), "2.bias": array([2], c),
  });

  // What goes in at the output: the reward that was set, or that of targets; for the gradient the same without z
  function rewardOf({ r, from }, isGradient) {
    return (z) => {
      const told = array([1, 2], r);
      if (from === "targets") {
        const { gradient, reward } = LFP.REWARDS["squared-error"](z, told);
        return { reward: isGradient ? gradient : reward };
      }
      return { reward: isGradient ? array([1, 2], r.map((v, j) => (z.data[j] ? v / z.data[j] : 0))) : told };
    };
  }

  // Of every connection j, i: a_i w_ji, and the reward that goes back along it
  function connections(get, w, a, rule) {
    const [outputs, inputs] = w.shape, contribution = array(w.shape), share = array(w.shape), { shape } = w;
    const groups = rule.name === "gradient" ? null : LFP.GROUPS[rule.name](rule);
    for (let j = 0; j < outputs; j++) for (let i = 0; i < inputs; i++) {
      const k = j * inputs + i, a_i = a.data[i], w_ji = w.data[k];
      contribution.data[k] = a_i * w_ji;
      if (!groups) share.data[k] = w_ji * get("s.0").data[j];
      else groups.forEach(({ terms }, g) => terms.forEach(([A, W]) => {
        share.data[k] += A(a_i) * W(w_ji) * get(`s.${g}`).data[j];
      }));
    }
    return { shape, contribution: [...contribution.data], share: [...share.data] };
  }

  function look(state, rule, parameters) {
    const isGradient = rule.name === "gradient";
    const layers = [{ type: "dense" }, activationOf(state.activation), { type: "dense" }];
    const x = array([1, 2], state.x);
    const { shown, outputs, reward, r } = pass(layers, rule, parameters, x, rewardOf(state, isGradient));
    const hidden = shown["1.output"];
    const lines = [0, 2].map((place) => {
      const get = (name) => shown[`${place}.${name}`], w = parameters[`${place}.weight`], b = parameters[`${place}.bias`];
      const came = place ? reward : shown["1.input_reward"];
      const change = (name) => [...get(`${name}.feedback`).data].map((d) => state.rate * d);
      return {
        w: [...w.data], b: [...b.data], z: [...get("output").data], came: [...came.data],
        s: rule.name === "epsilon" || isGradient ? [...get("s.0").data] : null,
        ...connections(get, w, place ? hidden : x, rule),
        dw: change("weight"), db: change("bias"),
        account: isGradient ? null : account(get, rule, came, b),
      };
    });
    for (const each of [outputs, r, ...Object.values(shown)]) if (!isFinite(each)) return null;
    return { a: [state.x, [...hidden.data], [...outputs.data]], r: [[...r.data], lines[0].came, lines[1].came], lines };
  }

  function move(parameters, { lines }) {
    lines.forEach(({ dw, db }, k) => {
      dw.forEach((d, n) => (parameters[`${2 * k}.weight`].data[n] += d));
      db.forEach((d, n) => (parameters[`${2 * k}.bias`].data[n] += d));
    });
  }

  // The numbers after state.step steps: 0 is the start, then forward, feedback, update, forward, ...
  return (state) => {
    const round = Math.floor(Math.max(state.step - 1, 0) / 3), phase = state.step ? ((state.step - 1) % 3) + 1 : 0;
    const sides = {};
    for (const side of state.gradient ? ["lfp", "gradient"] : ["lfp"]) {
      const rule = side === "lfp" ? ruleOf(state.rule, state.epsilon) : { name: "gradient" }, parameters = parametersOf(state);
      let now = look(state, rule, parameters);
      for (let k = 0; k < round && now; k++) {
        move(parameters, now);
        now = look(state, rule, parameters);
      }
      if (!now) {
        const who = side === "lfp" ? "LFP" : "gradient descent";
        throw new Error(`After ${round} updates by ${who} the numbers are larger than a computer can hold. ` +
          "Lower the rate η, or take smaller numbers.");
      }
      move(parameters, now);
      const after = look(state, rule, parameters);
      sides[side] = { ...now, after: after && after.a[2] };
    }
    return { sizes: SIZES, round, phase, sides };
  };
}

if (typeof module === "object") module.exports = pageHand;
