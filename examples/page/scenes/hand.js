// Scene 1, by hand: the network as a graph, the sums underneath, one connection's equations.
"use strict";

(() => {
  const { COLOURS, LINES, el, svg, short, num, formula, sign } = PageTools;
  const { control, draggable, arrows } = PageControls;
  const FIELDS = PageState.FIELDS.hand;
  const SUB = "₁₂₃", PHASES = ["start", "forward", "feedback", "update"];
  const NODES = [["x₁", "x₂"], ["h₁", "h₂", "h₃"], ["y₁", "y₂"]];
  const EDGES = [0, 1].flatMap((layer) => NODES[layer + 1].flatMap((_, j) => NODES[layer].map((__, i) => ({ layer, j, i }))));
  const weightOf = ({ layer, j, i }) => [layer ? "v" : "w", j * NODES[layer].length + i];
  let access, parts, controls, furthest = 3;

  const preset = (values) => () => access.set({ ...PageState.usual("hand"), ...values });
  const NEAR_ZERO = { v: [1, -1.999, 1, 0.5, 1, -1], c: [0, 0], step: 2, edge: 6 };

  // ---- steps

  const phaseOf = (step) => (step ? ((step - 1) % 3) + 1 : 0);
  function next(phase) { // the nearest later step of that kind
    const { step } = access.state(), ahead = (phase - phaseOf(step) + 3) % 3 || 3;
    access.set("step", Math.min(FIELDS.step.max, step + ahead));
  }
  function stepName(step) {
    if (!step) return "start: the weights";
    const round = Math.floor((step - 1) / 3) + 1, phase = phaseOf(step);
    return `round ${round}, ${PHASES[phase]}: ${["", "contributions a w", "shares of the reward", "changes of the weights"][phase]}`;
  }

  // ---- the graph

  // What an edge shows: [amount, text]
  function amount(line, k, phase, { rate }, digits) {
    if (phase === 0) return [line.w[k], short(line.w[k])];
    if (phase === 1) return [line.contribution[k], short(line.contribution[k])];
    if (phase === 2) return [line.share[k], short(line.share[k])];
    const change = line.dw[k];
    return [rate ? change / rate : change, (change > 0 ? "+" : "") + short(change, digits)];
  }

  function graph(name, side, phase, state, width) {
    const isLFP = name === "lfp", radius = width < 420 ? 21 : 27, gap = 118, top = 46;
    const x = (layer) => radius + 12 + ((width - 2 * radius - 24) * layer) / 2;
    const y = (layer, k) => top + gap + (k - (NODES[layer].length - 1) / 2) * (layer === 1 ? gap : 1.4 * gap);
    const height = top + 2 * gap + radius + 64;
    const values = (layer) => (phase === 2 ? side.r[layer] : side.a[layer]);
    const most = Math.max(1e-300, ...EDGES.map((e) => Math.abs(amount(side.lines[e.layer], weightOf(e)[1], phase, state)[0])));

    const lines = [], labels = [];
    EDGES.forEach((edge, number) => {
      const [field, k] = weightOf(edge), { layer, j, i } = edge, [v, text] = amount(side.lines[layer], k, phase, state, width < 420 ? 2 : 3);
      const [x0, y0, x1, y1] = [x(layer), y(layer, i), x(layer + 1), y(layer + 1, j)], isChosen = state.edge === number;
      const kind = sign(v), thick = 1.2 + 6 * Math.sqrt(Math.abs(v) / most);
      lines.push(svg("line", { x1: x0, y1: y0, x2: x1, y2: y1, stroke: COLOURS[kind], "stroke-dasharray": LINES[kind], "stroke-width": thick, opacity: isChosen ? 1 : 0.72 }));
      const at = layer ? 0.67 : 0.33, long = Math.max(26, 7.4 * text.length + 12);
      const what = ["weight", "contribution", "share", "change of the weight"][phase];
      const label = svg("g", {
        transform: `translate(${x0 + at * (x1 - x0)},${y0 + at * (y1 - y0)})`, class: isChosen ? "edge chosen" : "edge", tabindex: 0, role: "button", "data-edge": number,
        "aria-pressed": String(isChosen), "aria-label": `${NODES[layer][i]} to ${NODES[layer + 1][j]}: ${what} ${text}; arrow keys change the weight`,
      },
        svg("rect", { x: -long / 2, y: -11, width: long, height: 22, rx: 11, stroke: COLOURS[kind] }),
        svg("text", { y: 4.5, "text-anchor": "middle", class: kind }, text));
      const choose = () => access.set("edge", number);
      const move = (steps) => controls[`${field}.${k}`].move(steps);
      label.addEventListener("pointerdown", choose);
      label.addEventListener("keydown", (event) => [" ", "Enter"].includes(event.key) && (event.preventDefault(), choose()));
      arrows(label, move);
      labels.push([label, move]);
    });

    const nodes = NODES.flatMap((layer, l) => layer.map((title, k) => {
      const v = values(l)[k], isSilent = l === 1 && side.a[1][k] === 0;
      const below = phase === 2 ? "r" : l === 1 && phase ? `z = ${short(side.lines[0].z[k], 3)}` : "";
      return svg("g", { class: isSilent ? "neuron silent" : "neuron" },
        svg("circle", { cx: x(l), cy: y(l, k), r: radius, stroke: phase === 2 ? COLOURS[sign(v)] : null }),
        svg("text", { x: x(l), y: y(l, k) - radius - 7, "text-anchor": "middle", class: "title" }, title),
        svg("text", { x: x(l), y: y(l, k) + 5, "text-anchor": "middle", class: "value" }, short(v, 3)),
        svg("text", { x: x(l), y: y(l, k) + radius + 15, "text-anchor": "middle", class: "small" }, below));
    }));

    const foot = height - 28, total = (numbers) => short(numbers.reduce((a, b) => a + b, 0), 4);
    const sums = phase === 2 ? [0, 1, 2].map((l) => svg("text", {
      x: x(l), y: foot, "text-anchor": ["start", "middle", "end"][l], dx: [-radius - 8, 0, radius + 8][l], class: "sum",
    }, `Σ r = ${total(side.r[l])}`)) : [];
    const next = phase === 3 && side.after ? svg("text", { x: width - 4, y: foot, "text-anchor": "end", class: "sum" },
      `y₁, y₂ after the update: ${side.after.map((y) => short(y, 3)).join(", ")}`) : null;
    const kept = phase === 2 && isLFP ? side.lines.map(({ account }, l) => svg("text", {
      x: (x(l) + x(l + 1)) / 2, y: foot + 20, "text-anchor": "middle", class: "small",
    }, `← bias ${short(account.kept.bias, 3)}, ε ${short(account.kept.stabiliser, 2)}`)) : [];
    const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "group", "aria-label": `the network, ${isLFP ? "LFP" : "gradient descent"}: ${stepName(state.step)}` },
      lines, nodes, labels.map(([label]) => label), sums, kept, next);
    return { picture, labels };
  }

  // ---- what stands below it

  function equations(side, state) {
    const edge = EDGES[state.edge], { layer, j, i } = edge, [, k] = weightOf(edge), line = side.lines[layer], a = side.a[layer];
    const [from, to] = [NODES[layer][i], NODES[layer + 1][j]], b = line.b[j], z = line.z[j], r = line.came[j];
    const W = (jj, ii) => line.w[jj * a.length + ii], inputs = a.map((_, ii) => ii);
    const out = [
      el("h3", {}, `The connection ${from} → ${to}, in numbers`),
      formula(`z = Σ_i w_{ji} a_i + b = ${inputs.map(() => "# · #").join(" + ")} + # = #`, ...inputs.flatMap((ii) => [num(W(j, ii)), num(a[ii])]), num(b), num(z, "z")),
    ];
    if (line.s) {
      const js = NODES[layer + 1].map((_, jj) => jj);
      out.push(
        formula(`s = r / (z ${z < 0 ? "−" : "+"} ε) = # / (# ${z < 0 ? "−" : "+"} #) = #`, num(r), num(z), num(state.epsilon), num(line.s[j], "s")),
        formula("share = a w s = # · # · # = #", num(a[i]), num(line.w[k]), num(line.s[j]), num(line.share[k], "share")),
        formula(`r_{${from}} = a Σ_j w_{ji} s_j = # (${js.map(() => "# · #").join(" + ")}) = #`, num(a[i]), ...js.flatMap((jj) => [num(W(jj, i)), num(line.s[jj])]), num(side.r[layer][i], "r")),
      );
    } else {
      out.push(el("p", {}, "This rule divides the reward among a part of the contributions, or by the weights alone: share = A(a) W(w) s, with s = c r / (D ± ε)."),
        formula("share = #", num(line.share[k], "share")));
    }
    const after = line.w[k] + line.dw[k];
    out.push(line.s
      ? formula("w ← w + η |w| a s = # + # · # · # · # = #", num(line.w[k]), num(state.rate), num(Math.abs(line.w[k])), num(a[i]), num(line.s[j]), num(after, "after"))
      : formula("w ← w + η sgn(w) share = # + # · # = #", num(line.w[k]), num(state.rate), num(Math.sign(line.w[k]) * line.share[k]), num(after, "after")));
    return out;
  }

  function balance(side) {
    const causes = Object.keys(side.lines[0].account.kept).filter((c) => ["bias", "stabiliser"].includes(c) || side.lines.some(({ account }) => account.kept[c]));
    const row = ({ account }, l) => el("tr", {}, el("th", { scope: "row" }, ["hidden layer", "outputs"][l]),
      el("td", {}, num(account.came, `came.${l}`)), causes.map((c) => el("td", {}, num(account.kept[c], `${c}.${l}`))), el("td", {}, num(account.handed, `handed.${l}`)));
    return el("table", {}, el("caption", {}, "Where the reward went: what came in = what was kept + what was handed on"),
      el("thead", {}, el("tr", {}, ["layer", "came in", ...causes.map((c) => ({ bias: "kept by bias", stabiliser: "kept by ε" })[c] ?? c), "handed on"].map((t) => el("th", { scope: "col" }, t)))),
      el("tbody", {}, [row(side.lines[1], 1), row(side.lines[0], 0)]));
  }

  function numbers(side, name) {
    const head = ["connection", "weight", "contribution", "share", "change"];
    const rows = EDGES.map((edge) => {
      const [field, k] = weightOf(edge), line = side.lines[edge.layer], at = `${name}.${field}.${k}`;
      return el("tr", {}, el("th", { scope: "row" }, `${NODES[edge.layer][edge.i]} → ${NODES[edge.layer + 1][edge.j]}`),
        [["w", line.w], ["contribution", line.contribution], ["share", line.share], ["dw", line.dw]].map(([what, list]) => el("td", {}, num(list[k], `${at}.${what}`))));
    });
    const neurons = NODES.flatMap((layer, l) => layer.map((title, k) => el("tr", {}, el("th", { scope: "row" }, title),
      el("td", {}, l ? num(side.lines[l - 1].b[k], `${name}.${"bc"[l - 1]}.${k}.b`) : ""), el("td", {}, num(side.a[l][k], `${name}.a.${l}.${k}`)),
      el("td", {}, num(side.r[l][k], `${name}.r.${l}.${k}`)), el("td", {}, l ? num(side.lines[l - 1].db[k], `${name}.${"bc"[l - 1]}.${k}.db`) : ""))));
    const table = (titles, body) => el("table", {}, el("caption", {}, name === "lfp" ? "LFP" : "gradient descent"),
      el("thead", {}, el("tr", {}, titles.map((t) => el("th", { scope: "col" }, t)))), el("tbody", {}, body));
    return [table(head, rows), table(["neuron", "bias", "value", name === "lfp" ? "reward" : "derivative", "change of bias"], neurons)];
  }

  // ---- the scene

  function mount(section, given) {
    access = given;
    parts = Object.fromEntries([...section.querySelectorAll("[data-part]")].map((node) => [node.dataset.part, node]));
    controls = {};
    for (const [name, field] of Object.entries(FIELDS)) {
      if (["step", "edge"].includes(name)) continue;
      if (field.kind === "numbers") field.labels.forEach((_, k) => (controls[`${name}.${k}`] = control(FIELDS, name, access, k)));
      else controls[name] = control(FIELDS, name, access);
    }
    const boxes = (title, ...names) => el("fieldset", {}, el("legend", {}, title), el("div", { class: "boxes" }, names.map((name) => controls[name].node)));
    parts.panel.append(
      boxes("inputs", "x.0", "x.1"),
      ...[0, 1, 2].map((j) => boxes(`hidden neuron h${SUB[j]}`, `w.${2 * j}`, `w.${2 * j + 1}`, `b.${j}`)),
      ...[0, 1].map((j) => boxes(`output y${SUB[j]}`, `v.${3 * j}`, `v.${3 * j + 1}`, `v.${3 * j + 2}`, `c.${j}`)),
      boxes("reward", "r.0", "r.1", "from"),
      boxes("method", "rule", "epsilon", "rate", "activation", "gradient"));
    const slider = el("input", { type: "range", min: 0, max: 3, step: 1, "aria-label": "step", id: "hand-step" });
    slider.addEventListener("input", () => access.set("step", Number(slider.value)));
    parts.steps.append(
      ...[1, 2, 3].map((phase) => el("button", { type: "button", "data-phase": phase, onclick: () => next(phase) }, `${phase} ${PHASES[phase][0].toUpperCase()}${PHASES[phase].slice(1)}`)),
      el("div", { class: "slider wide" }, slider, el("output", { for: "hand-step" })));
    parts.presets.append(...[
      ["as it was", {}],
      ["targets 3 and 1.5", { r: [3, 1.5], from: "targets", c: [0, 0], step: 3 }],
      ["z near 0, ε tiny", NEAR_ZERO],
      ["z near 0, ε = 0.25", { ...NEAR_ZERO, epsilon: 0.25 }],
      ["steps, beside the gradient", { activation: "step:-1", epsilon: 0.5, gradient: true, c: [2, 0], step: 3, edge: 0 }],
    ].map(([text, values]) => el("button", { type: "button", class: "quiet", onclick: preset(values) }, text)));
  }

  function draw(result, state) {
    const focused = document.activeElement?.closest?.("#hand [data-edge]"), at = focused && [focused.closest("figure").dataset.side, focused.dataset.edge];
    furthest = Math.max(3, furthest, Math.ceil(state.step / 3) * 3);
    const slider = parts.steps.querySelector("input"), { sides, phase } = result, count = Object.keys(sides).length;
    slider.max = furthest;
    slider.value = state.step;
    slider.setAttribute("aria-valuetext", stepName(state.step));
    parts.steps.querySelector("output").textContent = stepName(state.step);
    for (const button of parts.steps.querySelectorAll("button")) button.classList.toggle("now", Number(button.dataset.phase) === phase);
    const room = parts.graphs.clientWidth, width = Math.min(640, count > 1 && room > 700 ? (room - 24) / 2 : room);
    parts.graphs.replaceChildren(...Object.entries(sides).map(([name, side]) => {
      const { picture, labels } = graph(name, side, phase, state, Math.floor(width));
      labels.forEach(([label, move]) => draggable(label, move));
      return el("figure", { "data-side": name, style: `width:${Math.floor(width)}px` }, el("figcaption", {}, name === "lfp" ? "LFP" : "gradient descent: derivatives go back"), picture);
    }));
    if (at) parts.graphs.querySelector(`[data-side="${at[0]}"] [data-edge="${at[1]}"]`)?.focus();
    parts.equation.replaceChildren(...equations(sides.lfp, state));
    parts.balance.replaceChildren(balance(sides.lfp));
    parts.numbers.replaceChildren(...Object.entries(sides).flatMap(([name, side]) => numbers(side, name)));
    show();
  }

  function show() {
    Object.values(controls).forEach((each) => each.show());
  }

  Page.scenes.hand = { mount, draw, show, code: PageCode.hand };
})();
