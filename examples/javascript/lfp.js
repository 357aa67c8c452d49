// Layer-wise Feedback Propagation in plain JavaScript, written from docs/porting.md alone, section by section.
//
// LFP.network(layers, rule, parameters) has forward(x) and feedback(reward). Arrays are {shape, data}: row-major, the
// batch first. Written to be read, not to be fast. A classic script, so that a page can load it from a file too; node
// requires it; and as all of it is one function, a worker can be made from that function's text (examples/page).
"use strict";

function lfpEngine() {
  const sizeOf = (shape) => shape.reduce((a, b) => a * b, 1);
  const array = (shape, data) => ({ shape, data: data ? Float64Array.from(data) : new Float64Array(sizeOf(shape)) });
  const map = (x, f) => array(x.shape, x.data.map(f));
  const reshape = (x, shape) => ({ shape, data: x.data });
  const sum = (x) => x.reduce((a, b) => a + b, 0);

  // ---- 1 and 5: linear layers. A layer is the list of its connections: output j, input i, weight k, within a sample.

  function connections(triples) {
    return { j: triples.map((t) => t[0]), i: triples.map((t) => t[1]), k: triples.map((t) => t[2]) };
  }

  // Of samples (I), or of tokens (T, I), each by itself. channel: the output that a bias goes with.
  function denseLinks(w, shape) {
    const [outputs, inputs] = w.shape, tokens = shape.length > 1 ? shape[0] : 1;
    const triples = [];
    for (let t = 0; t < tokens; t++) for (let j = 0; j < outputs; j++) for (let i = 0; i < inputs; i++)
      triples.push([t * outputs + j, t * inputs + i, j * inputs + i]);
    const channel = (j) => j % outputs;
    return { shape: [...shape.slice(0, -1), outputs], channels: outputs, channel, ...connections(triples) };
  }

  const outputSize = (size, kernel, stride, padding, dilation, behind) =>
    Math.floor((size + padding + behind - dilation * (kernel - 1) - 1) / stride) + 1;

  function convLinks(w, { stride, padding, dilation, groups = 1, padding_behind: behind = padding }, [, height, width]) {
    const [outputs, channels, kh, kw] = w.shape; // channels: of a group
    const ho = outputSize(height, kh, stride[0], padding[0], dilation[0], behind[0]);
    const wo = outputSize(width, kw, stride[1], padding[1], dilation[1], behind[1]);
    const triples = [];
    for (let o = 0; o < outputs; o++) for (let y = 0; y < ho; y++) for (let x = 0; x < wo; x++)
      for (let c = 0; c < channels; c++) for (let i = 0; i < kh; i++) for (let j = 0; j < kw; j++) {
        const channel = Math.floor(o / (outputs / groups)) * channels + c;
        const v = y * stride[0] + i * dilation[0] - padding[0];
        const u = x * stride[1] + j * dilation[1] - padding[1];
        if (v < 0 || v >= height || u < 0 || u >= width) continue;
        triples.push([(o * ho + y) * wo + x, (channel * height + v) * width + u, ((o * channels + c) * kh + i) * kw + j]);
      }
    return { shape: [outputs, ho, wo], ...connections(triples) };
  }

  // weight (C, outputs of a group, KH, KW): input (c, v, u) reaches output (v * stride - padding + i * dilation, ...)
  function transposedLinks(w, { stride, padding, output_padding: more, dilation, groups }, [inputs, height, width]) {
    const [, outputs, kh, kw] = w.shape, size = [height, width], kernel = [kh, kw];
    const [ho, wo] = size.map((n, axis) =>
      (n - 1) * stride[axis] - 2 * padding[axis] + dilation[axis] * (kernel[axis] - 1) + more[axis] + 1);
    const triples = [];
    for (let c = 0; c < inputs; c++) for (let v = 0; v < height; v++) for (let u = 0; u < width; u++)
      for (let o = 0; o < outputs; o++) for (let i = 0; i < kh; i++) for (let j = 0; j < kw; j++) {
        const channel = Math.floor(c / (inputs / groups)) * outputs + o;
        const y = v * stride[0] - padding[0] + i * dilation[0], x = u * stride[1] - padding[1] + j * dilation[1];
        if (y < 0 || y >= ho || x < 0 || x >= wo) continue;
        triples.push([(channel * ho + y) * wo + x, (c * height + v) * width + u, ((c * outputs + o) * kh + i) * kw + j]);
      }
    return { shape: [outputs * groups, ho, wo], ...connections(triples) };
  }

  // Windows along an axis: where each begins and ends within the image, and how many pixels it counts with padding
  function slidingWindows(size, kernel, stride, padding = 0, ceilMode = false) {
    const room = (size + 2 * padding - kernel) / stride, found = [];
    for (let j = 0; j <= (ceilMode ? Math.ceil(room) : Math.floor(room)); j++) {
      const begin = j * stride - padding, end = Math.min(begin + kernel, size + padding);
      if (begin < size) found.push({ begin: Math.max(begin, 0), end: Math.min(end, size), count: end - begin });
    }
    return found;
  }

  function adaptiveWindows(size, outputs) {
    return Array.from({ length: outputs }, (_, j) => {
      const begin = Math.floor((j * size) / outputs), end = Math.ceil(((j + 1) * size) / outputs);
      return { begin, end, count: end - begin };
    });
  }

  function windowsOf(about, [, height, width]) {
    const [oh, ow] = about.output || [1, 1];
    if (!about.kernel) return [adaptiveWindows(height, oh), adaptiveWindows(width, ow)];
    const { kernel, stride, padding = [0, 0], ceil_mode: ceilMode } = about;
    return [height, width].map((size, axis) => slidingWindows(size, kernel[axis], stride[axis], padding[axis], ceilMode));
  }

  // Weight k of a connection: the number of its window, the same in every channel
  function poolLinks([rows, columns], [channels, height, width]) {
    const ho = rows.length, wo = columns.length, triples = [];
    for (let c = 0; c < channels; c++) for (let y = 0; y < ho; y++) for (let x = 0; x < wo; x++)
      for (let v = rows[y].begin; v < rows[y].end; v++) for (let u = columns[x].begin; u < columns[x].end; u++)
        triples.push([(c * ho + y) * wo + x, (c * height + v) * width + u, y * wo + x]);
    return { shape: [channels, ho, wo], ...connections(triples) };
  }

  // The sum of two arrays: their samples are stacked, (N, 2, ...)
  function sumLinks(shape) {
    const triples = [], size = sizeOf(shape);
    for (let which = 0; which < 2; which++) for (let j = 0; j < size; j++) triples.push([j, which * size + j, 0]);
    return { shape, ...connections(triples) };
  }

  // The place of an output's bias: its channel, the first axis, unless the links say otherwise
  function channelOf(links) {
    const positions = sizeOf(links.shape) / links.shape[0];
    return links.channel || ((j) => Math.floor(j / positions));
  }

  // z = W a + b, over all samples
  function total(links, a, w, b) {
    const z = array([a.shape[0], ...links.shape]);
    const inputs = a.data.length / a.shape[0], outputs = sizeOf(links.shape), channel = channelOf(links);
    for (let n = 0; n < a.shape[0]; n++) {
      for (let j = 0; j < outputs; j++) z.data[n * outputs + j] = b ? b.data[channel(j)] : 0;
      for (let l = 0; l < links.j.length; l++)
        z.data[n * outputs + links.j[l]] += w.data[links.k[l]] * a.data[n * inputs + links.i[l]];
    }
    return z;
  }

  // The adjoints of the same sum: of the input, of the weight, of the bias
  function adjoint(links, s, a, w) {
    const g = { a: array(a.shape), w: array(w.shape), b: array([links.channels || links.shape[0]]) };
    const inputs = a.data.length / a.shape[0], outputs = sizeOf(links.shape), channel = channelOf(links);
    for (let n = 0; n < a.shape[0]; n++) {
      for (let j = 0; j < outputs; j++) g.b.data[channel(j)] += s.data[n * outputs + j];
      for (let l = 0; l < links.j.length; l++) {
        const at = n * inputs + links.i[l], from = s.data[n * outputs + links.j[l]];
        g.a.data[at] += w.data[links.k[l]] * from;
        g.w.data[links.k[l]] += a.data[at] * from;
      }
    }
    return g;
  }

  // ---- 2 and 6: rules

  const STABILISER = 1e-6;
  const sgn = (x) => (x >= 0 ? 1 : -1);

  function quotient(r, z, epsilon) {
    const d = z + epsilon * sgn(z);
    return d !== 0 ? r / d : 0;
  }

  const quotients = (r, z, epsilon) => map(r, (v, k) => quotient(v, z.data[k], epsilon));

  const same = (x) => x, plus = (x) => Math.max(x, 0), minus = (x) => Math.min(x, 0), none = () => 0, one = () => 1;
  const square = (x) => x * x;
  const epsilonGroups = () => [{ terms: [[same, same, same]] }];
  const GROUPS = {
    epsilon: epsilonGroups, // and, but for norms and attention, the next three
    "attn-lrp": epsilonGroups,
    "constant-attention": epsilonGroups,
    "autograd-attention": epsilonGroups,
    "z-plus-minus": () => [{ terms: [[Math.abs, Math.abs, Math.abs]] }],
    gamma({ gamma }) {
      const up = (x) => x + gamma * plus(x), down = (x) => x + gamma * minus(x);
      return [
        { mask: (z) => z > 0, terms: [[plus, up, up], [minus, down, none]] },
        { mask: (z) => z < 0, terms: [[plus, down, down], [minus, up, none]] },
      ];
    },
    "alpha-beta": ({ alpha, beta }) => [
      { c: alpha, terms: [[plus, plus, plus], [minus, minus, none]] },
      { c: -beta, terms: [[plus, minus, minus], [minus, plus, none]] },
    ],
    "z-plus": () => [{ terms: [[plus, plus, plus], [minus, minus, none]] }],
    "w-square": () => [{ terms: [[one, square, square]] }],
    flat: () => [{ terms: [[one, one, none]] }],
    "z-box": ({ low, high }) => [{
      terms: [[same, same, same], [() => -low, plus, (b) => -plus(b)], [() => -high, minus, (b) => -minus(b)]],
    }],
  };
  const STAND_INS = {
    "atan-surrogate": (x, slope) => slope / 2 / (1 + ((Math.PI / 2) * slope * x) ** 2),
    "fast-sigmoid-surrogate": (x, slope) => 1 / (1 + slope * Math.abs(x)) ** 2,
    "straight-through": (x, slope) => (Math.abs(x) <= slope ? 1 : 0),
  };
  const isGradient = (rule) => !(rule.name in GROUPS);
  const epsilonOf = ({ epsilon = STABILISER }) => epsilon;

  // ---- 3: what a weighted sum does with the reward r of its outputs z: the input's reward, the feedback of w and b

  function share(links, r, z, a, w, b, rule, show) {
    const handed = array(a.shape), dw = array(w.shape), db = b && array(b.shape);
    const add = (to, g, factor) => to && g.data.forEach((v, k) => (to.data[k] += factor(k) * v));
    if (isGradient(rule)) {
      show("s.0", r);
      const g = adjoint(links, r, a, w);
      [[handed, g.a], [dw, g.w], [db, g.b]].forEach(([to, part]) => add(to, part, one));
    } else {
      GROUPS[rule.name](rule).forEach(({ c = 1, mask = () => true, terms }, number) => {
        const seen = terms.map(([A, W, B]) => ({ a: map(a, A), w: map(w, W), b: b && map(b, B) }));
        const isPlain = GROUPS[rule.name] === epsilonGroups, d = isPlain ? z : array(z.shape);
        if (!isPlain) {
          for (const x of seen) total(links, x.a, x.w, x.b).data.forEach((v, k) => (d.data[k] += v));
          show(`denominator.${number}`, d);
        }
        const s = quotients(map(r, (v, k) => (mask(z.data[k]) ? c * v : 0)), d, epsilonOf(rule));
        show(`s.${number}`, s);
        for (const x of seen) {
          const g = adjoint(links, s, x.a, x.w);
          add(handed, g.a, (k) => x.a.data[k]);
          if (rule.name === "z-plus-minus") { // it learns from a, w and b, not from their sizes
            add(dw, adjoint(links, s, a, w).w, (k) => Math.abs(w.data[k]));
            if (b) add(db, g.b, (k) => Math.abs(b.data[k]));
            continue;
          }
          add(dw, g.w, (k) => sgn(w.data[k]) * x.w.data[k]);
          if (b) add(db, g.b, (k) => sgn(b.data[k]) * x.b.data[k]);
        }
      });
    }
    if (rule.learning && rule.learning !== "share") learnLocally(links, r, z, a, w, b, rule, dw, db);
    return { handed, dw, db };
  }

  function learnLocally(links, r, z, a, w, b, rule, dw, db) {
    const zr = map(r, (v, k) => v * z.data[k]), zzr = map(zr, (v, k) => v * z.data[k]);
    const g = adjoint(links, zr, a, w), forgetting = adjoint(links, zzr, a, w).b;
    const oja = rule.learning === "oja" ? 1 : 0, fan = w.data.length / w.shape[0];
    dw.data.set(g.w.data.map((v, k) => Math.abs(w.data[k]) * (v - oja * w.data[k] * forgetting.data[Math.floor(k / fan)])));
    if (b) db.data.set(g.b.data.map((v, k) => Math.abs(b.data[k]) * (v - oja * b.data[k] * forgetting.data[k])));
  }

  // ---- layers: each has forward(a) and feedback(r); show(name, array) tells of what is computed

  const LAYERS = {};

  function weighted(links, { parameter, rule, show, learn }) {
    const w = parameter("weight"), b = parameter("bias");
    let a, z, linked;
    return {
      forward(x) {
        a = x;
        linked = links(w, a.shape.slice(1));
        return (z = total(linked, a, w, b));
      },
      feedback(r) {
        const { handed, dw, db } = share(linked, r, z, a, w, b, rule, show);
        learn("weight", dw);
        if (b) learn("bias", db);
        return handed;
      },
      // for a layer around this one that has s already
      handOut(s, gradient) {
        const g = adjoint(linked, s, a, w);
        const dw = map(g.w, (v, k) => (gradient ? v : Math.abs(w.data[k]) * v));
        const db = b && map(g.b, (v, k) => (gradient ? v : Math.abs(b.data[k]) * v));
        learn("weight", dw);
        if (b) learn("bias", db);
        return gradient ? g.a : map(g.a, (v, k) => a.data[k] * v);
      },
    };
  }

  LAYERS.dense = (about, tools) => weighted(denseLinks, tools);
  LAYERS["conv-transpose2d"] = (about, tools) => weighted((w, shape) => transposedLinks(w, about, shape), tools);
  LAYERS.conv2d = (about, tools) => {
    const { padding: [py, px], padding_value: value } = about;
    if (!value) return weighted((w, shape) => convLinks(w, about, shape), tools);
    // what is outside contributes: a part of the image, whose reward is handed to nobody
    const inner = weighted((w, shape) => convLinks(w, { ...about, padding: [0, 0] }, shape), tools);
    let shape;
    const eachPixel = (visit) => {
      const [samples, channels, height, width] = shape;
      for (let row = 0; row < samples * channels * height; row++) for (let u = 0; u < width; u++) {
        const v = row % height, image = (row - v) / height;
        visit(row * width + u, (image * (height + 2 * py) + v + py) * (width + 2 * px) + u + px);
      }
    };
    return {
      forward(a) {
        shape = a.shape;
        const wide = array([shape[0], shape[1], shape[2] + 2 * py, shape[3] + 2 * px]).data.fill(value);
        eachPixel((k, there) => (wide[there] = a.data[k]));
        return inner.forward(array([shape[0], shape[1], shape[2] + 2 * py, shape[3] + 2 * px], wide));
      },
      feedback(r) {
        const handed = inner.feedback(r), cut = array(shape);
        eachPixel((k, there) => (cut.data[k] = handed.data[there]));
        return cut;
      },
    };
  };

  const sigmoid = (z) => (z >= 0 ? 1 / (1 + Math.exp(-z)) : Math.exp(z) / (1 + Math.exp(z)));
  const normal = (z) => (1 + erf(z / Math.SQRT2)) / 2;
  const density = (z) => Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);

  function erf(x) { // 2/sqrt(pi) e^(-x^2) sum of 2^n x^(2n+1) / (1 3 5 ... 2n+1): all terms have one sign
    let term = x, result = 0;
    for (let n = 0; Math.abs(term) > 1e-20; n++) {
      result += term;
      term *= (2 * x * x) / (2 * n + 3);
    }
    return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * result;
  }

  const ACTIVATIONS = { // phi and its derivative
    relu: [plus, (z) => (z > 0 ? 1 : 0)],
    "leaky-relu": [(z, p) => (z > 0 ? z : p * z), (z, p) => (z > 0 ? 1 : p)],
    elu: [(z, p) => (z > 0 ? z : p * Math.expm1(z)), (z, p) => (z > 0 ? 1 : p * Math.exp(z))],
    silu: [(z) => z * sigmoid(z), (z) => sigmoid(z) * (1 + z * (1 - sigmoid(z)))],
    gelu: [(z) => z * normal(z), (z) => normal(z) + z * density(z)],
    tanh: [Math.tanh, (z) => 1 - Math.tanh(z) ** 2],
    sigmoid: [sigmoid, (z) => sigmoid(z) * (1 - sigmoid(z))],
    softplus: [(z) => plus(z) + Math.log1p(Math.exp(-Math.abs(z))), sigmoid],
    softsign: [(z) => z / (1 + Math.abs(z)), (z) => 1 / (1 + Math.abs(z)) ** 2],
    step: [(z) => (z > 0 ? 1 : 0), none],
  };

  function curve(about) {
    if (about.type === "negated") {
      const [phi, slope] = curve(about.activation);
      return [(z) => -phi(z), (z) => -slope(z)];
    }
    if (about.type === "reflected") {
      const [phi, slope] = curve(about.activation);
      return [(z) => phi(-z), (z) => -slope(-z)];
    }
    return ACTIVATIONS[about.type].map((f) => (z) => f(z, about.parameter));
  }

  function activation(about, { rule }) {
    const [phi, slope] = curve(about);
    let z;
    return {
      forward: (a) => map((z = a), (v) => phi(v)),
      feedback(r) {
        if (!isGradient(rule)) return r;
        const standIn = about.type === "step" && STAND_INS[rule.name];
        return map(r, (v, k) => v * (standIn ? standIn(z.data[k], rule.slope) : slope(z.data[k])));
      },
    };
  }
  for (const name of [...Object.keys(ACTIVATIONS), "negated", "reflected"]) LAYERS[name] = activation;

  // ---- 4: layers without weights

  LAYERS["max-pool"] = (about, { show, unfold }) => {
    let shape, links, winner;
    return {
      forward(a) {
        shape = a.shape;
        links = poolLinks(windowsOf(about, shape.slice(1)), shape.slice(1));
        const out = array([shape[0], ...links.shape]), tap = array(out.shape);
        const inputs = sizeOf(shape) / shape[0], outputs = sizeOf(links.shape);
        winner = new Int32Array(out.data.length);
        for (let n = 0; n < shape[0]; n++) for (let l = 0, number = 0; l < links.j.length; l++) {
          const to = n * outputs + links.j[l], value = a.data[n * inputs + links.i[l]];
          number = l && links.j[l] === links.j[l - 1] ? number + 1 : 0; // among the pixels of the window
          if (number === 0 || value > out.data[to]) {
            out.data[to] = value;
            winner[to] = n * inputs + links.i[l];
            tap.data[to] = number;
          }
        }
        show("winner", unfold(tap));
        return out;
      },
      feedback(r) {
        const handed = array(shape);
        r.data.forEach((v, k) => (handed.data[winner[k]] += v));
        return handed;
      },
    };
  };

  function averagePool(about, { rule, show, unfold }) {
    let a, z, links, w;
    return {
      forward(x) {
        a = x;
        const [rows, columns] = windowsOf(about, a.shape.slice(1)), padded = about.count_include_pad !== false;
        const pixels = (axis) => (padded ? axis.count : axis.end - axis.begin);
        links = poolLinks([rows, columns], a.shape.slice(1));
        w = array([rows.length * columns.length], rows.flatMap((y) => columns.map((x) => 1 / (pixels(y) * pixels(x)))));
        const sums = total(links, a, map(w, one));
        return (z = map(sums, (v, k) => v * w.data[k % w.data.length])); // after the sum: what cancels leaves exactly 0
      },
      feedback(r) {
        if (isGradient(rule)) return adjoint(links, r, a, w).a;
        return share(links, r, z, a, w, null, rule, (name, x) => show(name, unfold(x))).handed;
      },
    };
  }
  LAYERS["avg-pool"] = LAYERS["global-avg-pool"] = LAYERS["adaptive-avg-pool"] = averagePool;

  LAYERS.upsample = ({ scale }) => {
    let shape, source;
    return {
      forward(a) {
        shape = a.shape;
        const [samples, channels, height, width] = shape, [high, wide] = [height * scale[0], width * scale[1]];
        const out = array([samples, channels, high, wide]);
        source = (k) => {
          const u = k % wide, v = Math.floor(k / wide) % high, image = Math.floor(k / (wide * high));
          return (image * height + Math.floor(v / scale[0])) * width + Math.floor(u / scale[1]);
        };
        return map(out, (_, k) => a.data[source(k)]);
      },
      feedback(r) {
        const handed = array(shape);
        r.data.forEach((v, k) => (handed.data[source(k)] += v));
        return handed;
      },
    };
  };

  LAYERS.identity = () => ({ forward: (a) => a, feedback: (r) => r });

  // Arrays joined along axis 1: rows are samples, pieces what follows axis 1
  function join(parts) {
    const [samples] = parts[0].shape, sizes = parts.map((x) => x.data.length / samples);
    const channels = sum(parts.map((x) => x.shape[1]));
    const out = array([samples, channels, ...parts[0].shape.slice(2)]);
    let at = 0;
    for (let n = 0; n < samples; n++) parts.forEach((x, p) => {
      out.data.set(x.data.subarray(n * sizes[p], (n + 1) * sizes[p]), at);
      at += sizes[p];
    });
    return out;
  }

  function split(x, shapes) {
    const parts = shapes.map((shape) => array(shape)), sizes = parts.map((part) => part.data.length / x.shape[0]);
    let at = 0;
    for (let n = 0; n < x.shape[0]; n++) parts.forEach((part, p) => {
      part.data.set(x.data.subarray(at, at + sizes[p]), n * sizes[p]);
      at += sizes[p];
    });
    return parts;
  }

  LAYERS.concatenate = ({ branches }, { inside }) => {
    const all = branches.map((branch, b) => branch.map((each, k) => inside(`branches.${b}.${k}`, each)));
    let shapes;
    return {
      forward(a) {
        const parts = all.map((branch) => branch.reduce((x, layer) => layer.forward(x), a));
        shapes = parts.map((x) => x.shape);
        return join(parts);
      },
      feedback(r) {
        const parts = split(r, shapes);
        const handed = all.map((branch, b) => branch.reduceRight((x, layer) => layer.feedback(x), parts[b]));
        return handed.reduce((x, y) => map(x, (v, k) => v + y.data[k]));
      },
    };
  };

  // ---- tokens (N, T, D)

  LAYERS["patch-embedding"] = (about, tools) => {
    const parameter = (name) => tools.parameter(`projection.${name}`);
    const size = parameter("weight").shape.slice(2), image = { stride: size, padding: [0, 0], dilation: [1, 1] };
    const learn = (name, d) => tools.learn(`projection.${name}`, d);
    const inner = LAYERS.conv2d(image, { ...tools, parameter, learn });
    let shape;
    const turn = (x, from, to, shape) => { // between (N, D, T) and (N, T, D)
      const out = array(shape);
      for (let k = 0; k < x.data.length; k++) {
        const n = Math.floor(k / (from * to)), i = Math.floor(k / to) % from, j = k % to;
        out.data[(n * to + j) * from + i] = x.data[k];
      }
      return out;
    };
    return {
      forward(a) {
        const z = inner.forward(a), tokens = z.shape[2] * z.shape[3];
        shape = z.shape;
        return turn(z, z.shape[1], tokens, [z.shape[0], tokens, z.shape[1]]);
      },
      feedback: (r) => inner.feedback(turn(r, r.shape[1], r.shape[2], shape)),
    };
  };

  LAYERS["class-token"] = (about, { parameter, rule, learn }) => {
    const w = parameter("weight");
    let shape;
    return {
      forward(a) {
        shape = a.shape;
        const token = map(array([a.shape[0], 1, a.shape[2]]), (_, k) => w.data[k % w.data.length]);
        return join([token, a]);
      },
      feedback(r) {
        const [own, handed] = split(r, [[shape[0], 1, shape[2]], shape]), d = array(w.shape);
        own.data.forEach((v, k) => {
          const at = k % w.data.length;
          d.data[at] += v * (isGradient(rule) ? 1 : sgn(w.data[at]));
        });
        learn("weight", d);
        return handed;
      },
    };
  };

  LAYERS.positions = (about, { parameter, rule, show, learn }) => {
    const w = parameter("weight"), at = (k) => k % w.data.length;
    let a, y;
    return {
      forward: (x) => (y = map((a = x), (v, k) => v + w.data[at(k)])),
      feedback(r) {
        const s = isGradient(rule) ? r : quotients(r, y, epsilonOf(rule)), d = array(w.shape);
        if (!isGradient(rule)) show("s.0", s);
        s.data.forEach((v, k) => (d.data[at(k)] += v * (isGradient(rule) ? 1 : Math.abs(w.data[at(k)]))));
        learn("weight", d);
        return isGradient(rule) ? s : map(s, (v, k) => v * a.data[k]);
      },
    };
  };

  LAYERS["select-token"] = ({ index }) => {
    let shape;
    return {
      forward(a) {
        shape = a.shape;
        const [samples, tokens, features] = shape, out = array([samples, features]);
        return map(out, (_, k) => a.data[(Math.floor(k / features) * tokens + index) * features + (k % features)]);
      },
      feedback(r) {
        const [, tokens, features] = shape, handed = array(shape);
        r.data.forEach((v, k) => (handed.data[(Math.floor(k / features) * tokens + index) * features + (k % features)] = v));
        return handed;
      },
    };
  };

  LAYERS.residual = (about, { inside, rule, show }) => {
    const branches = ["body", "shortcut"].map((name) => (about[name] || []).map((each, k) => inside(`${name}.${k}`, each)));
    let outputs, y;
    function shareSum(r) {
      const samples = y.shape[0], size = y.data.length / samples, both = array([samples, 2, ...y.shape.slice(1)]);
      const part = (x, n, which) => x.data.subarray((2 * n + which) * size, (2 * n + which + 1) * size);
      outputs.forEach((out, which) => {
        for (let n = 0; n < samples; n++) part(both, n, which).set(out.data.subarray(n * size, (n + 1) * size));
      });
      const { handed } = share(sumLinks(y.shape.slice(1)), r, y, both, array([1], [1]), null, rule, show);
      return outputs.map((out, which) => {
        const rewards = array(y.shape);
        for (let n = 0; n < samples; n++) rewards.data.set(part(handed, n, which), n * size);
        return rewards;
      });
    }
    return {
      forward(a) {
        outputs = branches.map((branch) => branch.reduce((x, layer) => layer.forward(x), a));
        return (y = map(outputs[0], (v, k) => v + outputs[1].data[k]));
      },
      feedback(r) {
        const parts = isGradient(rule) ? [r, r] : shareSum(r);
        const handed = branches.map((branch, which) => {
          const part = parts[which];
          show(["body_reward", "shortcut_reward"][which], part);
          return branch.reduceRight((x, layer) => layer.feedback(x), part);
        });
        return map(handed[0], (v, k) => v + handed[1].data[k]);
      },
    };
  };

  LAYERS.dropout = ({ p }, { keep, rule }) => ({
    forward: (a) => (keep ? map(a, (v, k) => (v * keep.data[k]) / (1 - p)) : a),
    feedback(r) {
      const scale = isGradient(rule) ? 1 / (1 - p) : 1;
      return keep ? map(r, (v, k) => v * keep.data[k] * scale) : r;
    },
  });

  LAYERS.flatten = () => {
    let shape;
    return {
      forward: (a) => reshape(a, [(shape = a.shape)[0], sizeOf(shape.slice(1))]),
      feedback: (r) => reshape(r, shape),
    };
  };

  LAYERS["batch-norm"] = ({ eps, momentum, training }, { parameter, rule, show, learn }) => {
    const [w, b, runningMean, runningVar] = ["weight", "bias", "running_mean", "running_var"].map(parameter);
    let a, x, out, scale, channel;
    return {
      forward(input) {
        a = input;
        const channels = a.shape[1], positions = sizeOf(a.shape.slice(2)), count = a.shape[0] * positions;
        channel = (k) => Math.floor(k / positions) % channels;
        let mean = runningMean, variance = runningVar;
        if (training) {
          mean = array([channels]);
          variance = array([channels]);
          a.data.forEach((v, k) => (mean.data[channel(k)] += v));
          mean = map(mean, (v) => v / count);
          a.data.forEach((v, k) => (variance.data[channel(k)] += (v - mean.data[channel(k)]) ** 2));
          variance = map(variance, (v) => v / count);
          show("mean", mean);
          show("var", variance);
        }
        scale = map(variance, (v) => 1 / Math.sqrt(v + eps));
        show("scale", scale);
        x = map(a, (v, k) => (v - mean.data[channel(k)]) * scale.data[channel(k)]);
        out = map(x, (v, k) => w.data[channel(k)] * v + b.data[channel(k)]);
        if (training) {
          show("running_mean", map(runningMean, (v, c) => v + momentum * (mean.data[c] - v)));
          show("running_var", map(runningVar, (v, c) => v + momentum * ((variance.data[c] * count) / (count - 1) - v)));
        }
        return out;
      },
      feedback(r) {
        const s = isGradient(rule) ? r : quotients(r, out, epsilonOf(rule));
        const dw = array(w.shape), db = array(b.shape), size = (p) => (c) => (isGradient(rule) ? 1 : Math.abs(p.data[c]));
        s.data.forEach((v, k) => {
          dw.data[channel(k)] += v * x.data[k];
          db.data[channel(k)] += v;
        });
        if (!isGradient(rule)) show("s.0", s);
        learn("weight", map(dw, (v, c) => v * size(w)(c)));
        learn("bias", map(db, (v, c) => v * size(b)(c)));
        const M = a.data.length / w.data.length, through = training ? 1 : 0;
        const lost = (k) => (through * (db.data[channel(k)] + x.data[k] * dw.data[channel(k)])) / M;
        return map(s, (v, k) => (v - lost(k)) * w.data[channel(k)] * scale.data[channel(k)] * (isGradient(rule) ? 1 : a.data[k]));
      },
    };
  };

  // Layer and group normalisation. row(k): the numbers normalised together; place(k): the one of w and b.
  function sampleNorm(rowsOf, { eps }, { parameter, rule, show, learn }) {
    const w = parameter("weight"), b = parameter("bias");
    let a, x, out, scale, size, place;
    const row = (k) => Math.floor(k / size);
    const sums = (y) => {
      const found = new Float64Array(scale.data.length);
      y.data.forEach((v, k) => (found[row(k)] += v));
      return found.map((v) => v / size);
    };
    return {
      forward(input) {
        a = input;
        ({ size, place } = rowsOf(a.shape));
        scale = array([a.shape[0], a.data.length / size / a.shape[0]]);
        const mean = sums(a), variance = sums(map(a, (v, k) => (v - mean[row(k)]) ** 2));
        scale = map(scale, (_, r) => 1 / Math.sqrt(variance[r] + eps));
        show("scale", scale);
        x = map(a, (v, k) => (v - mean[row(k)]) * scale.data[row(k)]);
        show("normal", x);
        return (out = map(x, (v, k) => w.data[place(k)] * v + b.data[place(k)]));
      },
      feedback(r) {
        const s = isGradient(rule) ? r : quotients(r, out, epsilonOf(rule)), dw = array(w.shape), db = array(b.shape);
        if (!isGradient(rule)) show("s.0", s);
        const factor = (p, k) => (isGradient(rule) ? 1 : Math.abs(p.data[place(k)]));
        s.data.forEach((v, k) => {
          dw.data[place(k)] += factor(w, k) * x.data[k] * v;
          db.data[place(k)] += factor(b, k) * v;
        });
        learn("weight", dw);
        learn("bias", db);
        const t = map(s, (v, k) => w.data[place(k)] * v), mean = sums(t), meanX = sums(map(t, (v, k) => v * x.data[k]));
        const through = ["attn-lrp", "constant-attention"].includes(rule.name) ? 0 : 1; // their scale is a constant
        const g = map(t, (v, k) => scale.data[row(k)] * (v - mean[row(k)] - through * x.data[k] * meanX[row(k)]));
        return isGradient(rule) ? g : map(g, (v, k) => v * a.data[k]);
      },
    };
  }

  LAYERS["layer-norm"] = (about, tools) =>
    sampleNorm((shape) => ({ size: shape[shape.length - 1], place: (k) => k % shape[shape.length - 1] }), about, tools);

  LAYERS["group-norm"] = (about, tools) => sampleNorm((shape) => {
    const positions = sizeOf(shape.slice(2));
    return { size: (shape[1] / about.groups) * positions, place: (k) => Math.floor(k / positions) % shape[1] };
  }, about, tools);

  // ---- attention

  LAYERS.attention = ({ heads }, { parameter, rule, show, learn }) => {
    const project = (name) => {
      const w = parameter(`${name}.weight`), b = parameter(`${name}.bias`);
      let links, a, z;
      return {
        forward(x) {
          a = x;
          links = denseLinks(w, a.shape.slice(1));
          return (z = total(links, a, w, b));
        },
        feedback(r) {
          const { handed, dw, db } = share(links, r, z, a, w, b, rule, (_, s) => show(`s.${name}`, s));
          learn(`${name}.weight`, dw);
          learn(`${name}.bias`, db);
          return handed;
        },
      };
    };
    const inProj = project("in_proj"), outProj = project("out_proj");
    const form = isGradient(rule) ? "gradient" : rule.name, isTaylor = form === "attn-lrp";
    const isDivided = form !== "gradient" && form !== "autograd-attention";
    let z, m, p, c, scale;
    // over all n, heads, tokens t, s and the head's features: places of Q, K, V in z, of C, and of scores
    function visit(action) {
      const [samples, tokens, features] = c.shape, width = features / heads;
      for (let n = 0; n < samples; n++) for (let h = 0; h < heads; h++) for (let t = 0; t < tokens; t++)
        for (let s = 0; s < tokens; s++) for (let i = h * width; i < (h + 1) * width; i++) {
          const ofT = (n * tokens + t) * 3 * features + i, ofS = (n * tokens + s) * 3 * features + i;
          const score = ((n * heads + h) * tokens + t) * tokens + s;
          action(score, ofT, ofS + features, ofS + 2 * features, (n * tokens + t) * features + i);
        }
    }
    function byRow(x, action) { // action(numbers of a row of scores) -> what stands in its place
      const tokens = c.shape[1], out = array(x.shape);
      for (let k = 0; k < x.data.length; k += tokens) out.data.set(action(x.data.slice(k, k + tokens), k), k);
      return out;
    }
    return {
      forward(x) {
        const [samples, tokens, features] = x.shape;
        z = inProj.forward(x);
        show("projected", z);
        scale = 1 / Math.sqrt(features / heads);
        c = array(x.shape);
        m = array([samples, heads, tokens, tokens]);
        visit((score, q, k) => (m.data[score] += z.data[q] * z.data[k]));
        show("scores", m);
        p = byRow(m, (row) => {
          const largest = Math.max(...row), powers = row.map((v) => Math.exp(scale * (v - largest))), all = sum(powers);
          return powers.map((v) => v / all);
        });
        show("weights", p);
        visit((score, q, k, v, at) => (c.data[at] += p.data[score] * z.data[v]));
        show("values", c);
        return outProj.forward(c);
      },
      feedback(r) {
        const rc = outProj.feedback(r), halves = isTaylor ? 2 : 1, g = array(z.shape);
        const s = isDivided ? quotients(rc, map(c, (v) => halves * v), rule.epsilon) : rc;
        show("s.values", s);
        visit((score, q, k, v, at) => (g.data[v] += p.data[score] * s.data[at]));
        let ofScores = array(m.shape);
        if (form !== "constant-attention") {
          visit((score, q, k, v, at) => (ofScores.data[score] += s.data[at] * z.data[v]));
          ofScores = byRow(ofScores, (row, from) => {
            const weights = p.data.subarray(from, from + row.length), mean = sum(row.map((v, j) => v * weights[j]));
            return row.map((v, j) => weights[j] * (v - mean)); // the softmax's derivative
          });
          ofScores = isTaylor
            ? quotients(map(ofScores, (v, k) => scale * m.data[k] * v), map(m, (v) => 2 * v), rule.epsilon)
            : map(ofScores, (v) => scale * v);
          visit((score, q, k) => {
            g.data[q] += ofScores.data[score] * z.data[k];
            g.data[k] += ofScores.data[score] * z.data[q];
          });
        }
        show("s.scores", ofScores);
        return inProj.feedback(isDivided ? map(g, (v, k) => v * z.data[k]) : g);
      },
    };
  };

  // ---- 8: spiking layers; arrays are (T, N, ...), and (T * N, ...) for the layer inside

  LAYERS.lif = ({ layer, beta, threshold, reset }, tools) => {
    const { steps, rule, show } = tools;
    const inner = LAYERS[layer.type](layer, tools);
    let current, u, v, taken, fired, isConstant, samples;
    return {
      forward(x, constant) {
        isConstant = constant;
        samples = x.shape[constant ? 0 : 1];
        const shape = x.shape.slice(constant ? 1 : 2), rows = array([steps * samples, ...shape]);
        for (let at = 0; at < rows.data.length; at += x.data.length) rows.data.set(x.data, at);
        current = inner.forward(rows);
        const size = current.data.length / steps, out = array([steps, samples, ...current.shape.slice(1)]);
        show("current", reshape(current, out.shape));
        [u, v, taken, fired] = [0, 0, 0, 0].map(() => array(out.shape));
        for (let k = 0; k < out.data.length; k++) {
          const before = k < size ? 0 : u.data[k - size];
          fired.data[k] = before > threshold ? 1 : 0;
          v.data[k] = reset === "zero" && fired.data[k] ? 0 : before;
          taken.data[k] = reset === "subtract" && fired.data[k] ? threshold : 0;
          u.data[k] = beta * v.data[k] + current.data[k] - taken.data[k];
          out.data[k] = u.data[k] > threshold ? 1 : 0;
        }
        show("membrane", u);
        return out;
      },
      feedback(r) {
        const s = array(u.shape), flow = array(u.shape), size = s.data.length / steps, carry = new Float64Array(size);
        const standIn = STAND_INS[rule.name];
        for (let k = s.data.length - 1; k >= 0; k--) {
          const c = k % size;
          if (standIn) {
            s.data[k] = r.data[k] * standIn(u.data[k] - threshold, rule.slope) + carry[c];
            carry[c] = reset === "zero" && fired.data[k] ? 0 : beta * s.data[k];
          } else {
            flow.data[k] = Math.abs(v.data[k]) + Math.abs(u.data[k] + taken.data[k] - v.data[k]);
            s.data[k] = quotient(r.data[k] + carry[c], flow.data[k], rule.epsilon);
            carry[c] = beta * v.data[k] * s.data[k];
          }
        }
        if (!standIn) show("flow", flow);
        show("s.0", s);
        const handed = inner.handOut(reshape(s, current.shape), Boolean(standIn));
        const shape = handed.shape.slice(1);
        if (!isConstant) return reshape(handed, [steps, samples, ...shape]);
        const summed = array([samples, ...shape]);
        handed.data.forEach((value, k) => (summed.data[k % summed.data.length] += value));
        return summed;
      },
    };
  };

  // Any other layer over time: its steps are more samples
  function stepByStep(layer, unfold) {
    const fold = (x) => reshape(x, [x.shape[0] * x.shape[1], ...x.shape.slice(2)]);
    return { forward: (a) => unfold(layer.forward(fold(a))), feedback: (r) => unfold(layer.feedback(fold(r))) };
  }

  // ---- networks. options: steps and input of spiking ones, keep (masks of dropout by place), show(name, array)

  function network(layers, rule, parameters, { steps, input, keep = {}, show = () => {} } = {}) {
    const learned = {}; // of parameters that several places share: what the places so far add up to
    function place(path, about) {
      const owner = about.weights_of || path;
      const isFolded = steps && about.type !== "lif";
      const unfold = (x) => (isFolded ? reshape(x, [steps, x.shape[0] / steps, ...x.shape.slice(1)]) : x);
      const tools = {
        steps,
        unfold,
        rule: about.rule || rule,
        keep: keep[path],
        parameter: (name) => parameters[`${owner}.${name}`],
        learn(name, d) {
          const key = `${owner}.${name}`, before = learned[key];
          learned[key] = before ? map(d, (v, k) => v + before.data[k]) : d;
          if (owner !== path) return;
          show(`${key}.feedback`, learned[key]); // the owner comes first, so last on the way back
          delete learned[key];
        },
        show: (name, value) => show(`${path}.${name}`, value),
        inside: (name, inner) => place(`${path}.${name}`, inner),
      };
      const made = LAYERS[about.type](about, tools);
      const layer = isFolded ? stepByStep(made, unfold) : made;
      return {
        forward(a) {
          const out = layer.forward(a, input === "constant" && path === "0");
          tools.show("output", out);
          return out;
        },
        feedback(r) {
          const handed = layer.feedback(r);
          tools.show("input_reward", handed);
          return handed;
        },
      };
    }
    const places = layers.map((about, k) => place(String(k), about));
    return {
      forward: (x) => places.reduce((a, layer) => layer.forward(a), x),
      feedback: (reward) => places.reduceRight((r, layer) => layer.feedback(r), reward),
    };
  }

  // ---- 7: rewards: (outputs, targets, options) -> {quantity: array}, the reward last

  const oneHot = (z, labels) => map(z, (v, k) => (k % z.shape[1] === labels.data[Math.floor(k / z.shape[1])] ? 1 : 0));
  const largest = (z, row) => Math.max(...z.data.subarray(row * z.shape[1], (row + 1) * z.shape[1]));

  function softmax(z) {
    const rowOf = (k) => Math.floor(k / z.shape[1]);
    const powers = map(z, (v, k) => Math.exp(v - largest(z, rowOf(k)))), totals = new Float64Array(z.shape[0]);
    powers.data.forEach((v, k) => (totals[rowOf(k)] += v));
    return map(powers, (v, k) => v / totals[rowOf(k)]);
  }

  function canonical(z, y, probability) {
    const gradient = map(z, (v, k) => y.data[k] - probability.data[k]);
    return { probability, gradient, reward: map(z, (v, k) => v * gradient.data[k]) };
  }

  const chosen = (z, targets) => (targets ? oneHot(z, targets) : map(z, one));
  const labelOutput = (z, labels, k) => z.data[Math.floor(k / z.shape[1]) * z.shape[1] + labels.data[Math.floor(k / z.shape[1])]];

  function counts(spikes) {
    const n1 = array(spikes.shape.slice(1));
    spikes.data.forEach((v, k) => (n1.data[k % n1.data.length] += v));
    return n1;
  }

  const REWARDS = {
    softmax: (z, labels) => canonical(z, oneHot(z, labels), softmax(z)),
    sigmoid: (z, labels) => canonical(z, oneHot(z, labels), map(z, (v) => sigmoid(v))),
    "binary-sigmoid": (z, targets) => canonical(z, targets, map(z, (v) => sigmoid(v))),
    "squared-error"(z, targets) {
      const gradient = map(z, (v, k) => targets.data[k] - v);
      return { gradient, reward: map(z, (v, k) => v * gradient.data[k]) };
    },
    "bounded-softmax"(z, labels, { low = 0, high = 1, sign_only: signOnly = false }) {
      const y = oneHot(z, labels), probability = map(softmax(z), (p) => (p > high ? 1 : p < low ? 0 : p));
      const reward = map(z, (v, k) => (signOnly ? Math.sign(v) : v) * (y.data[k] - probability.data[k]));
      return { probability, reward };
    },
    "correct-class"(z, labels) {
      const y = oneHot(z, labels), isLargest = (v, k) => v === largest(z, Math.floor(k / z.shape[1]));
      return { reward: map(z, (v, k) => (y.data[k] && isLargest(v, k) ? Math.sign(v) : 0)) };
    },
    misclassification: (z, labels) => ({ reward: map(z, (v, k) => (v > labelOutput(z, labels, k) ? -Math.sign(v) : 0)) }),
    maximise(z, targets) {
      const y = chosen(z, targets);
      return { reward: map(z, (v, k) => y.data[k] * Math.sign(v) * (1 - sigmoid(v))) };
    },
    minimise: (z, targets) => ({ reward: map(REWARDS.maximise(z, targets).reward, (v) => -v) }),
    "rate-coded"(spikes, labels) {
      const count = counts(spikes), y = oneHot(count, labels), size = count.data.length, steps = spikes.shape[0];
      const half = Math.floor(steps / 2);
      const reward = map(spikes, (v, k) => {
        const n1 = count.data[k % size];
        return y.data[k % size] ? 1 - sigmoid(n1 - half) : -v * (1 - sigmoid(steps - n1 - half));
      });
      return { count, reward };
    },
    "spike-counts"(spikes, labels) {
      const count = counts(spikes), size = count.data.length;
      const once = canonical(count, oneHot(count, labels), softmax(count)).gradient;
      const gradient = map(spikes, (v, k) => once.data[k % size]);
      return { count, gradient, reward: map(spikes, (v, k) => v * gradient.data[k]) };
    },
  };

  // ---- 9: optimisers: step(values, feedback), lists of arrays; the values are changed in place

  function optimiser(name, { lr, momentum = 0, weight_decay: decay = 0, betas = [0.9, 0.999], eps = 1e-8 }) {
    let steps = 0;
    const state = {};
    function update(w, d, i) {
      const slot = (key) => (state[key][i] = state[key][i] || array(w.shape)).data;
      w.data.forEach((value, k) => {
        if (name === "sgd") {
          const v = slot("velocity");
          v[k] = momentum * v[k] + d.data[k] - decay * value;
          w.data[k] = value + lr * v[k];
          return;
        }
        const m = slot("mean"), q = slot("square"), g = d.data[k] - (name === "adam" ? decay * value : 0);
        m[k] = betas[0] * m[k] + (1 - betas[0]) * g;
        q[k] = betas[1] * q[k] + (1 - betas[1]) * g * g;
        const step = m[k] / (1 - betas[0] ** steps) / (Math.sqrt(q[k] / (1 - betas[1] ** steps)) + eps);
        w.data[k] = value - (name === "adamw" ? lr * decay * value : 0) + lr * step;
      });
    }
    for (const key of name === "sgd" ? ["velocity"] : ["mean", "square"]) state[key] = [];
    return {
      state,
      step(values, feedback) {
        steps += 1;
        values.forEach((w, i) => update(w, feedback[i], i));
      },
    };
  }

  function clip(feedback, maxNorm) {
    const norm = Math.sqrt(sum(feedback.map((d) => sum(d.data.map(square)))));
    return { norm, clipped: norm > maxNorm ? feedback.map((d) => map(d, (v) => (v * maxNorm) / norm)) : feedback };
  }

  function oneCycle({ max_lr: maxLr, steps, warm = 0.3, start = 25, end = 1e4 }) {
    const peak = Math.max(warm * steps - 1, 0);
    return (step) => {
      let low = maxLr / start, part = peak ? step / peak : 1;
      if (step > peak) {
        low = maxLr / start / end;
        part = (steps - 1 - step) / Math.max(steps - 1 - peak, 1);
      }
      return low + ((maxLr - low) * (1 - Math.cos(Math.PI * part))) / 2;
    };
  }

  function rateCode(x, uniform, { low, high }) {
    return map(uniform, (v, k) => (v < (x.data[k % x.data.length] - low) / (high - low) ? 1 : 0));
  }

  function latencyCode(x, steps, { low, high }) {
    const out = array([steps, ...x.shape]);
    x.data.forEach((v, k) => {
      const p = (v - low) / (high - low), t = (1 - p) * (steps - 1), whole = Math.floor(t);
      const isUp = t - whole > 0.5 || (t - whole === 0.5 && whole % 2 === 1);
      if (p > 0) out.data[(whole + (isUp ? 1 : 0)) * x.data.length + k] = 1;
    });
    return out;
  }

  return { array, network, REWARDS, optimiser, clip, oneCycle, rateCode, latencyCode };
}

const LFP = lfpEngine();
if (typeof module === "object") module.exports = LFP;
