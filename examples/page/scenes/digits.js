// Scene 3, digits: training, the drawing pad, scores, the heat map.
"use strict";

(() => {
  const { COLOURS, el, button, percent, num, formula, curves, paint, heat, sign, sum, partsOf } = PageTools;
  const { controlsOf, fieldset } = PageControls;
  const FIELDS = PageState.FIELDS.digits, GOAL = 0.95;
  let access, parts, controls, trainer, pad, progress, picture, shownDigit = -1, since = 0, seconds = 0;

  function mount(section, given) {
    access = given;
    parts = partsOf(section);
    trainer = pageTrainer(access, "epochs", FIELDS.epochs.max, "Train");
    progress = el("output", { "data-name": "progress" });
    parts.steps.append(...trainer.nodes, progress);
    controls = controlsOf(FIELDS, ["of", "rule", "epsilon", "width", "rate", "seed"], access);
    const group = (title, ...names) => fieldset(title, names.map((name) => controls[name]));
    parts.panel.append(group("explanation", "of", "rule", "epsilon"), group("training", "width", "rate", "seed"));
    pad = pagePad(access);
    const { test, test_labels: labels } = pageDigitTexts();
    const another = () => {
      shownDigit = (shownDigit + 1) % labels.length;
      pad.take(test.slice(64 * shownDigit, 64 * shownDigit + 64));
    };
    parts.pad.append(pad.canvas, el("div", { class: "row" },
      button("clear", () => pad.take("0".repeat(64)), { class: "quiet" }), button("a held-out digit", another, { class: "quiet" })));
    picture = el("canvas", { class: "heat", role: "img" });
    parts.heat.append(picture, el("p", { class: "small" }, "vermilion: speaks for it; blue: against"));
  }

  function score(z, k, most, target) {
    const bar = el("span", { class: `bar ${sign(z)}`, style: `width:${(50 * Math.abs(z)) / most}%;${z < 0 ? "right" : "left"}:50%` });
    const choose = () => access.set("of", String(k));
    return el("button", { type: "button", class: "score", "aria-pressed": String(k === target), onclick: choose },
      el("span", { class: "digit" }, String(k)), el("span", { class: "track" }, bar), num(z, `score.${k}`, 3));
  }

  function drawScores({ scores, target }) {
    const at = [...parts.scores.children].indexOf(document.activeElement), most = Math.max(1e-300, ...scores.map(Math.abs));
    parts.scores.replaceChildren(...scores.map((z, k) => score(z, k, most, target)));
    parts.scores.children[at]?.focus();
  }

  function drawHeat({ heat: r, target }) {
    const most = Math.max(...r.map(Math.abs));
    paint(picture, 8, (k) => heat(r[k], most));
    picture.setAttribute("aria-label", `share of every pixel in the output of class ${target}`);
    parts["heat-title"].textContent = `Why ${target}? Reward of the pixels`;
  }

  function equation({ heat: r, lines, scores, target }) {
    const kept = (cause) => sum(lines.map((line) => line.kept[cause])), other = kept("mask") + kept("empty group");
    const [words, place] = other ? [" + left out", " + #"] : ["", ""];
    return formula(`z_${target} = Σ_i r_i + kept by bias + kept by ε${words} = # + # + #${place} = #`,
      num(sum(r), "pixels"), kept("bias"), kept("stabiliser"), ...(other ? [other] : []), num(scores[target], "z"));
  }

  function draw(result, state) {
    const { history, diverged, first } = result, isTrained = state.epochs > 0;
    trainer.show(result.epoch);
    const time = seconds ? `, after ${seconds.toFixed(1)} s` : "";
    const { test } = history.at(-1);
    progress.textContent = isTrained ? `held-out digits: ${percent(test)} right${time}` : "not trained yet: press Train";
    access.say(pageTrouble("LFP", diverged, first), "trouble");
    const line = { name: "held-out digits", values: history.map(({ test }) => test), colour: COLOURS.lfp };
    parts.curves.replaceChildren(...(isTrained ? [curves([line], parts.curves.clientWidth, 120)] : []));
    pad.draw(state.drawing);
    show();
    if (diverged !== null) return;
    drawScores(result);
    drawHeat(result);
    parts.equation.replaceChildren(equation(result));
    parts.balance.replaceChildren(...pageBalance(result.lines, Math.min(760, parts.balance.clientWidth)));
  }

  // Training stops by itself at 95 % of the held-out digits, but not before the fourth epoch
  const isDone = ({ epoch, history, diverged }) => diverged !== null || (epoch >= 4 && history.at(-1).test >= GOAL);

  function took(result) {
    if (trainer.isRunning()) seconds = (Date.now() - since) / 1000;
    return trainer.took(result, isDone);
  }
  function wanted(state) {
    if (!state.epochs) [since, seconds] = [Date.now(), 0];
    return trainer.wanted(state);
  }
  const failed = () => (trainer.pause(), trainer.show(access.state().epochs));
  const show = () => Object.values(controls).forEach((each) => each.show());
  Page.scenes.digits = { mount, draw, show, failed, wanted, took, code: PageCode.digits };
})();
