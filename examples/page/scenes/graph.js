// The 2-3-2 network of scene 1 as a graph: what stands in the neurons and on the connections depends on the phase.
"use strict";

const PageGraph = (() => {
  const { COLOURS, LINES, svg, text, short, sign, sum } = PageTools;
  const NODES = [["x₁", "x₂"], ["h₁", "h₂", "h₃"], ["y₁", "y₂"]];
  // Connection number 0 to 11: of that layer, to neuron j, from neuron i; its weight is number k of the layer's
  const EDGES = [0, 1].flatMap((layer) => NODES[layer + 1].flatMap((_, j) =>
    NODES[layer].map((__, i) => ({ layer, j, i, k: j * NODES[layer].length + i, field: "wv"[layer] }))));
  const WHAT = ["weight", "contribution", "share", "change of the weight"];

  // What a connection shows: [how much, as text]
  function amount(line, k, phase, digits) {
    const v = [line.w, line.contribution, line.share, line.dw][phase][k];
    return [v, phase === 3 ? (v > 0 ? "+" : "") + short(v, digits) : short(v)];
  }

  // actions: choose(number of an edge), made(label, edge) for what else a label can do
  function draw(side, phase, state, width, title, actions) {
    const isNarrow = width < 420, radius = isNarrow ? 21 : 27, gap = 118, top = 46, foot = isNarrow ? 44 : 28;
    const height = top + 2 * gap + radius + 36 + foot;
    const x = (layer) => radius + 12 + ((width - 2 * radius - 24) * layer) / 2;
    const y = (layer, k) => top + gap + (k - (NODES[layer].length - 1) / 2) * (layer === 1 ? gap : 1.4 * gap);
    const shown = EDGES.map(({ layer, k }) => amount(side.lines[layer], k, phase, isNarrow ? 2 : 3));
    const most = Math.max(1e-300, ...shown.map(([v]) => Math.abs(v)));

    const lines = EDGES.map(({ layer, j, i }, number) => {
      const [v] = shown[number], kind = sign(v);
      return svg("line", {
        x1: x(layer), y1: y(layer, i), x2: x(layer + 1), y2: y(layer + 1, j), opacity: state.edge === number ? 1 : 0.72,
        stroke: COLOURS[kind], "stroke-dasharray": LINES[kind], "stroke-width": 1.2 + 6 * Math.sqrt(Math.abs(v) / most),
      });
    });

    const labels = EDGES.map((edge, number) => {
      const { layer, j, i } = edge, [v, words] = shown[number], isChosen = state.edge === number, at = layer ? 0.67 : 0.33;
      const left = x(layer) + at * (x(layer + 1) - x(layer)), high = y(layer, i) + at * (y(layer + 1, j) - y(layer, i));
      const long = Math.max(26, 7.4 * words.length + 12);
      const label = svg("g", {
        transform: `translate(${left},${high})`, class: isChosen ? "edge chosen" : "edge", "data-edge": number,
        tabindex: 0, role: "button", "aria-pressed": String(isChosen),
        "aria-label": `${NODES[layer][i]} to ${NODES[layer + 1][j]}: ${WHAT[phase]} ${words}; arrow keys change the weight`,
      },
        svg("rect", { x: -long / 2, y: -11, width: long, height: 22, rx: 11, stroke: COLOURS[sign(v)] }),
        text(0, 4.5, words, sign(v)));
      label.addEventListener("pointerdown", () => actions.choose(number));
      label.addEventListener("keydown", (event) => {
        if (event.key !== " " && event.key !== "Enter") return;
        event.preventDefault();
        actions.choose(number);
      });
      actions.made(label, edge);
      return label;
    });

    const neurons = NODES.flatMap((names, layer) => names.map((name, k) => {
      const v = (phase === 2 ? side.r : side.a)[layer][k], isSilent = layer === 1 && side.a[1][k] === 0;
      const value = short(v, 3), size = value.length < 5 ? "value" : isNarrow ? "value tighter" : "value tight";
      const below = phase === 2 ? "r" : layer === 1 && phase ? `z = ${short(side.lines[0].z[k], 3)}` : "";
      return svg("g", { class: isSilent ? "neuron silent" : "neuron" },
        svg("circle", { cx: x(layer), cy: y(layer, k), r: radius }),
        text(x(layer), y(layer, k) - radius - 7, name, "title"),
        text(x(layer), y(layer, k) + 5, value, size),
        text(x(layer), y(layer, k) + radius + 15, below, "small"));
    }));

    return svg("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "group", "aria-label": title },
      lines, neurons, labels, sums(side, phase, x, height - foot, width, isNarrow));
  }

  // Underneath: what the rewards of a layer add up to, and what was kept between two layers, on a phone in two rows
  function sums(side, phase, x, y, width, isNarrow) {
    const after = (side.after ?? []).map((v) => short(v, 3)).join(", ");
    if (phase === 3) return text(width - 4, y, `y₁, y₂ after the update: ${after}`, "sum", "end");
    if (phase !== 2) return [];
    const totals = side.r.map((r, layer) =>
      text([2, x(1), width - 2][layer], y, `Σ r = ${short(sum(r))}`, "sum", ["start", "middle", "end"][layer]));
    const kept = side.lines.flatMap(({ account }, layer) => {
      if (!account) return [];
      const causes = [`← bias ${short(account.kept.bias, 3)}`, `ε ${short(account.kept.stabiliser, 2)}`];
      return (isNarrow ? causes : [causes.join(", ")]).map((words, row) =>
        text((x(layer) + x(layer + 1)) / 2, y + 20 + 16 * row, words, "small"));
    });
    return [...totals, ...kept];
  }

  return { NODES, EDGES, draw };
})();
