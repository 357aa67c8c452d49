// The drawing pad of scene 3: strokes become 8 x 8 pixels of 0 to 16 the way the bundled digits were made: the drawing
// is scaled to 32 x 32 dots, and a pixel counts the inked ones of its 4 x 4. Arrow keys and space darken single pixels.
"use strict";

const pagePad = (access) => {
  const { el } = PageTools;
  const SIZE = 224, LETTERS = "0123456789abcdefg", BRUSH = 2.2; // its radius, in dots
  let strokes = [], isDown = false, cell = 0, hasFocus = false, text = "0".repeat(64);
  const label = "drawing pad: draw with the pointer, or move with arrow keys and darken a pixel with space";
  const canvas = el("canvas", { width: SIZE, height: SIZE, tabindex: 0, class: "pad", role: "application", "aria-label": label });

  function dots() {
    const all = strokes.flat(), [xs, ys] = [0, 1].map((k) => all.map((p) => p[k]));
    const [left, top] = [Math.min(...xs), Math.min(...ys)], wide = Math.max(...xs) - left, high = Math.max(...ys) - top;
    const scale = (32 - 2 * BRUSH) / Math.max(high, wide, 0.15);
    const at = ([x, y]) => [16 + (x - left - wide / 2) * scale, 16 + (y - top - high / 2) * scale];
    const segments = strokes.flatMap((stroke) => stroke.map((p, k) => [at(stroke[Math.max(0, k - 1)]), at(p)]));
    const isNear = (x, y) => segments.some(([[x0, y0], [x1, y1]]) => {
      const [u, v] = [x1 - x0, y1 - y0], along = ((x - x0) * u + (y - y0) * v) / (u * u + v * v || 1);
      const part = Math.max(0, Math.min(1, along));
      return Math.hypot(x - x0 - part * u, y - y0 - part * v) < BRUSH;
    });
    const counts = Array(64).fill(0);
    for (let y = 0; y < 32; y++) for (let x = 0; x < 32; x++) if (isNear(x + 0.5, y + 0.5)) counts[8 * (y >> 2) + (x >> 2)] += 1;
    return counts.map((n) => LETTERS[n]).join("");
  }

  function draw(drawing) {
    text = drawing;
    const context = canvas.getContext("2d"), step = SIZE / 8;
    [...drawing].forEach((letter, k) => {
      const grey = Math.round(255 - (225 * LETTERS.indexOf(letter)) / 16);
      context.fillStyle = `rgb(${grey},${grey},${grey})`;
      context.fillRect((k % 8) * step, Math.floor(k / 8) * step, step, step);
    });
    context.lineWidth = 3;
    context.lineCap = "round";
    context.strokeStyle = "#e69f00";
    for (const stroke of strokes) {
      context.beginPath();
      stroke.forEach(([x, y], k) => context[k ? "lineTo" : "moveTo"](x * SIZE, y * SIZE));
      context.stroke();
    }
    if (!hasFocus || strokes.length) return;
    context.strokeRect((cell % 8) * step + 2, Math.floor(cell / 8) * step + 2, step - 4, step - 4);
  }

  function put(event) {
    const box = canvas.getBoundingClientRect();
    strokes.at(-1).push([(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height]);
    access.set("drawing", dots());
  }
  function key(event) {
    const move = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -8, ArrowDown: 8 }[event.key];
    if (move) cell = Math.max(0, Math.min(63, cell + move));
    else if (event.key === " " || event.key === "Enter") {
      const darker = { 0: "8", 8: "g" }[text[cell]] ?? "0";
      access.set("drawing", text.slice(0, cell) + darker + text.slice(cell + 1));
    } else return;
    event.preventDefault();
    strokes = [];
    draw(text);
  }
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    isDown = true;
    strokes.push([]);
    put(event);
  });
  canvas.addEventListener("pointermove", (event) => isDown && put(event));
  for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => (isDown = false));
  canvas.addEventListener("keydown", key);
  for (const [name, has] of [["focus", true], ["blur", false]]) canvas.addEventListener(name, () => ((hasFocus = has), draw(text)));

  // A drawing from elsewhere
  function take(drawing) {
    strokes = [];
    access.set("drawing", drawing);
  }
  return { canvas, draw, take };
};
