// Scene 4, spikes: membranes, thresholds, spikes, and the reward on its way back in time.
"use strict";

(() => {
  const { COLOURS, el, svg, num, formula, sign, isCalm, pause } = PageTools;
  const { control } = PageControls;
  const FIELDS = PageState.FIELDS.spikes, NAMES = ["hidden 1", "hidden 2", "hidden 3", "hidden 4", "output 1", "output 2"];
  const TOP = 18, HIGH = 84, LOW = 44; // of a row: spikes, membrane, reward
  let access, parts, controls, playing = 0;

  const layerOf = (neuron) => (neuron < 4 ? [0, neuron] : [1, neuron - 4]);
  const given = (line, j, t) => line.r[j][t] + (t + 1 < line.c[j].length ? line.c[j][t + 1] : 0); // R[t]

  function row({ layers, T }, neuron, state, width) {
    const [l, j] = layerOf(neuron), line = layers[l], isChosen = state.neuron === neuron, height = TOP + HIGH + LOW + 8;
    const x = (t) => 10 + ((width - 20) * (t + 0.5)) / T, step = (width - 20) / T;
    const top = Math.max(1.1 * state.threshold, ...line.u[j]), bottom = Math.min(0, ...line.u[j]);
    const y = (v) => TOP + HIGH * (1 - (v - bottom) / (top - bottom));
    const most = Math.max(1e-300, ...line.r.flatMap((each, k) => each.map((_, t) => Math.abs(given(line, k, t)))));
    const bars = Array.from({ length: T }, (_, t) => {
      const R = given(line, j, t), high = ((LOW / 2) * Math.abs(R)) / most, mid = TOP + HIGH + 4 + LOW / 2;
      return svg("rect", { x: x(t) - 0.36 * step, y: R > 0 ? mid - high : mid, width: 0.72 * step, height: high, fill: COLOURS[sign(R)], opacity: t + 1 >= state.time ? 1 : 0.12 });
    });
    const picture = svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `${NAMES[neuron]}: spikes at ${line.spikes[j].flatMap((s, t) => (s ? [t + 1] : [])).join(", ") || "no step"}` },
      svg("rect", { x: x(state.time - 1) - step / 2, y: 0, width: step, height, class: "cursor" }),
      svg("line", { x1: 10, x2: width - 10, y1: y(0), y2: y(0), class: "rule" }),
      svg("line", { x1: 10, x2: width - 10, y1: y(state.threshold), y2: y(state.threshold), stroke: "#767f88", "stroke-dasharray": "5 4" }),
      svg("path", { d: line.u[j].map((u, t) => `${t ? "L" : "M"}${x(t).toFixed(1)},${y(u).toFixed(1)}`).join(""), fill: "none", stroke: "#1c2630", "stroke-width": 2, "stroke-linejoin": "round" }),
      line.spikes[j].map((s, t) => s ? svg("line", { x1: x(t), x2: x(t), y1: 2, y2: TOP - 4, stroke: "#1c2630", "stroke-width": 3.5 }) : null),
      svg("line", { x1: 10, x2: width - 10, y1: TOP + HIGH + 4 + LOW / 2, y2: TOP + HIGH + 4 + LOW / 2, class: "rule" }), bars);
    picture.addEventListener("click", (event) => {
      const box = picture.getBoundingClientRect(), t = Math.ceil((((event.clientX - box.left) * width) / box.width - 10) / step);
      access.set({ neuron, time: Math.max(1, Math.min(T, t)) });
    });
    const count = line.spikes[j].reduce((a, b) => a + b, 0);
    const isLabel = l === 1 && j === Number(state.label);
    return el("div", { class: isChosen ? "raster chosen" : "raster" },
      el("button", { type: "button", class: "quiet", "aria-pressed": String(isChosen), "data-neuron": neuron, onclick: () => access.set("neuron", neuron) }, NAMES[neuron]),
      el("span", { class: "small", "data-name": `count.${neuron}` }, `${count} spike${count === 1 ? "" : "s"}${isLabel ? ", should spike" : ""}`), picture);
  }

  function equations({ layers, T }, state) {
    const [l, j] = layerOf(state.neuron), t = state.time - 1, line = layers[l], get = (name) => line[name][j][t];
    const before = t ? line.u[j][t - 1] : 0, taken = state.reset === "subtract" && before > state.threshold ? state.threshold : 0;
    const R = given(line, j, t), next = t + 1 < T ? line.c[j][t + 1] : 0;
    return [
      el("h3", {}, `${NAMES[state.neuron]} at step ${state.time}`),
      formula("u = β v + I − taken = # · # + # − # = #", num(state.beta), num(get("v")), num(get("current")), num(taken), num(get("u"), "u")),
      el("p", {}, get("spikes") ? "It is above θ: the neuron fires." : "It is not above θ: the neuron is silent."),
      formula(`R = r + c_{${state.time + 1}} = # + # = #`, num(get("r"), "r"), num(next), num(R, "R")),
      formula("s = R / (|v| + |u + taken − v| + ε) = # / # = #", num(R), num(get("flow") + 1e-6), num(get("s"), "s")),
      formula(`c_{${state.time}} = β v s = # · # · # = #`, num(state.beta), num(get("v")), num(get("s")), num(get("c"), "c")),
      el("p", {}, t ? `c goes on to step ${t}, the rest of the reward to this step’s inputs.` : "This is the first step: the reward has arrived."),
    ];
  }

  async function play() {
    const own = ++playing;
    for (let time = 15; time >= 1 && own === playing; time--) {
      access.set("time", isCalm() ? 1 : time);
      if (isCalm()) return;
      await pause(280);
    }
  }

  function mount(section, own) {
    access = own;
    parts = Object.fromEntries([...section.querySelectorAll("[data-part]")].map((node) => [node.dataset.part, node]));
    controls = Object.fromEntries(Object.keys(FIELDS).filter((name) => !["x", "neuron"].includes(name)).map((name) => [name, control(FIELDS, name, access)]));
    [0, 1].forEach((k) => (controls[`x.${k}`] = control(FIELDS, "x", access, k)));
    parts.steps.append(
      el("button", { type: "button", onclick: play }, "Back in time"),
      el("button", { type: "button", onclick: () => access.set("updates", Math.min(FIELDS.updates.max, access.state().updates + 1)) }, "Update"),
      el("button", { type: "button", onclick: () => access.set(PageState.usual("spikes")) }, "Start again"),
      controls.time.node);
    controls.time.node.classList.add("wide");
    const group = (title, ...names) => el("fieldset", {}, el("legend", {}, title), el("div", { class: "boxes" }, names.map((name) => controls[name].node)));
    parts.panel.append(group("inputs, constant over time", "x.0", "x.1"), group("neurons", "beta", "threshold", "reset"), group("reward", "label"), group("training", "updates", "rate", "seed"));
  }

  function draw(result, state) {
    const wide = parts.rasters.clientWidth, width = Math.floor(wide > 620 ? (wide - 16) / 2 : wide) - 18;
    const focused = document.activeElement?.closest?.("#spikes [data-neuron]")?.dataset.neuron;
    parts.rasters.replaceChildren(...NAMES.map((_, neuron) => row(result, neuron, state, width)));
    if (focused !== undefined) parts.rasters.querySelector(`[data-neuron="${focused}"]`).focus();
    parts.equation.replaceChildren(...equations(result, state));
    show();
  }

  const show = () => Object.values(controls).forEach((each) => each.show());
  Page.scenes.spikes = { mount, draw, show, code: PageCode.spikes };
})();
