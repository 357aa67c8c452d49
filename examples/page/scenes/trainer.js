// Run, pause, one epoch, start again: what the two scenes that train share. The worker is asked for more epochs than
// there are; each answer says how far it came.
"use strict";

// What is to be said of a network that diverged in an epoch, or whose first layer gets no feedback; "" if all is well
const pageTrouble = (name, diverged, first) => {
  const advice = "Lower the rate η and start again.";
  if (diverged !== null) return `${name} diverged in epoch ${diverged}: its outputs grew beyond a million. ${advice}`;
  return first === 0 ? `${name} stands still: its neurons are silent, so nothing is handed back any more. ${advice}` : "";
};

const pageTrainer = (access, field, most, name = "Run") => {
  const { el } = PageTools;
  let running = false;
  const run = el("button", { type: "button", class: "now", onclick: () => go(!running) }, name);
  const step = el("button", { type: "button", onclick: () => stop(Math.min(most, access.state()[field] + 1)) }, "One epoch");
  const again = el("button", { type: "button", onclick: () => stop(0) }, "Start again");
  const out = el("output", { class: "epoch" });

  function go(value) {
    running = value && access.state()[field] < most;
    access.set({});
  }
  function stop(epoch) {
    running = false;
    access.set(field, epoch);
  }
  return {
    nodes: [run, step, again, out],
    isRunning: () => running,
    pause: () => (running = false),
    wanted: (state) => (running ? { ...state, [field]: most } : state),
    // Is there more to come?  until(result): true where training may stop by itself
    took(result, until = () => false) {
      if (!running) return result.epoch < access.state()[field];
      if (result.epoch >= most || until(result)) running = false;
      access.set(field, Math.min(most, result.epoch));
      return running;
    },
    show(epoch) {
      run.textContent = running ? "Pause" : name;
      out.textContent = `epoch ${epoch}`;
    },
  };
};
