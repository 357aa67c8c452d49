// The engine in a worker, so that the page never waits for it. A page opened as a file may neither load a worker from a
// file nor let one import a script; so the worker's source is put together from the text of functions that are loaded.
"use strict";

const PageWorker = (() => {
  const SOURCE = `"use strict";
    const LFP = (${lfpEngine})(), shared = (${pageShared})(LFP), training = (${pageTraining})(LFP, shared);
    const jobs = {
      hand: (${pageHand})(LFP, shared),
      boundaries: (${pageBoundaries})(LFP, shared, training, (${pageToys})()),
      digits: (${pageDigits})(LFP, shared, training, (${pageDigitTexts})()),
      spikes: (${pageSpikes})(LFP, shared),
    };
    onmessage = ({ data: { id, job, state } }) => {
      try {
        postMessage({ id, result: jobs[job](state) });
      } catch (error) {
        postMessage({ id, sentence: error.message });
      }
    };`;
  let worker = null, count = 0;
  const waiting = new Map();

  function start() {
    const url = URL.createObjectURL(new Blob([SOURCE], { type: "text/javascript" }));
    worker = new Worker(url);
    URL.revokeObjectURL(url);
    worker.onmessage = ({ data: { id, result, sentence } }) => {
      const { resolve, reject, timer } = waiting.get(id);
      clearTimeout(timer);
      waiting.delete(id);
      if (sentence === undefined) resolve(result);
      else reject(new Error(sentence));
    };
    worker.onerror = (event) => giveUp(`The computing part of the page stopped: ${event.message}.`);
  }

  function giveUp(sentence) {
    worker.terminate();
    worker = null;
    for (const { reject, timer } of waiting.values()) {
      clearTimeout(timer);
      reject(new Error(sentence));
    }
    waiting.clear();
  }

  // A scene's answer for a state. Rejects with a sentence: the state asks for what takes longer than patience (in ms), or
  // gives numbers that are none.
  function ask(job, state, patience = 20000) {
    if (!worker) start();
    return new Promise((resolve, reject) => {
      const sentence = "This took too long and was stopped: take a smaller network, or fewer points.";
      const timer = setTimeout(() => giveUp(sentence), patience);
      waiting.set(++count, { resolve, reject, timer });
      worker.postMessage({ id: count, job, state });
    });
  }

  return { ask };
})();
