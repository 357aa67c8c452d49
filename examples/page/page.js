// The page around the scenes: states in memory and in the address, the worker's answers, messages, the code window.
"use strict";

const Page = (() => {
  const { el, isCalm, pause } = PageTools;
  const names = Object.keys(PageState.FIELDS), scenes = {}, memory = {}, sentences = new Map();
  let scene = "hand", isAsking = false, isStale = false, written = 0, timer = null, drawn = 0;
  const find = (selector) => document.querySelector(selector);

  // What is wrong, by what it is about; an empty sentence takes it back
  function say(sentence, about = "") {
    if (sentence) sentences.set(about, sentence);
    else if (!sentences.delete(about)) return;
    const lines = [...sentences.values()];
    find("#message").replaceChildren(...lines.map((line) => el("p", {}, line)));
  }

  // Browsers allow some hundred changes of the address in half a minute
  function address() {
    for (const name of names) find(`nav a[href*="scene=${name}"]`).setAttribute("href", PageState.write(name, memory[name]));
    clearTimeout(timer);
    timer = setTimeout(() => {
      written = Date.now();
      history.replaceState(null, "", PageState.write(scene, memory[scene]));
    }, Math.max(0, 300 - (Date.now() - written)));
  }

  // A scene's sight of its state: set() takes a name and a value, or several by name
  function accessOf(name) {
    return {
      state: () => memory[name],
      set(field, value) {
        memory[name] = { ...memory[name], ...(typeof field === "string" ? { [field]: value } : field) };
        if (name !== scene) return;
        address();
        refresh();
      },
      say,
    };
  }

  // Asks the worker until its answer is that of the present state. A scene that trains wants more: its epoch goes on.
  async function refresh() {
    isStale = true;
    document.body.dataset.state = "busy";
    if (isAsking) return;
    isAsking = true;
    while (isStale) {
      isStale = false;
      const asked = scene, current = scenes[asked], wanted = current.wanted?.(memory[asked]) ?? memory[asked];
      try {
        const result = await PageWorker.ask(asked, wanted);
        if (asked !== scene) continue;
        say("", "worker");
        isStale = (current.took?.(result, wanted) ?? false) || isStale;
        if (isStale && isCalm() && Date.now() - drawn < 1000) continue; // once a second is enough for calm pictures
        drawn = Date.now();
        current.draw(result, memory[asked]);
        if (isStale) await pause(0);
      } catch (error) {
        current.failed?.();
        say(error.message, "worker");
      }
    }
    isAsking = false;
    document.body.dataset.state = "ready";
  }

  function open(name) {
    scene = name;
    document.title = `${find(`#${name} h2`).textContent}: Watch the reward flow`;
    for (const each of names) {
      find(`#${each}`).hidden = each !== name;
      const link = find(`nav a[href*="scene=${each}"]`);
      if (each === name) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    scenes[name].show();
    address();
    refresh();
  }

  function fromAddress() {
    const { scene: name, state, complaints } = PageState.read(location.hash);
    memory[name] = state;
    sentences.clear();
    find("#message").replaceChildren();
    if (complaints.length) say(`In the address: ${complaints.join(" ")} The usual value stands in its place.`, "address");
    open(name);
  }

  function showCode() {
    find("#code pre").textContent = scenes[scene].code(memory[scene]);
    find("#code").showModal();
  }

  async function copy(text, button) {
    const before = button.textContent;
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "copied";
    } catch {
      button.textContent = "press Ctrl-C";
      const range = document.createRange(), node = find("#code").open ? find("#code pre") : null;
      if (node) {
        range.selectNodeContents(node);
        getSelection().removeAllRanges();
        getSelection().addRange(range);
      }
    }
    await pause(1500);
    button.textContent = before;
  }

  function start() {
    for (const name of names) {
      memory[name] = PageState.usual(name);
      scenes[name].mount(find(`#${name}`), accessOf(name));
    }
    find("#show-code").addEventListener("click", showCode);
    find("#close-code").addEventListener("click", () => find("#code").close());
    find("#copy-code").addEventListener("click", ({ target }) => copy(find("#code pre").textContent, target));
    find("#copy-link").addEventListener("click", ({ target }) => {
      history.replaceState(null, "", PageState.write(scene, memory[scene]));
      copy(location.href, target);
    });
    addEventListener("hashchange", fromAddress);
    let width = innerWidth;
    addEventListener("resize", () => innerWidth !== width && ((width = innerWidth), refresh()));
    fromAddress();
  }

  return { scenes, start };
})();

addEventListener("DOMContentLoaded", () => Page.start());
