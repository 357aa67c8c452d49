// Scene 3, digits: training, the drawing pad, scores, the heat map, the balance of the layers.
"use strict";

(() => {
  const { COLOURS, el, svg, percent, num, formula, curves, paint, heat, sign } = PageTools;
  const { control } = PageControls;
  const FIELDS = PageState.FIELDS.digits, GOAL = 0.95;
  const CAUSES = { handed: ["handed on", "#9aa5b0"], bias: ["kept by bias", "#e69f00"], stabiliser: ["kept by ε", "#009e73"], mask: ["left out by the rule", "#cc79a7"], "empty group": ["empty group", "#56b4e9"] };
  let access, parts, controls, trainer, pad, texts, shownDigit = -1, since = 0, seconds = 0;

  function mount(section, given) {
    access = given;
    texts = pageDigitTexts();
    parts = Object.fromEntries([...section.querySelectorAll("[data-part]")].map((node) => [node.dataset.part, node]));
    trainer = pageTrainer(access, "epochs", FIELDS.epochs.max, "Train");
    parts.steps.append(...trainer.nodes, el("output", { "data-name": "progress" }));
    controls = Object.fromEntries(["of", "rule", "epsilon", "width", "rate", "seed"].map((name) => [name, control(FIELDS, name, access)]));
    const group = (title, ...names) => el("fieldset", {}, el("legend", {}, title), names.map((name) => controls[name].node));
    parts.panel.append(group("explanation", "of", "rule", "epsilon"), group("training", "width", "rate", "seed"));
    pad = pagePad(access);
    const button = (text, action) => el("button", { type: "button", class: "quiet", onclick: action }, text);
    parts.pad.append(pad.canvas, el("div", { class: "row" },
      button("clear", () => pad.take("0".repeat(64))),
      button("a held-out digit", () => {
        shownDigit = (shownDigit + 1) % texts.test_labels.length;
        pad.take(texts.test.slice(64 * shownDigit, 64 * shownDigit + 64));
      })));
    parts.heat.append(el("canvas", { class: "heat", role: "img" }), el("p", { class: "small" }, "blue: speaks for it; vermilion: against"));
  }

  function scores(result) {
    const most = Math.max(1e-300, ...result.scores.map(Math.abs));
    return result.scores.map((z, k) => el("button", {
      type: "button", class: "score", "aria-pressed": String(k === result.target), onclick: () => access.set("of", String(k)),
    }, el("span", { class: "digit" }, String(k)), el("span", { class: "track" }, el("span", { class: `bar ${sign(z)}`, style: `width:${(50 * Math.abs(z)) / most}%;${z < 0 ? "right" : "left"}:50%` })), num(z, `score.${k}`, 3)));
  }

  // A bar a layer: what it handed on and what it kept, to the right if positive; together they are what came in
  function balance({ lines }, width) {
    const rows = [2, 1, 0].map((k) => ({ title: ["pixels’ layer", "second layer", "outputs"][k], came: lines[k].came, amounts: { handed: lines[k].handed, ...lines[k].kept } }));
    const ends = rows.flatMap(({ amounts }) => [1, -1].map((way) => way * Object.values(amounts).reduce((sum, v) => sum + Math.max(0, way * v), 0)));
    const [low, high] = [Math.min(0, ...ends), Math.max(1e-300, ...ends)], left = width < 420 ? 92 : 110;
    const x = (v) => left + ((width - left - 14) * (v - low)) / (high - low);
    const bars = rows.flatMap(({ title, came, amounts }, row) => {
      const y = 10 + 40 * row, end = [0, 0];
      const pieces = Object.entries(amounts).filter(([, v]) => v).map(([cause, v]) => {
        const way = v < 0 ? 1 : 0, from = end[way];
        end[way] += v;
        return svg("rect", { x: Math.min(x(from), x(end[way])), y, width: Math.abs(x(end[way]) - x(from)), height: 24, fill: CAUSES[cause][1], stroke: "#fff" });
      });
      return [svg("text", { x: 0, y: y + 16 }, title), ...pieces, svg("path", { d: `M${x(came)},${y - 4}v32`, stroke: "#1c2630", "stroke-width": 2.5 })];
    });
    const picture = svg("svg", { width, height: 132, viewBox: `0 0 ${width} 132`, role: "img", "aria-label": "what each layer handed on and kept; the numbers are in the table below" },
      svg("line", { x1: x(0), x2: x(0), y1: 2, y2: 124, class: "rule" }), bars);
    const causes = Object.keys(CAUSES).filter((cause) => cause === "handed" || rows.some(({ amounts }) => amounts[cause]));
    const head = [el("th", { scope: "col" }, "layer"), el("th", { scope: "col" }, "came in ▏"), ...causes.map((cause) => el("th", { scope: "col" }, el("span", { class: "swatch", style: `background:${CAUSES[cause][1]}` }), CAUSES[cause][0]))];
    const table = el("table", {}, el("thead", {}, el("tr", {}, head)), el("tbody", {}, rows.map(({ title, came, amounts }, k) => el("tr", {}, el("th", { scope: "row" }, title),
      el("td", {}, num(came, `came.${2 - k}`)), causes.map((cause) => el("td", {}, num(amounts[cause], `${cause}.${2 - k}`)))))));
    return [picture, el("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": "balance in numbers" }, table)];
  }

  function draw(result, state) {
    trainer.show(result.epoch);
    const { test } = result.history.at(-1), isTrained = state.epochs > 0;
    if (trainer.isRunning()) seconds = (Date.now() - since) / 1000;
    parts.steps.querySelector('[data-name="progress"]').replaceChildren(
      result.diverged !== null ? "diverged" : isTrained ? `held-out digits: ${percent(test)} right${seconds ? `, after ${seconds.toFixed(1)} s` : ""}` : "not trained yet: press Train");
    access.say(pageTrouble("LFP", result.diverged, result.first), "trouble");
    parts.curves.replaceChildren(...(isTrained ? [curves([{ name: "held-out digits", values: result.history.map((each) => each.test), colour: COLOURS.lfp }], parts.curves.clientWidth, 120)] : []));
    pad.draw(state.drawing);
    show();
    if (result.diverged !== null) return;
    const focused = document.activeElement?.closest?.(".score"), at = focused && [...parts.scores.children].indexOf(focused);
    parts.scores.replaceChildren(...scores(result));
    if (focused) parts.scores.children[at].focus();
    const most = Math.max(...result.heat.map(Math.abs)), canvas = parts.heat.querySelector("canvas");
    paint(canvas, 8, (k) => heat(result.heat[k], most));
    canvas.setAttribute("aria-label", `share of every pixel in the output of class ${result.target}`);
    parts["heat-title"].textContent = `Why ${result.target}? Reward of the pixels`;
    const pixels = result.heat.reduce((a, b) => a + b, 0), kept = (cause) => result.lines.reduce((sum, line) => sum + line.kept[cause], 0);
    const other = kept("mask") + kept("empty group");
    parts.equation.replaceChildren(formula(`z_${result.target} = Σ_i r_i + kept by bias + kept by ε${other ? " + left out" : ""} = # + # + #${other ? " + #" : ""} = #`,
      num(pixels, "pixels"), num(kept("bias")), num(kept("stabiliser")), ...(other ? [num(other)] : []), num(result.scores[result.target], "z")));
    parts.balance.replaceChildren(...balance(result, Math.min(760, parts.balance.clientWidth)));
  }

  // Training stops by itself at 95 % of the held-out digits, but not before the fourth epoch
  function took(result) {
    if (trainer.isRunning() && result.epoch <= 1) since ||= Date.now();
    const before = trainer.isRunning(), more = trainer.took(result, ({ epoch, history, diverged }) => diverged !== null || (epoch >= 4 && history.at(-1).test >= GOAL));
    if (before) seconds = (Date.now() - since) / 1000;
    return more;
  }

  const show = () => Object.values(controls).forEach((each) => each.show());
  function wanted(state) {
    if (!state.epochs) [since, seconds] = [Date.now(), 0];
    return trainer.wanted(state);
  }
  const failed = () => (trainer.pause(), trainer.show(access.state().epochs));
  Page.scenes.digits = { mount, draw, show, failed, wanted, took, code: PageCode.digits };
})();
