// A control for every setting: typed, dragged by its label, or moved by the arrow keys. A wrong entry gets a sentence.
"use strict";

const PageControls = (() => {
  const { el } = PageTools;
  let serial = 0;

  // Dragging sideways changes a number: move(steps) is called with whole numbers. The window is listened to, not the
  // node, as the node may be drawn anew meanwhile.
  function draggable(node, move) {
    node.classList.add("draggable");
    node.addEventListener("pointerdown", ({ clientX }) => {
      let done = 0;
      const follow = (event) => {
        const steps = Math.round((event.clientX - clientX) / 6);
        if (steps !== done) move(steps - done);
        done = steps;
      };
      addEventListener("pointermove", follow);
      const end = () => removeEventListener("pointermove", follow);
      for (const name of ["pointerup", "pointercancel"]) addEventListener(name, end, { once: true });
    });
  }

  // So do the arrow keys, by ten with Shift
  function arrows(node, move) {
    node.addEventListener("keydown", (event) => {
      const steps = { ArrowUp: 1, ArrowDown: -1 }[event.key];
      if (!steps) return;
      event.preventDefault();
      move(steps * (event.shiftKey ? 10 : 1));
    });
  }

  const written = (value) => (value && Math.abs(value) < 1e-3 ? value.toExponential() : String(value)); // all digits

  // One number: get() is its value, set(value) takes a new one, say(sentence or "") is told what is wrong
  function numberBox(field, label, { get, set, say }, name) {
    const id = `f${++serial}`;
    const about = { type: "text", inputmode: "decimal", autocomplete: "off", value: written(get()) };
    const input = el("input", { id, "data-field": name, ...about });
    const text = el("label", { for: id, title: "drag sideways to change" }, label);
    function take(value) {
      try {
        set(PageState.oneNumber(field, label, value));
        input.removeAttribute("aria-invalid");
        say("", name);
      } catch (error) {
        input.setAttribute("aria-invalid", "true");
        say(error.message, name);
      }
    }
    const move = (steps) => {
      const value = Math.min(field.max, Math.max(field.min, get() + steps * field.step));
      input.value = written(Number(value.toPrecision(10)));
      take(input.value);
    };
    input.addEventListener("input", () => take(input.value));
    draggable(text, move);
    arrows(input, move);
    const show = () => {
      if (document.activeElement !== input) {
        input.value = written(get());
        input.removeAttribute("aria-invalid");
        say("", name);
      }
    };
    const isLong = ["ε", "rate η"].includes(label);
    return { node: el("div", { class: isLong ? "number wide" : "number" }, text, input), show, move };
  }

  function slider(field, { get, set }, name) {
    const id = `f${++serial}`, out = el("output", { for: id });
    const input = el("input", { id, type: "range", min: field.min, max: field.max, step: field.step, "data-field": name });
    input.addEventListener("input", () => {
      set(Number(input.value));
      out.textContent = input.value;
    });
    const show = () => {
      input.value = get();
      out.textContent = get();
    };
    show();
    return { node: el("div", { class: "slider" }, el("label", { for: id }, field.label), input, out), show };
  }

  function select(field, { get, set }, name) {
    const id = `f${++serial}`;
    const options = Object.entries(field.options).map(([value, text]) => el("option", { value }, text));
    const input = el("select", { id, "data-field": name }, options);
    input.addEventListener("change", () => set(input.value));
    const show = () => (input.value = get());
    show();
    return { node: el("div", { class: "select" }, el("label", { for: id }, field.label), input), show };
  }

  function checkbox(field, { get, set }, name) {
    const input = el("input", { type: "checkbox", "data-field": name });
    input.addEventListener("change", () => set(input.checked));
    const show = () => (input.checked = get());
    show();
    return { node: el("label", { class: "flag" }, input, el("span", {}, field.label)), show };
  }

  // The control of a field in fields, or of number k of a list. access: {state(), set(name, value), say}
  function control(fields, name, access, k = null) {
    const field = fields[name];
    if (k !== null) {
      const set = (value) => access.set(name, access.state()[name].map((old, at) => (at === k ? value : old)));
      return numberBox(field, field.labels[k], { get: () => access.state()[name][k], set, say: access.say }, `${name}.${k}`);
    }
    const own = { get: () => access.state()[name], set: (value) => access.set(name, value), say: access.say };
    if (field.kind === "choice") return select(field, own, name);
    if (field.kind === "flag") return checkbox(field, own, name);
    return field.slider ? slider(field, own, name) : numberBox(field, field.label, own, name);
  }

  // Controls by their names; "x.0" is number 0 of the field x
  function controlsOf(fields, names, access) {
    return Object.fromEntries(names.map((name) => {
      const [field, k] = name.split(".");
      return [name, control(fields, field, access, k === undefined ? null : Number(k))];
    }));
  }

  // A titled group of controls; those of a kind share a line
  const fieldset = (title, controls) => el("fieldset", {}, el("legend", {}, title),
    el("div", { class: "boxes" }, controls.map(({ node }) => node)));

  return { controlsOf, fieldset, draggable, arrows };
})();
