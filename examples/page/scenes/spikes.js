// Scene 4, spikes: membranes, thresholds, spikes, and the reward on its way back in time.
"use strict";

(() => {
  const { COLOURS, el, svg, button, num, formula, polyline, sign, sum, isCalm, pause, partsOf } = PageTools;
  const { controlsOf, fieldset } = PageControls;
  const FIELDS = PageState.FIELDS.spikes, NAMES = ["hidden 1", "hidden 2", "hidden 3", "hidden 4", "output 1", "output 2"];
  const TOP = 18, HIGH = 84, LOW = 44, HEIGHT = TOP + HIGH + LOW + 8; // of a row: spikes, membrane, reward
  let access, parts, controls, playing = 0;

  const layerOf = (neuron) => (neuron < 4 ? [0, neuron] : [1, neuron - 4]);
  const rewardOf = ({ r, c }, j, t) => r[j][t] + (c[j][t + 1] ?? 0); // R[t]: what it was given, and what comes from t + 1

  // ---- a neuron over time

  function raster({ layers, T }, neuron, state, width) {
    const [l, j] = layerOf(neuron), line = layers[l], u = line.u[j], step = (width - 20) / T, x = (t) => 10 + step * (t + 0.5);
    const top = Math.max(1.1 * state.threshold, ...u), bottom = Math.min(0, ...u);
    const y = (v) => TOP + HIGH * (1 - (v - bottom) / (top - bottom)), middle = TOP + HIGH + 4 + LOW / 2;
    const across = (at, look) => svg("line", { x1: 10, x2: width - 10, y1: at, y2: at, ...look });

    const most = Math.max(1e-300, ...line.r.flatMap((each, k) => each.map((_, t) => Math.abs(rewardOf(line, k, t)))));
    const bars = u.map((_, t) => {
      const R = rewardOf(line, j, t), high = ((LOW / 2) * Math.abs(R)) / most;
      return svg("rect", {
        x: x(t) - 0.36 * step, y: R > 0 ? middle - high : middle, width: 0.72 * step, height: high,
        fill: COLOURS[sign(R)], opacity: t + 1 >= state.time ? 1 : 0.12, // what has not been reached yet is faint
      });
    });
    const ticks = line.spikes[j].map((s, t) =>
      s ? svg("line", { x1: x(t), x2: x(t), y1: 2, y2: TOP - 4, stroke: "#1c2630", "stroke-width": 3.5 }) : null);
    const when = line.spikes[j].flatMap((s, t) => (s ? [t + 1] : [])).join(", ") || "no step";
    const label = `${NAMES[neuron]}: spikes at ${when}`;
    const picture = svg("svg", { width, height: HEIGHT, viewBox: `0 0 ${width} ${HEIGHT}`, role: "img", "aria-label": label },
      svg("rect", { x: x(state.time - 1) - step / 2, y: 0, width: step, height: HEIGHT, class: "cursor" }),
      across(y(0), { class: "rule" }),
      across(y(state.threshold), { stroke: "#767f88", "stroke-dasharray": "5 4" }),
      svg("path", { d: polyline(u.map((v, t) => [x(t), y(v)])), fill: "none", stroke: "#1c2630", "stroke-width": 2 }),
      ticks, across(middle, { class: "rule" }), bars);
    picture.addEventListener("click", ({ clientX }) => {
      const box = picture.getBoundingClientRect(), t = Math.ceil((((clientX - box.left) * width) / box.width - 10) / step);
      access.set({ neuron, time: Math.max(1, Math.min(T, t)) });
    });
    return picture;
  }

  function row(result, neuron, state, width) {
    const [l, j] = layerOf(neuron), count = sum(result.layers[l].spikes[j]), isChosen = state.neuron === neuron;
    const note = `${count} spike${count === 1 ? "" : "s"}${l === 1 && j === Number(state.label) ? ", should spike" : ""}`;
    const look = { class: "quiet", "aria-pressed": String(isChosen), "data-neuron": neuron };
    return el("div", { class: isChosen ? "raster chosen" : "raster" },
      button(NAMES[neuron], () => access.set("neuron", neuron), look),
      el("span", { class: "small", "data-name": `count.${neuron}` }, note),
      raster(result, neuron, state, width));
  }

  // ---- its numbers at one step

  function equations({ layers }, state) {
    const [l, j] = layerOf(state.neuron), t = state.time - 1, line = layers[l], { beta, threshold, reset } = state;
    const [u, v, current, r, flow, s, c] = ["u", "v", "current", "r", "flow", "s", "c"].map((name) => line[name][j][t]);
    const taken = reset === "subtract" && t && line.u[j][t - 1] > threshold ? threshold : 0, R = rewardOf(line, j, t);
    return [
      el("h3", {}, `${NAMES[state.neuron]} at step ${state.time}`),
      formula("u = β v + I − taken = # · # + # − # = #", beta, v, current, taken, num(u, "u")),
      el("p", {}, line.spikes[j][t] ? "It is above θ: the neuron fires." : "It is not above θ: the neuron is silent."),
      formula(`R = r + c_{${state.time + 1}} = # + # = #`, num(r, "r"), R - r, num(R, "R")),
      formula("s = R / (|v| + |u + taken − v| + ε) = # / # = #", R, flow + 1e-6, num(s, "s")),
      formula(`c_{${state.time}} = β v s = # · # · # = #`, beta, v, s, num(c, "c")),
      el("p", {}, t ? `c goes on to step ${t}, the rest of the reward to the inputs of this step.`
        : "This is the first step: the reward has arrived."),
      el("p", { class: "hint" }, "v: membrane of the step before; I: current of the inputs; taken: what the reset takes; ",
        "r: reward of this output; c: reward that a step hands to the one before it."),
    ];
  }

  // ---- the scene

  async function play() {
    const own = ++playing;
    if (isCalm()) return access.set("time", 1);
    for (let time = 15; time >= 1 && own === playing; time--) {
      access.set("time", time);
      await pause(280);
    }
  }

  function mount(section, given) {
    access = given;
    parts = partsOf(section);
    controls = controlsOf(FIELDS, ["x.0", "x.1", "beta", "threshold", "reset", "label", "updates", "rate", "seed", "time"], access);
    const more = () => access.set("updates", Math.min(FIELDS.updates.max, access.state().updates + 1));
    parts.steps.append(button("Back in time", play), button("Update", more),
      button("Start again", () => access.set(PageState.usual("spikes"))), controls.time.node);
    controls.time.node.classList.add("wide");
    const group = (title, ...names) => fieldset(title, names.map((name) => controls[name]));
    parts.panel.append(group("inputs, constant over time", "x.0", "x.1"), group("neurons", "beta", "threshold", "reset"),
      group("reward", "label"), group("training", "updates", "rate", "seed"));
  }

  function draw(result, state) {
    const room = parts.rasters.clientWidth, width = Math.floor(room > 620 ? (room - 16) / 2 : room) - 18;
    const focused = document.activeElement?.closest?.("#spikes [data-neuron]")?.dataset.neuron;
    parts.rasters.replaceChildren(...NAMES.map((_, neuron) => row(result, neuron, state, width)));
    if (focused !== undefined) parts.rasters.querySelector(`[data-neuron="${focused}"]`).focus();
    parts.equation.replaceChildren(...equations(result, state));
    show();
  }

  const show = () => Object.values(controls).forEach((each) => each.show());
  Page.scenes.spikes = { mount, draw, show, code: PageCode.spikes };
})();
