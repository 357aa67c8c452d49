// Inside the network of scene 2: every hidden neuron as a small map of its output, the reward on every connection, and
// of one neuron what it sees, what it is rewarded for, and its shares.
"use strict";

const pageInside = (parts, access, marks) => {
  const { COLOURS, LINES, el, svg, short, paint, heat, sign } = PageTools;
  const TILE = 30, STEP = 37, MOST = 16;

  const place = (neuron) => [Math.floor(neuron / MOST), neuron % MOST];
  const largest = (numbers) => Math.max(1e-300, ...numbers.map(Math.abs));
  const map = (canvas, values) => paint(canvas, 20, ((most) => (k) => heat(values[k], most))(largest(values)));

  function tiles({ inside: { maps, shares }, sizes }, chosen, width) {
    const tallest = Math.max(...sizes.slice(1, -1), 2 * sizes.at(-1)), height = tallest * STEP + 30;
    const last = sizes.length - 1;
    const x = (layer) => 30 + ((width - 62) * layer) / last, spread = (layer) => (layer % last ? STEP : 2 * STEP);
    const y = (layer, j) => 26 + (tallest * STEP) / 2 + (j - (sizes[layer] - 1) / 2) * spread(layer);
    const lines = shares.flatMap(({ flow, size }, layer) => {
      const most = largest(size);
      return flow.map((v, k) => {
        const j = Math.floor(k / sizes[layer]), i = k % sizes[layer], kind = sign(v);
        return svg("line", {
          x1: x(layer), y1: y(layer, i), x2: x(layer + 1), y2: y(layer + 1, j), stroke: COLOURS[kind], "stroke-dasharray": LINES[kind],
          "stroke-width": 0.3 + 3.5 * (size[k] / most), opacity: 0.25 + 0.6 * (size[k] / most),
        });
      });
    });
    const names = (layer, texts) => texts.map((text, j) => svg("text", { x: x(layer), y: y(layer, j) + 5, "text-anchor": layer ? "start" : "end", dx: layer ? 7 : -7, class: "title" }, text));
    const titles = sizes.map((_, layer) => svg("text", { x: x(layer), y: 14, "text-anchor": layer === last ? "end" : layer ? "middle" : "start", dx: layer === last ? 30 : layer ? 0 : -28, class: "small" },
      layer === 0 ? "inputs" : layer === last ? "classes" : sizes.length > 4 && width < 420 ? `${layer}` : `layer ${layer}`));
    const picture = svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" }, lines, titles,
      names(0, ["x₁", "x₂"]), names(last, Array.from({ length: sizes.at(-1) }, (_, k) => String(k + 1))));
    const buttons = maps.flatMap((layer, l) => layer.map((values, j) => {
      const canvas = el("canvas", {}), isChosen = l === chosen[0] && j === chosen[1];
      map(canvas, values);
      return el("button", {
        type: "button", class: "tile", "aria-pressed": String(isChosen), "aria-label": `layer ${l + 1}, neuron ${j + 1}`, "data-neuron": l * MOST + j,
        style: `left:${x(l + 1) - TILE / 2}px;top:${y(l + 1, j) - TILE / 2}px`, onclick: () => access.set("neuron", l * MOST + j),
      }, canvas);
    }));
    return el("div", { class: "tiles", style: `width:${width}px;height:${height}px` }, picture, buttons);
  }

  function neuron({ inside: { maps, rewards, shares }, points, sizes }, [l, j], isGradient) {
    const sees = el("canvas", { role: "img", "aria-label": "its output over the plane" });
    map(sees, maps[l][j]);
    const reward = rewards[l][j], most = largest(reward);
    const look = (n) => ({ fill: COLOURS[sign(reward[n])], "fill-opacity": 0.12 + 0.88 * Math.sqrt(Math.abs(reward[n]) / most) });
    const scatter = svg("svg", { viewBox: "-1.6 -1.6 3.2 3.2", class: "scatter", role: "img", "aria-label": "its reward at every training point" },
      marks(points.x, points.y, 0.045, look));
    const inputs = sizes[l], flow = shares[l].flow.slice(j * inputs, (j + 1) * inputs), full = largest(flow);
    const rows = flow.map((v, i) => el("tr", {}, el("th", { scope: "row" }, l ? `neuron ${i + 1}` : `x${"₁₂"[i]}`),
      el("td", {}, el("span", { class: `bar ${sign(v)}`, style: `width:${(5 * Math.abs(v)) / full}rem` })), el("td", {}, short(v, 3))));
    const word = isGradient ? "derivative" : "reward";
    return el("div", { class: "three card" },
      el("div", {}, el("h4", {}, `What neuron ${j + 1} of layer ${l + 1} sees`), sees, el("p", { class: "small" }, "its output: blue above 0, vermilion below")),
      el("div", {}, el("h4", {}, isGradient ? "Its derivative at each point" : "What it is rewarded for"), scatter, el("p", { class: "small" }, `its ${word} at each training point; strong: much`)),
      el("div", {}, el("h4", {}, isGradient ? "Derivatives it sends back" : "Its shares"), el("table", {}, el("tbody", {}, rows)), el("p", { class: "small" }, `${word} handed to each input, all points together`)));
  }

  return {
    draw(result, state) {
      if (!result.inside) {
        parts.tiles.replaceChildren(el("p", {}, "This network diverged: there is nothing to see."));
        return parts.neuron.replaceChildren();
      }
      let [l, j] = place(state.neuron);
      if (l >= state.layers || j >= state.width) [l, j] = [0, 0];
      const focused = document.activeElement?.dataset?.neuron;
      parts.tiles.replaceChildren(tiles(result, [l, j], Math.max(300, Math.min(760, parts.tiles.clientWidth))));
      if (focused !== undefined) parts.tiles.querySelector(`[data-neuron="${focused}"]`)?.focus();
      parts.neuron.replaceChildren(neuron(result, [l, j], state.side === "gradient"));
    },
  };
};
