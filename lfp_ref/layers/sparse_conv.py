"""The sums of a convolution, skipping zeros: for inputs of spikes.

They are those of conv.py, for stride and dilation 1, in another order: one sample at a time, and of its input only the
events, the numbers that are not 0. Channels come last here, so that all the outputs of a row that see an event are one
vector: for an event a[c, v, u] and a row y of outputs in v-KH+1..v, with x in u-KW+1..u,

    forward    z[y, x, :]         += a * w[v-y, c, x]
    feedback   g_w[v-y, c, x, :]  += a * s[y, x, :]
               r[c, v, u]         += a * sum over x and outputs of w[v-y, c, x, :] s[y, x, :]

(the columns of w reversed: the further right an output, the further left the event in its window). An input of 0 has no
part in z, gets no reward by LFP, and moves no weight. Only dJ/d(input) of a gradient rule needs it: that is conv.py's.

Everywhere else the batch is last. Samples are taken out of it and put back `BLOCK` at a time: more would not stay in
the processor's cache, fewer would fetch each line of memory more often. In what order their positions are wanted, an
array says (in_order).
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange

from lfp_ref.layers.kernels import KERNEL, PARALLEL
from lfp_ref.layers.products import add_rows

BLOCK = 64  # the bits of a mask
# Where less than this fraction of the input is not 0 and there are that many outputs, this is faster than conv.py.
FEW, LEAST = 0.25, 32


def in_order(shape: tuple[int, ...], axes: tuple[int, ...]) -> np.ndarray:
    """The positions of an array of this shape, in the order they have once its axes are so arranged."""
    return np.arange(np.prod(shape), dtype=np.uint64).reshape(shape).transpose(axes).ravel()


@njit(**KERNEL)
def find_events(x, order, group, begin, size, events, values, starts):
    """Where the samples begin..begin+size of x (..., N) are not 0, and what they are there: events, values (BLOCK, all)
    in a sample, in order (numbers of positions in that order); starts (BLOCK, groups + 1): where in these each `group`
    positions begin."""
    flat, batch, room = x.reshape(-1), np.uint64(x.shape[3]), np.uint64(events.shape[1])
    flat_events, flat_values, counts = events.reshape(-1), values.reshape(-1), np.zeros(BLOCK, np.uint64)
    one = np.uint64(1)
    for number in range(order.size):
        if number % group == 0:
            for n in range(size):
                starts[n, number // group] = counts[n]
        at, mask = order[number] * batch + np.uint64(begin), np.uint64(0)
        for n in range(np.uint64(size)):
            mask |= np.uint64(flat[at + n] != 0) << n
        while mask != 0:
            lowest = mask & (~mask + one)  # its lowest bit; which one that is, the exponent of its value says
            sample = (np.float64(lowest).view(np.uint64) >> np.uint64(52)) - np.uint64(1023)
            to = sample * room + counts[sample]
            flat_events[to], flat_values[to] = number, flat[at + sample]
            counts[sample] += one
            mask ^= lowest
    for n in range(size):
        starts[n, starts.shape[1] - 1] = counts[n]


@njit(**KERNEL)
def take(a, order, begin, size, samples):
    """samples (BLOCK, all) <- the samples begin..begin+size of a (..., N), their positions in order"""
    flat, batch = a.reshape(-1), np.uint64(a.shape[3])
    flat_samples, room = samples.reshape(-1), np.uint64(samples.shape[1])
    for number in range(np.uint64(order.size)):
        at = order[number] * batch + np.uint64(begin)
        for n in range(np.uint64(size)):
            flat_samples[n * room + number] = flat[at + n]


@njit(**KERNEL)
def put(samples, order, begin, size, a):
    """The other way round."""
    flat, batch = a.reshape(-1), np.uint64(a.shape[3])
    flat_samples, room = samples.reshape(-1), np.uint64(samples.shape[1])
    for number in range(np.uint64(order.size)):
        at = order[number] * batch + np.uint64(begin)
        for n in range(np.uint64(size)):
            flat[at + n] = flat_samples[n * room + number]


@njit(**KERNEL)
def seen_by(u, kernel, columns, outputs):
    """Of an event in column u: where the outputs that see it begin in a row of outputs, where in a row of w (KW
    reversed, O), and how long both are"""
    x = max(0, u - kernel[1] + 1)
    return x * outputs, (kernel[1] - 1 - u + x) * outputs, np.uint64((min(columns, u + 1) - x) * outputs)


@njit(**PARALLEL)
def forward(a, w, b, kernel, order, to, z, threads):
    """z of a (C, H, W, N) padded, w (KH, C, KW reversed, O), b (O,) -> z (O, HO, WO, N).

    order: of a as (W, H, C), to (HO, WO * O): of z as (HO, WO, O). The events of one column add to the same outputs,
    so they do it together.
    """
    channels, height, width, batch = a.shape
    outputs, rows, columns, _ = z.shape
    flat_w, long, tap = w.reshape(-1), np.uint64(outputs), kernel[1] * outputs
    blocks = (batch + BLOCK - 1) // BLOCK
    for thread in prange(threads):
        events, values = np.empty((BLOCK, order.size), np.int32), np.empty((BLOCK, order.size), a.dtype)
        starts, places = np.empty((BLOCK, width * height + 1), np.int32), np.empty(kernel[0] * channels, np.uint64)
        row = np.empty((BLOCK, columns * outputs + 16), z.dtype)  # 16: no two samples at one place of the cache
        for block in range(blocks * thread // threads, blocks * (thread + 1) // threads):
            begin, size = block * BLOCK, min(BLOCK, batch - block * BLOCK)
            find_events(a, order, channels, begin, size, events, values, starts)
            for y in range(rows):
                for n in range(size):
                    sums = row[n]
                    for x in range(np.uint64(columns)):
                        for o in range(long):
                            sums[x * long + o] = b[o]
                    for u in range(width):
                        first, last = starts[n, u * height + y], starts[n, u * height + y + kernel[0]]
                        x, skipped, length = seen_by(u, kernel, columns, outputs)
                        for e in range(first, last):
                            places[e - first] = (events[n, e] - (u * height + y) * channels) * tap + skipped
                        add_rows(sums, np.uint64(x), flat_w, places[: last - first], values[n, first:], length)
                put(row, to[y], begin, size, z)


@njit(**KERNEL)
def meet(a, w, g_w, at, s, begin, length):
    """g_w[at + k] += a * s[begin + k] for k < length, and the sum of w[at + k] * s[begin + k]"""
    total = s.dtype.type(0)
    for k in range(length):
        total += w[at + k] * s[begin + k]
        g_w[at + k] += a * s[begin + k]
    return total


@njit(**PARALLEL)
def feedback(w, s, a, kernel, order, to, r, g_w, g_b, threads):
    """Sums of a s and of s by each thread, and r where a is not 0.

    w (KH, C, KW reversed, O), s (O, HO, WO, N), a (C, H, W, N) padded -> r as a, g_w (threads, as w), g_b (threads, O).
    order, to: as in forward
    """
    channels, height, width, batch = a.shape
    outputs, rows, columns, _ = s.shape
    flat_r, flat_w, tap = r.reshape(-1), w.reshape(-1), kernel[1] * outputs
    blocks = (batch + BLOCK - 1) // BLOCK
    for thread in prange(threads):
        events, values = np.empty((BLOCK, order.size), np.int32), np.empty((BLOCK, order.size), a.dtype)
        starts, shares = np.empty((BLOCK, width * height + 1), np.int32), np.empty((BLOCK, order.size), r.dtype)
        row, my_w, my_b = np.empty((BLOCK, columns * outputs + 16), s.dtype), g_w[thread].reshape(-1), g_b[thread]
        my_w[:] = 0
        my_b[:] = 0
        for block in range(blocks * thread // threads, blocks * (thread + 1) // threads):
            begin, size = block * BLOCK, min(BLOCK, batch - block * BLOCK)
            find_events(a, order, channels, begin, size, events, values, starts)
            for n in range(size):
                shares[n, : starts[n, width * height]] = 0
            for y in range(rows):
                take(s, to[y], begin, size, row)
                for n in range(size):
                    mine = row[n]
                    for x in range(columns):
                        for o in range(outputs):
                            my_b[o] += mine[x * outputs + o]
                    for u in range(width):
                        x, skipped, length = seen_by(u, kernel, columns, outputs)
                        for e in range(starts[n, u * height + y], starts[n, u * height + y + kernel[0]]):
                            at = np.uint64((events[n, e] - (u * height + y) * channels) * tap + skipped)
                            shares[n, e] += meet(values[n, e], flat_w, my_w, at, mine, np.uint64(x), length)
            for n in range(size):
                for e in range(starts[n, width * height]):
                    at = order[events[n, e]] * np.uint64(batch) + np.uint64(begin + n)
                    flat_r[at] = values[n, e] * shares[n, e]
