// Training in the page, used by scenes 2 and 3: a run goes on from epoch to epoch, a little at a time. In the worker.
"use strict";

function pageTraining(LFP, { draws, initial, shuffled, rows, passes, accuracy, sum }) {
  const { array } = LFP;
  const LIMIT = 1e6; // larger outputs are of no use

  // A network that learns data {x, y, xTest, yTest}. epoch, history: [{train, test}]; diverged: the epoch in which
  // the outputs grew beyond that limit, or null.
  function learner({ sizes, layers, rule, rate, batch, seed }, data) {
    const random = draws(seed), parameters = initial(sizes, random), names = Object.keys(parameters);
    const walk = LFP.optimiser("adam", { lr: rate });
    const onePass = passes(layers, rule, parameters), { forward } = LFP.network(layers, rule, parameters);
    const self = { parameters, layers, rule, forward, epoch: 0, history: [], diverged: null, look, learn };

    // The reward of a batch is divided by its size; the gradient starts without the factor z
    function rewardOf(y) {
      return (z) => {
        const { gradient, reward } = LFP.REWARDS.softmax(z, y), told = rule.name in LFP.GROUPS ? reward : gradient;
        return { reward: array(told.shape, told.data.map((r) => r / z.shape[0])) };
      };
    }

    function look(x, y) {
      return onePass(x, rewardOf(y));
    }

    function measure() {
      const [train, test] = [[data.x, data.y], [data.xTest, data.yTest]].map(([x, y]) => {
        const z = forward(x);
        return z.data.every((v) => Math.abs(v) < LIMIT) ? accuracy(z, y) : NaN; // NaN fails too
      });
      self.history.push({ train, test });
      if (Number.isNaN(train + test)) self.diverged = self.epoch;
    }

    // One epoch
    function learn() {
      if (self.diverged !== null) return;
      const order = shuffled(data.x.shape[0], random);
      for (let start = 0; start < order.length; start += batch) {
        const chosen = order.slice(start, start + batch);
        const { shown } = look(rows(data.x, chosen), rows(data.y, chosen));
        walk.step(names.map((name) => parameters[name]), names.map((name) => shown[`${name}.feedback`]));
      }
      self.epoch += 1;
      measure();
    }

    // Mean size of the first layer's feedback over these samples: 0 where nothing comes back to it
    self.firstFeedback = (x, y) => {
      const d = look(x, y).shown["0.weight.feedback"].data;
      return self.diverged === null ? sum(d.map(Math.abs)) / d.length : NaN;
    };

    measure();
    return self;
  }

  // Lets learners learn until they have that many epochs, or the time (in ms) is over
  function advance(learners, epochs, time) {
    const end = Date.now() + time;
    while (learners[0].epoch < epochs && Date.now() < end) {
      learners.forEach((each) => {
        if (each.diverged === null) each.learn();
        else each.epoch += 1;
      });
      if (learners.every((each) => each.diverged !== null)) learners.forEach((each) => (each.epoch = epochs));
    }
  }

  return { learner, advance };
}

if (typeof module === "object") module.exports = pageTraining;
