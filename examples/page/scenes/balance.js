// The balance of scene 3 as a bar chart: a bar a layer, of what it handed on and what it kept, to the right if positive;
// together they are what came in, the upright mark. The same numbers in a table underneath.
"use strict";

const pageBalance = (() => {
  const { el, svg, text, table, num } = PageTools;
  const PARTS = {
    handed: ["handed on", "#9aa5b0"], bias: ["kept by bias", "#e69f00"], stabiliser: ["kept by ε", "#009e73"],
    mask: ["left out by the rule", "#cc79a7"], "empty group": ["empty group", "#56b4e9"],
  };
  const ROW = 40;

  function chart(rows, width) {
    const reach = (way) => Math.max(0, ...rows.map(({ amounts }) =>
      Object.values(amounts).reduce((total, v) => total + Math.max(0, way * v), 0)));
    const low = -reach(-1), high = Math.max(reach(1), low + 1e-300), left = width < 420 ? 92 : 110, height = ROW * rows.length + 12;
    const x = (v) => left + ((width - left - 14) * (v - low)) / (high - low);

    function bar({ title, came, amounts }, row) {
      const y = 10 + ROW * row, ends = { true: 0, false: 0 };
      const pieces = Object.entries(amounts).filter(([, v]) => v).map(([part, v]) => {
        const from = x(ends[v > 0]), to = x((ends[v > 0] += v));
        return svg("rect", { x: Math.min(from, to), y, width: Math.abs(to - from), height: 24, fill: PARTS[part][1], stroke: "#fff" });
      });
      const mark = svg("path", { d: `M${x(came)},${y - 4}v32`, stroke: "#1c2630", "stroke-width": 2.5 });
      return [text(0, y + 16, title, "", "start"), ...pieces, mark];
    }

    const label = "what each layer handed on and kept; the numbers are in the table below";
    return svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label },
      svg("line", { x1: x(0), x2: x(0), y1: 2, y2: height - 8, class: "rule" }), rows.flatMap(bar));
  }

  return (lines, width) => {
    const rows = lines.map(({ came, handed, kept }, k) =>
      ({ title: ["pixels’ layer", "second layer", "outputs"][k], came, amounts: { handed, ...kept }, k })).reverse();
    const shown = Object.keys(PARTS).filter((part) => part === "handed" || rows.some(({ amounts }) => amounts[part]));
    const swatch = (part) => [el("span", { class: "swatch", style: `background:${PARTS[part][1]}` }), PARTS[part][0]];
    const cells = ({ title, came, amounts, k }) =>
      [title, num(came, `came.${k}`), ...shown.map((part) => num(amounts[part], `${part}.${k}`))];
    return [chart(rows, width), el("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": "balance in numbers" },
      table("", ["layer", "came in ▏", ...shown.map(swatch)], rows.map(cells)))];
  };
})();
