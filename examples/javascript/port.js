// The engine's answers to the conformance vectors.
//
//     lfp-ref conform export v && node port.js v out && lfp-ref conform check v out
"use strict";

const fs = require("fs"), path = require("path");
const LFP = require("./lfp.js");

// A case's quantities
function answer(about) {
  const { array } = LFP, found = {};
  const copy = (x) => ({ shape: x.shape, data: Array.from(x.data) });
  const show = (name, x) => (found[name] = copy(x));
  const read = (group) => Object.fromEntries(Object.entries(group).map(([k, x]) => [k, array(x.shape, x.data)]));
  const inputs = read(about.inputs), parameters = read(about.parameters), { options } = about;

  const computes = {
    pass() {
      const keep = Object.fromEntries(Object.keys(inputs).filter((k) => k.endsWith(".keep")).map((k) => [k.slice(0, -5), inputs[k]]));
      const net = LFP.network(about.layers, about.rule, parameters, { ...about, keep, show });
      net.forward(inputs.x);
      net.feedback(inputs.reward);
    },
    reward() {
      const all = LFP.REWARDS[about.reward](inputs.outputs, inputs.targets, options);
      Object.entries(all).forEach(([name, x]) => show(name, x));
    },
    optimiser() {
      const walk = LFP.optimiser(about.optimiser, options);
      for (let t = 0; `feedback.${t}` in inputs; t++) {
        walk.step([inputs.value], [inputs[`feedback.${t}`]]);
        Object.entries(walk.state).forEach(([slot, [x]]) => show(`${slot}.${t}`, x));
        show(`value.${t}`, inputs.value);
      }
    },
    clip() {
      const { norm, clipped } = LFP.clip(Object.values(inputs), options.max_norm);
      show("norm", array([1], [norm]));
      clipped.forEach((x, k) => show(`clipped.${k}`, x));
    },
    schedule() {
      const rate = LFP.oneCycle(options);
      show("rate", array([options.steps], Array.from({ length: options.steps }, (_, step) => rate(step))));
    },
    encoding() {
      const { x, uniform } = inputs;
      show("output", about.encoding === "rate" ? LFP.rateCode(x, uniform, options) : LFP.latencyCode(x, about.steps, options));
    },
    training() {
      const names = Object.keys(parameters), walk = LFP.optimiser(about.optimiser, options);
      for (let t = 0; t < about.updates; t++) {
        const learned = {};
        const spy = (name, x) => name.endsWith(".feedback") && (learned[name.slice(0, -9)] = x);
        const net = LFP.network(about.layers, about.rule, parameters, { ...about, show: spy });
        const outputs = net.forward(inputs.x), samples = inputs.x.shape[0];
        const { reward } = LFP.REWARDS[about.reward](outputs, inputs.targets, {});
        const told = about.reduction === "mean" ? array(reward.shape, reward.data.map((r) => r / samples)) : reward;
        net.feedback(told);
        show(`outputs.${t}`, outputs);
        show(`told.${t}`, told);
        names.forEach((name) => show(`feedback.${t}.${name}`, learned[name]));
        let feedback = names.map((name) => learned[name]);
        if (about.clip !== null) {
          const { norm, clipped } = LFP.clip(feedback, about.clip);
          show(`norm.${t}`, array([1], [norm]));
          feedback = clipped;
        }
        walk.step(names.map((name) => parameters[name]), feedback);
        names.forEach((name) => show(`value.${t}.${name}`, parameters[name]));
      }
    },
  };
  computes[about.computes]();
  return found;
}

function main([vectors, out]) {
  const read = (name) => JSON.parse(fs.readFileSync(path.join(vectors, `${name}.json`), "utf8"));
  fs.mkdirSync(out, { recursive: true });
  for (const family of Object.keys(read("index").families)) {
    const answers = Object.fromEntries(read(family).cases.map((about) => [about.name, answer(about)]));
    fs.writeFileSync(path.join(out, `${family}.json`), JSON.stringify(answers));
  }
}

module.exports = { ...LFP, answer };
if (require.main === module) {
  if (process.argv.length !== 4) {
    console.error("usage: node port.js VECTORS OUT");
    process.exit(2);
  }
  main(process.argv.slice(2));
}
