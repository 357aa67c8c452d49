// Elements, numbers, formulas, colours and small charts, as all scenes use them.
"use strict";

const PageTools = (() => {
  const SVG = "http://www.w3.org/2000/svg";
  // Vermilion and blue can be told apart by everybody; negative lines are dashed as well, and zero is grey and dotted.
  const COLOURS = { plus: "#c14f00", minus: "#0072b2", zero: "#767f88", lfp: "#00664b", gradient: "#8a3a6b" };
  const CLASSES = ["#56b4e9", "#e69f00", "#cc79a7"];
  const LINES = { plus: "none", minus: "6 4", zero: "1 4" };

  const sign = (v) => (v > 0 ? "plus" : v < 0 ? "minus" : "zero");

  function fill(node, attributes, children) {
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
      else if (value === true) node.setAttribute(name, "");
      else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value);
    }
    node.append(...children.flat().filter((child) => child !== null && child !== undefined));
    return node;
  }
  const el = (tag, attributes = {}, ...children) => fill(document.createElement(tag), attributes, children);
  const svg = (tag, attributes = {}, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);

  const button = (words, onclick, attributes = {}) => el("button", { type: "button", onclick, ...attributes }, words);

  // Short enough to read: three or four digits
  function short(v, digits = 4) {
    if (!Number.isFinite(v)) return "–";
    if (v === 0) return "0";
    const size = Math.abs(v), rounded = Number(v.toPrecision(digits));
    const text = size >= 1e5 || size < 9.99e-4 ? Number(v.toPrecision(2)).toExponential().replace("e+", "e") : String(rounded);
    return text.replaceAll("-", "−");
  }
  const percent = (p) => (Number.isFinite(p) ? `${(100 * p).toFixed(1)} %` : "–");

  // A number to read, with all its digits in the attribute value
  const num = (v, name, digits) => el("data", { value: String(v), "data-name": name, class: sign(v) }, short(v, digits));

  // A word in a picture; kind: its class
  const text = (x, y, words, kind, anchor = "middle") => svg("text", { x, y, "text-anchor": anchor, class: kind }, words);

  // Rows of a name and cells
  function table(caption, head, rows) {
    return el("table", {}, caption ? el("caption", {}, caption) : null,
      el("thead", {}, el("tr", {}, head.map((title) => el("th", { scope: "col" }, title)))),
      el("tbody", {}, rows.map(([name, ...cells]) =>
        el("tr", {}, el("th", { scope: "row" }, name), cells.map((cell) => el("td", {}, cell))))));
  }

  // The elements of a scene by what they are for
  const partsOf = (section) =>
    Object.fromEntries([...section.querySelectorAll("[data-part]")].map((node) => [node.dataset.part, node]));
  const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);

  // Words that are no variables of a formula
  const WORDS = "kept by bias in the sgn mean first layer left out size gradient LFP share taken".split(" ");

  // "r_i = a_i Σ_j w_{ji} s_j = #" -> letters slanted, _ lowered, # replaced by the values one after the other
  function formula(text, ...values) {
    const pieces = text.match(/_\{[^}]*\}|_.|#|[A-Za-zα-ωφ′]+|[^_#A-Za-zα-ωφ′]+/gu) ?? [];
    return el("p", { class: "formula" }, pieces.map((piece) => {
      if (piece === "#") {
        const value = values.shift();
        return value instanceof Node ? value : num(value);
      }
      if (piece.startsWith("_")) return el("sub", {}, piece.replace(/[_{}]/g, ""));
      return /^[A-Za-zα-ωφ′]+$/u.test(piece) && !WORDS.includes(piece) ? el("var", {}, piece) : piece;
    }));
  }

  const polyline = (points) => points.map(([x, y], k) => `${k ? "L" : "M"}${x.toFixed(1)},${y.toFixed(1)}`).join("");

  // A line chart of accuracies, 0 to 100 % over epochs: lines [{name, values, colour, dashes}]
  function curves(lines, width, height = 170) {
    const left = 48, right = 12, top = 10, bottom = 26, longest = Math.max(2, ...lines.map(({ values }) => values.length));
    const x = (k) => left + ((width - left - right) * k) / (longest - 1), y = (p) => top + (height - top - bottom) * (1 - p);
    const path = (values) => polyline(values.flatMap((p, k) => (Number.isFinite(p) ? [[x(k), y(p)]] : [])));
    const last = lines.map(({ name, values }) => `${name}: ${percent(values.at(-1))}`);
    const label = `Accuracy over ${longest - 1} epochs. ${last.join("; ")}`;
    return svg("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": label },
      [0, 0.5, 1].map((p) => [
        svg("line", { x1: left, x2: width - right, y1: y(p), y2: y(p), class: "rule" }),
        svg("text", { x: left - 6, y: y(p) + 4, "text-anchor": "end", class: "small" }, `${100 * p} %`),
      ]).flat(),
      svg("text", { x: left, y: height - 8, class: "small" }, "epoch 0"),
      svg("text", { x: width - right, y: height - 8, "text-anchor": "end", class: "small" }, `epoch ${longest - 1}`),
      lines.map(({ values, colour, dashes, thin }) => svg("path", {
        d: path(values), fill: "none", stroke: colour, "stroke-width": thin ? 1.2 : 2.6, "stroke-dasharray": dashes ?? "none",
      })));
  }

  // Into a canvas of n x n cells, the colours that colour(k) gives as [red, green, blue]
  function paint(canvas, n, colour) {
    canvas.width = canvas.height = n;
    const context = canvas.getContext("2d"), image = context.createImageData(n, n);
    for (let k = 0; k < n * n; k++) image.data.set([...colour(k), 255], 4 * k);
    context.putImageData(image, 0, 0);
  }
  const rgb = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
  const mix = (hex, part) => rgb(hex).map((v) => Math.round(255 + (v - 255) * part)); // part 0: white
  // Vermilion for positive, blue for negative, as in most heat maps of relevance; white for 0; most: what counts as full
  const heat = (v, most) => mix(COLOURS[v < 0 ? "minus" : "plus"], most ? Math.min(1, Math.abs(v) / most) : 0);

  const isCalm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
  const pause = (ms) => new Promise((done) => setTimeout(done, ms));

  return {
    COLOURS, CLASSES, LINES, sign, sum, el, svg, text, button, table, partsOf, short, percent, num, formula, polyline, curves,
    paint, mix, heat, isCalm, pause,
  };
})();
