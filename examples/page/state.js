// The settings of every scene: what they are called, what they may be, and how they stand in the page's address.
"use strict";

const PageState = (() => {
  const number = (label, usual, min, max, step = 0.1) => ({ kind: "number", label, usual, min, max, step });
  const whole = (label, usual, min, max) => ({ ...number(label, usual, min, max, 1), whole: true });
  const numbers = (labels, usual, min, max, step = 0.1) => ({ kind: "numbers", labels, usual, min, max, step });
  const choice = (label, usual, options) => ({ kind: "choice", label, usual, options });

  const BIG = 1000;
  const RULES = {
    epsilon: "ε", gamma: "γ = 0.25", "alpha-beta": "α = 2, β = 1", "z-plus": "z⁺", "w-square": "w²", flat: "flat",
  };
  const SMALL = { relu: "ReLU", tanh: "tanh", "step:-1": "step, −1 or 1", "step:0": "step, 0 or 1" };
  const ACTIVATIONS = { ...SMALL, sigmoid: "sigmoid" };
  const epsilon = (usual) => number("ε", usual, 0, BIG, 0.05);
  const rate = (usual) => number("rate η", usual, 0, BIG, usual / 10);

  const FIELDS = {
    hand: {
      step: whole("step", 0, 0, 300),
      x: numbers(["x₁", "x₂"], [1, 2], -BIG, BIG),
      w: numbers(["w₁₁", "w₁₂", "w₂₁", "w₂₂", "w₃₁", "w₃₂"], [1, 0.5, -1, 1, 0.5, -1], -BIG, BIG),
      b: numbers(["b₁", "b₂", "b₃"], [0, 0, 0], -BIG, BIG),
      v: numbers(["v₁₁", "v₁₂", "v₁₃", "v₂₁", "v₂₂", "v₂₃"], [1, -1, 1, 0.5, 1, -1], -BIG, BIG),
      c: numbers(["c₁", "c₂"], [1, 0], -BIG, BIG),
      r: numbers(["for y₁", "for y₂"], [2, -1], -BIG, BIG),
      from: choice("these are", "rewards", { rewards: "the rewards r", targets: "targets t: r = y (t − y)" }),
      rule: choice("rule", "epsilon", RULES),
      epsilon: epsilon(1e-6),
      rate: rate(0.05),
      activation: choice("hidden neurons", "relu", SMALL),
      gradient: { kind: "flag", label: "gradient descent beside it", usual: false },
      edge: whole("connection", 6, 0, 11),
    },
    boundaries: {
      data: choice("data", "swirls", { blobs: "blobs", circles: "circles", swirls: "swirls", points: "my own points" }),
      activation: choice("activation", "step:-1", ACTIVATIONS),
      rule: choice("rule of LFP", "epsilon", RULES),
      epsilon: epsilon(0.5),
      rate: rate(0.01),
      batch: whole("batch", 16, 1, 320),
      layers: whole("hidden layers", 2, 1, 4),
      width: whole("neurons in each", 8, 1, 16),
      seed: whole("seed", 0, 0, 9999),
      epoch: whole("epoch", 0, 0, 1000),
      side: choice("look inside", "lfp", { lfp: "LFP", gradient: "gradient" }),
      neuron: whole("neuron", 0, 0, 63),
      points: { kind: "points", label: "points", usual: [] },
    },
    digits: {
      epochs: whole("epochs", 0, 0, 30),
      width: whole("neurons in each hidden layer", 32, 4, 64),
      rate: rate(0.005),
      seed: whole("seed", 0, 0, 9999),
      drawing: { kind: "drawing", label: "drawing", usual: "006fb00000agg90003gb3f8006g202g007g003g007g007f002gb9ga0006ffc10" },
      of: choice("why class", "largest", { largest: "the largest", ...Object.fromEntries([..."0123456789"].map((d) => [d, d])) }),
      rule: choice("rule", "epsilon", { ...RULES, "z-box": "z-box on the pixels, then ε" }),
      epsilon: epsilon(1e-6),
    },
    spikes: {
      x: numbers(["x₁", "x₂"], [0.5, 0.3], -10, 10),
      beta: { ...number("decay β", 0.9, 0, 1, 0.01), slider: true },
      threshold: { ...number("threshold θ", 1, 0.05, 3, 0.05), slider: true },
      reset: choice("reset", "subtract", { subtract: "subtract θ", zero: "to zero", none: "none" }),
      label: choice("output that should spike", "0", { 0: "output 1", 1: "output 2" }),
      updates: { ...whole("updates", 0, 0, 40), slider: true },
      rate: rate(0.005),
      seed: whole("seed of the weights", 25, 0, 9999),
      neuron: whole("neuron", 5, 0, 5),
      time: { ...whole("time step t", 8, 1, 15), slider: true },
    },
  };

  const shown = (text) => (text.length > 24 ? `${text.slice(0, 24)}…` : text);
  const minus = (v) => String(v).replace("-", "−");

  // A number that a field takes. Throws an Error whose message is a sentence.
  function oneNumber(field, label, text) {
    const range = `${field.whole ? "a whole number" : "a number"} from ${minus(field.min)} to ${minus(field.max)}`;
    const plain = text.trim().replace("−", "-");
    if (plain === "") throw new Error(`${label} is empty: type ${range}.`);
    const value = Number(plain);
    if (!Number.isFinite(value)) throw new Error(`${label}: “${shown(text)}” is not a number to use here. Type ${range}.`);
    if (field.whole && !Number.isInteger(value)) throw new Error(`${label}: ${shown(text)} is not whole. Type ${range}.`);
    if (value < field.min || value > field.max) throw new Error(`${label}: ${minus(shown(text))} is out of range. Type ${range}.`);
    return value === 0 ? 0 : value; // no −0
  }

  const parsers = {
    number: (field, text) => oneNumber(field, field.label, text),
    numbers(field, text) {
      const parts = text.split(",");
      const { labels } = field;
      if (parts.length !== labels.length) {
        throw new Error(`${labels.join(", ")}: ${labels.length} numbers are needed, with commas between them.`);
      }
      return parts.map((part, k) => oneNumber(field, field.labels[k], part));
    },
    choice(field, text) {
      if (Object.hasOwn(field.options, text)) return text;
      throw new Error(`${field.label}: “${shown(text)}” is not one of ${Object.keys(field.options).join(", ")}.`);
    },
    flag: (field, text) => text === "1",
    points(field, text) { // x,y in hundredths and the class, three numbers a point
      const all = text === "" ? [] : text.split(",").map(Number);
      const isRight = (v, k) => Number.isInteger(v) && (k % 3 === 2 ? v >= 0 && v <= 2 : Math.abs(v) <= 160);
      if (all.length % 3 || all.length > 180 || !all.every(isRight)) {
        throw new Error(`points: “${shown(text)}” is not a list of at most 60 points x,y,class; x and y in hundredths, ` +
          "from −160 to 160, class 0 to 2.");
      }
      return all.map((v, k) => (k % 3 === 2 ? v : v / 100));
    },
    drawing(field, text) {
      if (!/^[0-9a-g]{64}$/.test(text)) throw new Error(`drawing: “${shown(text)}” is not 64 pixels from 0 to g.`);
      return text;
    },
  };
  const parse = (field, text) => parsers[field.kind](field, text);

  const written = (field, value) => {
    if (field.kind === "flag") return value ? "1" : "0";
    if (field.kind === "points") return value.map((v, k) => (k % 3 === 2 ? v : Math.round(100 * v))).join(",");
    return String(value);
  };

  const usual = (scene) => Object.fromEntries(Object.entries(FIELDS[scene]).map(([name, { usual }]) => [name, usual]));

  // "#scene=hand&x=1,2" -> {scene, state, complaints}: what is wrong is replaced by the usual, and a sentence says so
  function read(hash) {
    const given = new URLSearchParams(hash.replace(/^#/, "")), complaints = [];
    let scene = given.get("scene") ?? "hand";
    if (!Object.hasOwn(FIELDS, scene)) {
      complaints.push(`“${shown(scene)}” is not a scene of this page.`);
      scene = "hand";
    }
    const state = usual(scene);
    for (const [name, text] of given) {
      if (name === "scene" || !Object.hasOwn(FIELDS[scene], name)) continue;
      try {
        state[name] = parse(FIELDS[scene][name], text);
      } catch (error) {
        complaints.push(error.message);
      }
    }
    return { scene, state, complaints };
  }

  // What differs from the usual
  function write(scene, state) {
    const parts = Object.entries(FIELDS[scene]).flatMap(([name, field]) => {
      const text = written(field, state[name]);
      return text === written(field, field.usual) ? [] : [`&${name}=${encodeURIComponent(text).replaceAll("%2C", ",")}`];
    });
    return `#scene=${scene}${parts.join("")}`;
  }

  return { FIELDS, parse, oneNumber, written, usual, read, write };
})();

if (typeof module === "object") module.exports = PageState;
