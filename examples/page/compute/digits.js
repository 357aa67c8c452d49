// Scene 3: a network learns the bundled digits, then says of a drawing why. Runs in the worker.
"use strict";

function pageDigits(LFP, { ruleOf, dense, rows, pass, account }, { learner, advance }, texts) {
  const { array } = LFP;
  const value = (letter) => parseInt(letter, 17) / 8 - 1; // "0".."g", as -1..1
  const images = (text) => array([text.length / 64, 64], [...text].map(value));
  const labels = (text) => array([text.length], [...text].map(Number));
  const data = {
    x: images(texts.train), y: labels(texts.train_labels), xTest: images(texts.test), yTest: labels(texts.test_labels),
  };
  const first = Array.from({ length: 64 }, (_, n) => n), some = { x: rows(data.x, first), y: rows(data.y, first) };
  let run = null, key = "";

  function start({ width, seed, rate }) {
    const sizes = [64, width, width, 10];
    return learner({ sizes, layers: dense(sizes, "relu"), rule: ruleOf("epsilon", 1e-6), rate, batch: 32, seed }, data);
  }

  // Why an output is what it is: that output as the reward, handed back by a rule. z-box is for the layer of the pixels
  function explain(net, x, target, { rule, epsilon }) {
    const above = ruleOf(rule === "z-box" ? "epsilon" : rule, epsilon), first = ruleOf(rule, epsilon);
    const layers = net.layers.map((layer, k) => (k ? layer : { ...layer, rule: first }));
    const rewardOf = (z) => ({ reward: array(z.shape, z.data.map((v, j) => (j === target ? v : 0))) });
    const { shown, outputs, reward, r } = pass(layers, above, net.parameters, x, rewardOf);
    const lines = [0, 2, 4].map((place) => {
      const get = (name) => shown[`${place}.${name}`];
      const came = place === 4 ? reward : shown[`${place + 1}.input_reward`];
      return account(get, place ? above : first, came, net.parameters[`${place}.bias`]);
    });
    return { scores: [...outputs.data], heat: [...r.data], lines };
  }

  return (state) => {
    const now = JSON.stringify([state.width, state.seed, state.rate]);
    if (now !== key || run.epoch > state.epochs) {
      run = start(state);
      key = now;
    }
    advance([run], state.epochs, 40);
    const result = { epoch: run.epoch, history: run.history, diverged: run.diverged };
    if (run.diverged !== null) return result;
    result.first = run.firstFeedback(some.x, some.y);
    const x = images(state.drawing), scores = run.forward(x).data;
    const target = state.of === "largest" ? scores.indexOf(Math.max(...scores)) : Number(state.of);
    return { ...result, target, ...explain(run, x, target, state) };
  };
}

if (typeof module === "object") module.exports = pageDigits;
