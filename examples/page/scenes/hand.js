// Scene 1, by hand: the graph, one connection's equations, the balance, all numbers.
"use strict";

(() => {
  const { el, button, num, formula, table, partsOf } = PageTools;
  const { controlsOf, fieldset, draggable, arrows } = PageControls;
  const { NODES, EDGES } = PageGraph, FIELDS = PageState.FIELDS.hand;
  const SUB = "₁₂₃", PHASES = ["Start", "Forward", "Feedback", "Update"];
  const PICTURES = ["the weights", "contributions a w", "shares of the reward", "changes of the weights"];
  const NEAR_ZERO = { v: [1, -1.999, 1, 0.5, 1, -1], c: [0, 0], step: 2, edge: 6 };
  const PRESETS = [
    ["as it was", {}],
    ["targets 3 and 1.5", { r: [3, 1.5], from: "targets", c: [0, 0], step: 3 }],
    ["z near 0, ε tiny", NEAR_ZERO],
    ["z near 0, ε = 0.25", { ...NEAR_ZERO, epsilon: 0.25 }],
    ["steps, beside the gradient", { activation: "step:-1", epsilon: 0.5, gradient: true, c: [2, 0], step: 3, edge: 0 }],
  ];
  let access, parts, controls, furthest = 3;

  // ---- steps

  const phaseOf = (step) => (step ? ((step - 1) % 3) + 1 : 0);

  function next(phase) { // the nearest later step of that kind
    const { step } = access.state(), ahead = (phase - phaseOf(step) + 3) % 3 || 3;
    access.set("step", Math.min(FIELDS.step.max, step + ahead));
  }

  function stepName(step) {
    const phase = phaseOf(step), round = Math.floor((step - 1) / 3) + 1;
    return `${step ? `round ${round}, ` : ""}${PHASES[phase].toLowerCase()}: ${PICTURES[phase]}`;
  }

  function drawSteps(step) {
    furthest = Math.max(furthest, Math.ceil(step / 3) * 3);
    const slider = parts.steps.querySelector("input");
    slider.max = furthest;
    slider.value = step;
    slider.setAttribute("aria-valuetext", stepName(step));
    parts.steps.querySelector("output").textContent = stepName(step);
    for (const button of parts.steps.querySelectorAll("button")) {
      button.classList.toggle("now", Number(button.dataset.phase) === phaseOf(step));
    }
  }

  // ---- what stands below the graph

  function equations(side, state) {
    const { layer, j, i, k } = EDGES[state.edge], line = side.lines[layer], a = side.a[layer];
    const [from, to] = [NODES[layer][i], NODES[layer + 1][j]], w = (jj, ii) => line.w[jj * a.length + ii];
    const z = line.z[j], s = line.s?.[j], after = num(line.w[k] + line.dw[k], "after"), plus = z < 0 ? "−" : "+";
    const first = [
      el("h3", {}, `The connection ${from} → ${to}, in numbers`),
      formula(`z = Σ_i w_{ji} a_i + b = ${a.map(() => "# · #").join(" + ")} + # = #`,
        ...a.flatMap((a_i, ii) => [w(j, ii), a_i]), line.b[j], num(z, "z")),
    ];
    if (!line.s) return [...first,
      el("p", {}, "This rule divides the reward among a part of the contributions, or by the weights alone: ",
        "share = A(a) W(w) s, with s = c r / (D ± ε)."),
      formula("share = #", num(line.share[k], "share")),
      formula("w ← w + η sgn(w) share = # + # · # = #", line.w[k], state.rate, Math.sign(line.w[k]) * line.share[k], after),
    ];
    return [...first,
      z || state.epsilon
        ? formula(`s = r / (z ${plus} ε) = # / (# ${plus} #) = #`, line.came[j], z, state.epsilon, num(s, "s"))
        : el("p", {}, "z and ε are both 0: there is nothing to divide the reward among, so s is 0 and the layer keeps it."),
      formula("share = a w s = # · # · # = #", a[i], line.w[k], s, num(line.share[k], "share")),
      formula(`r_{${from}} = a Σ_j w_{ji} s_j = # (${line.s.map(() => "# · #").join(" + ")}) = #`,
        a[i], ...line.s.flatMap((s_j, jj) => [w(jj, i), s_j]), num(side.r[layer][i], "r")),
      formula("w ← w + η |w| a s = # + # · # · # · # = #", line.w[k], state.rate, Math.abs(line.w[k]), a[i], s, after),
    ];
  }

  function balance({ lines }) {
    const usual = ["bias", "stabiliser"], titles = { bias: "kept by bias", stabiliser: "kept by ε" };
    const isShown = (cause) => usual.includes(cause) || lines.some(({ account }) => account.kept[cause]);
    const causes = Object.keys(lines[0].account.kept).filter(isShown);
    const row = (name, l) => {
      const { came, handed, kept } = lines[l].account;
      const amounts = { came, ...Object.fromEntries(causes.map((cause) => [cause, kept[cause]])), handed };
      return [name, ...Object.entries(amounts).map(([what, v]) => num(v, `${what}.${l}`))];
    };
    const head = ["layer", "came in", ...causes.map((cause) => titles[cause] ?? cause), "handed on"];
    const rows = [row("outputs", 1), row("hidden layer", 0)];
    return table("Where the reward went: what came in = what was kept + what was handed on", head, rows);
  }

  function numbers(side, name) {
    const isLFP = name === "lfp", title = isLFP ? "LFP" : "gradient descent";
    const connections = EDGES.map(({ layer, j, i, k, field }) => {
      const { w, contribution, share, dw } = side.lines[layer];
      const cells = Object.entries({ w, contribution, share, dw }).map(([what, x]) => num(x[k], `${name}.${field}.${k}.${what}`));
      return [`${NODES[layer][i]} → ${NODES[layer + 1][j]}`, ...cells];
    });
    const neurons = NODES.flatMap((names, l) => names.map((neuron, k) => {
      const bias = (what) => (l ? num(side.lines[l - 1][what][k], `${name}.${"bc"[l - 1]}.${k}.${what}`) : "");
      return [neuron, bias("b"), num(side.a[l][k], `${name}.a.${l}.${k}`), num(side.r[l][k], `${name}.r.${l}.${k}`), bias("db")];
    }));
    return [
      table(`${title}: connections`, ["connection", "weight", "contribution", "share", "change"], connections),
      table(`${title}: neurons`, ["neuron", "bias", "value", isLFP ? "reward" : "derivative", "change of bias"], neurons),
    ];
  }

  // ---- the scene

  function mount(section, given) {
    access = given;
    parts = partsOf(section);
    const names = Object.entries(FIELDS).flatMap(([name, { labels }]) => labels?.map((_, k) => `${name}.${k}`) ?? [name]);
    controls = controlsOf(FIELDS, names.filter((name) => !["step", "edge"].includes(name)), access);
    const boxes = (title, ...chosen) => fieldset(title, chosen.map((name) => controls[name]));
    parts.panel.append(
      boxes("inputs", "x.0", "x.1"),
      ...[0, 1, 2].map((j) => boxes(`hidden neuron h${SUB[j]}`, `w.${2 * j}`, `w.${2 * j + 1}`, `b.${j}`)),
      ...[0, 1].map((j) => boxes(`output y${SUB[j]}`, `v.${3 * j}`, `v.${3 * j + 1}`, `v.${3 * j + 2}`, `c.${j}`)),
      boxes("reward", "r.0", "r.1", "from"),
      boxes("method", "rule", "epsilon", "rate", "activation", "gradient"));
    const slider = el("input", { type: "range", min: 0, max: 3, step: 1, "aria-label": "step", id: "hand-step" });
    slider.addEventListener("input", () => access.set("step", Number(slider.value)));
    parts.steps.append(
      ...[1, 2, 3].map((phase) => button(`${phase} ${PHASES[phase]}`, () => next(phase), { "data-phase": phase })),
      el("div", { class: "slider wide" }, slider, el("output", { for: "hand-step" })));
    const take = (values) => () => access.set({ ...PageState.usual("hand"), ...values });
    parts.presets.append(...PRESETS.map(([words, values]) => button(words, take(values), { class: "quiet" })));
  }

  function drawGraphs({ sides, phase }, state) {
    const focused = document.activeElement?.closest?.("#hand [data-edge]"), side = focused?.closest("figure").dataset.side;
    const room = parts.graphs.clientWidth, isPair = Object.keys(sides).length > 1 && room > 700;
    const width = Math.floor(Math.min(640, isPair ? (room - 24) / 2 : room));
    const actions = {
      choose: (edge) => access.set("edge", edge),
      made(label, { field, k }) {
        const move = (steps) => controls[`${field}.${k}`].move(steps);
        draggable(label, move);
        arrows(label, move);
      },
    };
    parts.graphs.replaceChildren(...Object.entries(sides).map(([name, numbersOfSide]) => {
      const title = name === "lfp" ? "LFP" : "gradient descent: derivatives go back";
      const label = `the network, ${title}; ${stepName(state.step)}`;
      const picture = PageGraph.draw(numbersOfSide, phase, state, width, label, actions);
      return el("figure", { "data-side": name, style: `width:${width}px` }, el("figcaption", {}, title), picture);
    }));
    if (focused) parts.graphs.querySelector(`[data-side="${side}"] [data-edge="${focused.dataset.edge}"]`)?.focus();
  }

  function draw(result, state) {
    drawSteps(state.step);
    drawGraphs(result, state);
    parts.equation.replaceChildren(...equations(result.sides.lfp, state));
    parts.balance.replaceChildren(balance(result.sides.lfp));
    parts.numbers.replaceChildren(...Object.entries(result.sides).flatMap(([name, side]) => numbers(side, name)));
    show();
  }

  const show = () => Object.values(controls).forEach((each) => each.show());
  Page.scenes.hand = { mount, draw, show, code: PageCode.hand };
})();
