// Scene 2, decision boundaries: two planes side by side, accuracies, own points; what is inside is in inside.js.
"use strict";

(() => {
  const { COLOURS, CLASSES, el, svg, button, percent, formula, curves, paint, mix, num, partsOf } = PageTools;
  const { controlsOf } = PageControls;
  const FIELDS = PageState.FIELDS.boundaries, NAMES = ["LFP", "gradient descent"], SIDE = 1.6;
  const SHAPES = ["circle", "square", "triangle"];
  let access, parts, controls, trainer, planes, inside, kind = 0, cursor = [0, 0], drawnPoints = "";

  const SOME = [-0.9, 0.6, 0, -0.5, -0.7, 0, 0.2, 0.3, 1, 0.7, -0.5, 1, 0.9, 0.8, 2, -0.2, 1.1, 2]; // x, y, class
  const PRESETS = [
    ["swirls, steps", { data: "swirls" }],
    ["circles, steps", { data: "circles", rate: 0.03, layers: 1, width: 12 }],
    ["swirls, ReLU", { data: "swirls", activation: "relu", epsilon: 1e-6, width: 12 }],
    ["steps without ε", { data: "swirls", epsilon: 1e-6 }],
    ["my own points", { data: "points", batch: 4, points: SOME }],
  ];

  // ---- the planes

  function shape(x, y, label, size, attributes) {
    if (label === 0) return svg("circle", { cx: x, cy: y, r: size, ...attributes });
    const half = 0.9 * size;
    if (label === 1) return svg("rect", { x: x - half, y: y - half, width: 2 * half, height: 2 * half, ...attributes });
    return svg("path", { d: `M${x},${y - 1.2 * size}l${1.15 * size},${2.1 * size}h${-2.3 * size}z`, ...attributes });
  }

  // Points as marks in a picture of -1.6..1.6; look(n) gives the attributes of point n
  function marks(x, y, size, look) {
    return y.map((label, n) => shape(x[2 * n], -x[2 * n + 1], label, size, look(n, label)));
  }

  function drawPoints({ x, y, xTest, yTest }, isOwn) {
    for (const { overlay, dots } of planes) {
      const size = isOwn ? 0.06 : overlay.clientWidth < 220 ? 0.026 : 0.03;
      const full = (_, label) => ({ fill: CLASSES[label], stroke: "#1c2630", "stroke-width": 0.008 });
      const hollow = (_, label) => ({ fill: "#fff", stroke: "#1c2630", "stroke-width": 0.014, "data-class": label });
      dots.replaceChildren(...marks(x, y, size, full), ...(isOwn ? [] : marks(xTest, yTest, size, hollow)));
    }
  }

  function plane(name) {
    const canvas = el("canvas", { role: "img" }), dots = svg("g", {}), cross = svg("path", { class: "cross", d: "" });
    const overlay = svg("svg", { viewBox: `${-SIDE} ${-SIDE} ${2 * SIDE} ${2 * SIDE}`, "aria-hidden": "true" }, dots, cross);
    const board = el("div", { class: "plane" }, canvas, overlay);
    board.addEventListener("click", (event) => {
      const box = board.getBoundingClientRect();
      add(((event.clientX - box.left) / box.width) * 2 * SIDE - SIDE, SIDE - ((event.clientY - box.top) / box.height) * 2 * SIDE);
    });
    board.addEventListener("keydown", (event) => {
      const move = { ArrowLeft: [-0.1, 0], ArrowRight: [0.1, 0], ArrowUp: [0, 0.1], ArrowDown: [0, -0.1] }[event.key];
      if (access.state().data !== "points" || !(move || ["Enter", " "].includes(event.key))) return;
      event.preventDefault();
      if (!move) return add(...cursor);
      cursor = cursor.map((v, k) => Math.max(-SIDE, Math.min(SIDE, v + move[k])));
      showCursor();
    });
    const caption = el("figcaption", {}, name);
    return { figure: el("figure", {}, caption, board), caption, canvas, overlay, board, dots, cross, name };
  }

  // The planes take clicks and keys where the points are the visitor's
  function allowPoints(isOwn) {
    parts.points.hidden = !isOwn;
    for (const { board, name } of planes) {
      const label = `plane of ${name}: arrow keys move, Enter sets a point`;
      for (const [key, value] of Object.entries({ tabindex: "0", role: "application", "aria-label": label })) {
        if (isOwn) board.setAttribute(key, value);
        else board.removeAttribute(key);
      }
      board.classList.toggle("own", isOwn);
    }
  }

  function showCursor() {
    const [x, y] = [cursor[0], -cursor[1]];
    for (const { cross } of planes) cross.setAttribute("d", `M${x - 0.1},${y}h0.2M${x},${y - 0.1}v0.2`);
  }

  function add(x, y) {
    const { data, points } = access.state();
    if (data !== "points") return;
    if (points.length >= 180) return access.say("60 points are enough: take some away first.", "points");
    const rounded = [x, y].map((v) => Math.round(100 * Math.max(-SIDE, Math.min(SIDE, v))) / 100);
    access.set("points", [...points, ...rounded, kind]);
  }

  function drop(count) {
    access.say("", "points");
    access.set("points", access.state().points.slice(0, count));
  }

  // ---- the scene

  function mount(section, given) {
    access = given;
    parts = partsOf(section);
    trainer = pageTrainer(access, "epoch", FIELDS.epoch.max);
    parts.steps.append(...trainer.nodes);
    planes = NAMES.map(plane);
    parts.planes.append(...planes.map(({ figure }) => figure));
    parts.planes.classList.add("pair");
    const names = ["data", "activation", "rule", "epsilon", "rate", "batch", "layers", "width", "seed"];
    controls = controlsOf(FIELDS, [...names, "side"], access);
    parts.panel.append(...names.map((name) => controls[name].node));
    parts.sides.append(controls.side.node);
    const take = (values) => () => {
      trainer.pause();
      access.set({ ...PageState.usual("boundaries"), ...values });
    };
    parts.presets.append(...PRESETS.map(([words, values]) => button(words, take(values), { class: "quiet" })));
    const choose = (k) => () => {
      kind = k;
      parts.points.querySelectorAll("[aria-pressed]").forEach((each, at) => each.setAttribute("aria-pressed", String(at === k)));
    };
    parts.points.append(
      ...SHAPES.map((name, k) => button(`class ${k + 1}: ${name}`, choose(k), { class: "quiet", "aria-pressed": String(k === kind) })),
      button("take the last away", () => drop(-3), { class: "quiet" }), button("clear", () => drop(0), { class: "quiet" }),
      el("span", { class: "hint" }, "Click into a plane, or move there with Tab and use arrow keys and Enter."));
    inside = pageInside(parts, access, marks);
  }

  function draw(result, state) {
    const isOwn = state.data === "points", { first } = result;
    trainer.show(state.epoch);
    const now = JSON.stringify([result.points, planes[0].overlay.clientWidth]);
    if (now !== drawnPoints) drawPoints(result.points, isOwn);
    drawnPoints = now;
    planes.forEach(({ caption, canvas, name }, k) => {
      const { train, test } = result.history[k].at(-1), cells = result.colours[k], diverged = result.diverged[k];
      caption.replaceChildren(el("strong", { class: ["lfp", "gradient"][k] }, name), " ", el("span", { "data-name": `test.${k}` },
        diverged === null ? percent(test) : `diverged in epoch ${diverged}`));
      const right = `${percent(train)} of the training points, ${percent(test)} of the held-out points are right`;
      canvas.setAttribute("aria-label", `${name}: classes of the plane; ${right}`);
      paint(canvas, 64, (n) => (cells ? mix(CLASSES[cells[n][0]], 0.08 + 0.5 * cells[n][1]) : [255, 255, 255]));
    });
    allowPoints(isOwn);
    const isStep = state.activation.startsWith("step"); // then the gradient is 0 by nature
    result.diverged.forEach((epoch, k) => {
      access.say(pageTrouble(NAMES[k], epoch, k && isStep ? 1 : first[k]), `trouble ${k}`);
    });
    const lines = result.history.flatMap((history, k) => ["test", "train"].map((part) => ({
      name: `${NAMES[k]}, ${part === "test" ? "held out" : "training"}`, values: history.map((each) => each[part]),
      colour: COLOURS[["lfp", "gradient"][k]], dashes: k ? "7 4" : null, thin: part === "train",
    })));
    const legend = NAMES.map((name, k) => el("span", { class: ["lfp line", "gradient line"][k] }, name));
    const note = isOwn ? "accuracy on your points" : "accuracy on held-out points (hollow); thin: on training points";
    parts.curves.replaceChildren(curves(lines, parts.curves.clientWidth), el("p", { class: "key" }, legend, el("span", {}, note)));
    parts.equation.replaceChildren(
      formula("LFP: d_{ji} = |w_{ji}| Σ_n a_i s_j , mean size in the first layer: #", num(first[0], "first.0")),
      formula("gradient: g_{ji} = Σ_n a_i φ′(z_j) Σ_k w_{kj} g_k , mean size in the first layer: #", num(first[1], "first.1")));
    if (isStep) parts.equation.append(el("p", {},
      "A step has φ′ = 0 everywhere: the gradient of all but the last layer is exactly 0."));
    inside.draw(result, state);
    show();
  }

  function failed() {
    trainer.pause();
    trainer.show(access.state().epoch);
    const { data, points } = access.state(), isOwn = data === "points", pick = (which) => points.filter((_, k) => which(k % 3));
    allowPoints(isOwn);
    if (isOwn) drawPoints({ x: pick((k) => k < 2), y: pick((k) => k === 2) }, true); // too few to learn, but to be seen
    drawnPoints = "";
    show();
  }

  const show = () => Object.values(controls).forEach((each) => each.show());
  const wanted = (state) => trainer.wanted(state), took = (result) => trainer.took(result);
  Page.scenes.boundaries = { mount, draw, show, failed, wanted, took, code: PageCode.boundaries };
})();
