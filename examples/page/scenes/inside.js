// Inside the network of scene 2: every hidden neuron as a small map of its output, the reward on every connection, and
// of one neuron what it sees, what it is rewarded for, and its shares.
"use strict";

const pageInside = (parts, access, marks) => {
  const { COLOURS, LINES, el, svg, text, button, short, paint, heat, sign } = PageTools;
  const TILE = 30, STEP = 37, MOST = 16;

  const place = (neuron) => [Math.floor(neuron / MOST), neuron % MOST];
  const largest = (numbers) => Math.max(1e-300, ...numbers.map(Math.abs));
  const map = (canvas, values) => paint(canvas, 20, ((most) => (k) => heat(values[k], most))(largest(values)));

  // Every connection: thick for much reward, whatever its sign; vermilion if it adds up to more than 0
  function connections({ inside: { shares }, sizes }, x, y) {
    return shares.flatMap(({ flow, size }, layer) => {
      const most = largest(size);
      return flow.map((v, k) => {
        const j = Math.floor(k / sizes[layer]), i = k % sizes[layer], part = size[k] / most;
        return svg("line", {
          x1: x(layer), y1: y(layer, i), x2: x(layer + 1), y2: y(layer + 1, j), "stroke-width": 0.3 + 3.5 * part,
          stroke: COLOURS[sign(v)], "stroke-dasharray": LINES[sign(v)], opacity: 0.25 + 0.6 * part,
        });
      });
    });
  }

  function titles(sizes, x, y, width) {
    const last = sizes.length - 1, isTight = last > 3 && width < 420;
    return [
      text(2, 14, "inputs", "small", "start"),
      ...sizes.slice(1, -1).map((_, k) => text(x(k + 1), 14, isTight ? k + 1 : `layer ${k + 1}`, "small")),
      text(width - 2, 14, "classes", "small", "end"),
      ...[0, 1].map((i) => text(x(0) - 7, y(0, i) + 5, `x${"₁₂"[i]}`, "title", "end")),
      ...Array.from({ length: sizes[last] }, (_, k) => text(x(last) + 7, y(last, k) + 5, k + 1, "title", "start")),
    ];
  }

  function tiles(result, chosen, width) {
    const { sizes } = result, last = sizes.length - 1, tallest = Math.max(...sizes.slice(1, -1), 2 * sizes[last]);
    const height = tallest * STEP + 30, spread = (layer) => (layer % last ? STEP : 2 * STEP);
    const x = (layer) => 30 + ((width - 62) * layer) / last;
    const y = (layer, j) => 26 + (tallest * STEP) / 2 + (j - (sizes[layer] - 1) / 2) * spread(layer);
    const picture = svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" },
      connections(result, x, y), titles(sizes, x, y, width));
    const buttons = result.inside.maps.flatMap((layer, l) => layer.map((values, j) => {
      const canvas = el("canvas"), neuron = l * MOST + j;
      map(canvas, values);
      return button(canvas, () => access.set("neuron", neuron), {
        class: "tile", "aria-pressed": String(l === chosen[0] && j === chosen[1]), "aria-label": `layer ${l + 1}, neuron ${j + 1}`,
        "data-neuron": neuron, style: `left:${x(l + 1) - TILE / 2}px;top:${y(l + 1, j) - TILE / 2}px`,
      });
    }));
    return el("div", { class: "tiles", style: `width:${width}px;height:${height}px` }, picture, buttons);
  }

  function neuron({ inside: { maps, rewards, shares }, points, sizes }, [l, j], isGradient) {
    const sees = el("canvas", { role: "img", "aria-label": "its output over the plane" });
    map(sees, maps[l][j]);
    const reward = rewards[l][j], most = largest(reward);
    const strength = (n) => 0.12 + 0.88 * Math.sqrt(Math.abs(reward[n]) / most);
    const look = (n) => ({ fill: COLOURS[sign(reward[n])], "fill-opacity": strength(n) });
    const box = { viewBox: "-1.6 -1.6 3.2 3.2", class: "scatter", role: "img" };
    const scatter = svg("svg", { ...box, "aria-label": "what it gets at every training point" }, marks(points.x, points.y, 0.045, look));
    const flow = shares[l].flow.slice(j * sizes[l], (j + 1) * sizes[l]), full = largest(flow);
    const bars = flow.map((v, i) => el("tr", {}, el("th", { scope: "row" }, l ? `neuron ${i + 1}` : `x${"₁₂"[i]}`),
      el("td", {}, el("span", { class: `bar ${sign(v)}`, style: `width:${(5 * Math.abs(v)) / full}rem` })), el("td", {}, short(v, 3))));
    const word = isGradient ? "derivative" : "reward";
    const column = (title, node, note) => el("div", {}, el("h4", {}, title), node, el("p", { class: "small" }, note));
    return el("div", { class: "three card" },
      column(`What neuron ${j + 1} of layer ${l + 1} sees`, sees, "its output: vermilion above 0, blue below"),
      column(isGradient ? "Its derivative" : "What it is rewarded for", scatter, `its ${word} at each training point; strong: much`),
      column(isGradient ? "What it sends back" : "Its shares", el("table", {}, el("tbody", {}, bars)),
        `${word} handed to each input, all points together`));
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
