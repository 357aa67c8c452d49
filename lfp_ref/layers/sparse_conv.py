"""The sums of a convolution, skipping zeros: for inputs of spikes or steps, for rewards that reach few neurons.

They are those of conv.py, for stride and dilation 1, in another order: one sample at a time, and of it only the events,
the numbers that are not 0. Channels come last here, so that all that an event takes part in are long vectors; and the
events that add to the same place add to it together, several vectors at a time (add_rows):

    forward    z[y, u-KW+1..u, :]  += sum over the events a[c, v, u] of column u in rows y..y+KH-1 of a * w[v-y, c]
    feedback   g_w[o]              += sum over the events s[o, y, x] of output o of s * window(y, x) of a
               window(y, x) of g   += sum over the events s[o, y, x] of position y, x of s * w[o]

(w[i, c] with its columns reversed: the further right an output, the further left the input in its window.) A window is
one vector where the image is cut into strips, one for each column x of outputs: strip[x][v, j, c] = a[c, v, x + j].

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
# Below these fractions of non-zeros, from vectors of that length on, these kernels are faster than those of conv.py.
FORWARD, FEEDBACK, LEAST = 0.25, 0.3, 32


def in_order(shape: tuple[int, ...], axes: tuple[int, ...]) -> np.ndarray:
    """The positions of an array of this shape, in the order they have once its axes are so arranged."""
    return np.arange(np.prod(shape), dtype=np.uint64).reshape(shape).transpose(axes).ravel()


@njit(**KERNEL)
def find_events(x, order, group, begin, size, events, values, starts):
    """Where the samples begin..begin+size of x (..., N) are not 0, and what they are there: events, values (BLOCK, all)
    in a sample, in order (numbers of positions in that order); starts (BLOCK, groups + 1): where in these each `group`
    positions begin."""
    flat, batch, room, groups = x.reshape(-1), np.uint64(x.shape[3]), np.uint64(events.shape[1]), starts.shape[1] - 1
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
            lowest = mask & (~mask + one)
            sample = (np.float64(lowest).view(np.uint64) >> np.uint64(52)) - np.uint64(1023)  # its exponent: which bit
            to = sample * room + counts[sample]
            flat_events[to], flat_values[to] = number, flat[at + sample]
            counts[sample] += one
            mask ^= lowest
    for n in range(size):
        starts[n, groups] = counts[n]


@njit(**KERNEL)
def take(a, order, begin, size, samples):
    """samples[n] <- the samples begin..begin+size of a (..., N), their positions in order"""
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


@njit(**PARALLEL)
def forward(a, w, b, kernel, order, to, z, threads):
    """z of a (C, H, W, N) padded, w (KH, C, KW reversed, O), b (O,) -> z (O, HO, WO, N).  order: of a as (W, H, C);
    to (HO, WO * O): of z as (HO, WO, O)"""
    channels, height, width, batch = a.shape
    outputs, rows, columns, _ = z.shape
    flat_w, long, tap = w.reshape(-1), np.uint64(outputs), kernel[1] * outputs
    blocks = (batch + BLOCK - 1) // BLOCK
    for thread in prange(threads):
        events, values = np.empty((BLOCK, order.size), np.int32), np.empty((BLOCK, order.size), a.dtype)
        starts, places = np.empty((BLOCK, width * height + 1), np.int32), np.empty(kernel[0] * channels, np.uint64)
        sums = np.empty((BLOCK, columns * outputs + 16), z.dtype)  # 16: no two samples at one place of the cache
        for block in range(blocks * thread // threads, blocks * (thread + 1) // threads):
            begin, size = block * BLOCK, min(BLOCK, batch - block * BLOCK)
            find_events(a, order, channels, begin, size, events, values, starts)
            for y in range(rows):
                for n in range(size):
                    mine = sums[n]
                    for x in range(np.uint64(columns)):
                        for o in range(long):
                            mine[x * long + o] = b[o]
                    for u in range(width):
                        first, last = starts[n, u * height + y], starts[n, u * height + y + kernel[0]]
                        x = max(0, u - kernel[1] + 1)
                        length = np.uint64(min(columns, u + 1) - x) * long
                        skipped = (kernel[1] - 1 - u + x) * outputs  # columns of the kernel that fall off the left
                        for e in range(first, last):
                            places[e - first] = (events[n, e] - (u * height + y) * channels) * tap + skipped
                        add_rows(mine, np.uint64(x) * long, flat_w, places[: last - first], values[n, first:], length)
                put(sums, to[y], begin, size, z)


@njit(**KERNEL)
def take_strips(image, shape, kernel, strips):
    """strips (W - KW + 1, H, KW, C) <- image (H, W, C), both flat; shape: (C, H, W)"""
    channels, height, width = shape
    length = np.uint64(kernel[1] * channels)
    for x in range(width - kernel[1] + 1):
        for v in range(height):
            to, at = np.uint64(x * height + v) * length, np.uint64((v * width + x) * channels)
            for k in range(length):
                strips[to + k] = image[at + k]


@njit(**KERNEL)
def fold_strips(strips, shape, kernel, image):
    """image <- the sum of all places in strips that are of one input.  Shapes as in take_strips"""
    channels, height, width = shape
    length = np.uint64(kernel[1] * channels)
    image[:] = 0
    for x in range(width - kernel[1] + 1):
        for v in range(height):
            to, at = np.uint64((v * width + x) * channels), np.uint64(x * height + v) * length
            for k in range(length):
                image[to + k] += strips[at + k]


@njit(**KERNEL)
def by_position(events, values, starts, length, ends, places, factors):
    """Sorts the events (o, y, x) of a sample by their position (y, x).

    ends[p]: where those of position p end; places: where in the weights, o * length, each begins; factors: what it is.
    """
    outputs, positions = starts.size - 1, ends.size - 1
    ends[:] = 0
    for o in range(outputs):
        for e in range(starts[o], starts[o + 1]):
            ends[events[e] - o * positions + 1] += 1
    for p in range(positions):
        ends[p + 1] += ends[p]
    for o in range(outputs):
        for e in range(starts[o], starts[o + 1]):
            p = events[e] - o * positions
            places[ends[p]], factors[ends[p]] = np.uint64(o) * length, values[e]
            ends[p] += 1


@njit(**PARALLEL)
def feedback(w, s, a, kernel, order, natural, wanted, g, g_w, g_b, threads):
    """Sums of a s and of s by each thread, and if wanted g of s.

    w (O, KH, KW, C), s (O, HO, WO, N), a (C, H, W, N) padded -> g (C, H, W, N) padded, g_w (threads, O, KH, KW, C),
    g_b (threads, O).  order: of a as (H, W, C); natural: of s as it is
    """
    channels, height, _, batch = a.shape
    outputs, rows, columns, _ = s.shape
    positions, row = rows * columns, kernel[1] * channels
    length, flat_w = np.uint64(kernel[0] * row), w.reshape(-1)
    windows = np.empty(positions, np.uint64)  # where in the strips each begins
    for p in range(positions):
        windows[p] = (p % columns * height + p // columns) * row
    blocks = (batch + BLOCK - 1) // BLOCK
    for thread in prange(threads):
        images, strips = np.empty((BLOCK, order.size + 16), a.dtype), np.empty(columns * height * row, a.dtype)
        events, values = np.empty((BLOCK, natural.size), np.int32), np.empty((BLOCK, natural.size), s.dtype)
        starts, ends = np.empty((BLOCK, outputs + 1), np.int32), np.empty(positions + 1, np.int32)
        places, factors = np.empty(natural.size, np.uint64), np.empty(natural.size, s.dtype)
        my_w, my_b = g_w[thread].reshape(-1), g_b[thread]
        my_w[:] = 0
        my_b[:] = 0
        for block in range(blocks * thread // threads, blocks * (thread + 1) // threads):
            begin, size = block * BLOCK, min(BLOCK, batch - block * BLOCK)
            find_events(s, natural, positions, begin, size, events, values, starts)
            take(a, order, begin, size, images)
            for n in range(size):
                take_strips(images[n], a.shape[:3], kernel, strips)
                for o in range(outputs):
                    first, last = starts[n, o], starts[n, o + 1]
                    for e in range(first, last):
                        places[e - first] = windows[events[n, e] - o * positions]
                        my_b[o] += values[n, e]
                    add_rows(my_w, np.uint64(o) * length, strips, places[: last - first], values[n, first:], length)
                if wanted:
                    by_position(events[n], values[n], starts[n], length, ends, places, factors)
                    strips[:] = 0
                    first = 0
                    for p in range(positions):
                        last = ends[p]
                        add_rows(strips, windows[p], flat_w, places[first:last], factors[first:], length)
                        first = last
                    fold_strips(strips, a.shape[:3], kernel, images[n])
            if wanted:
                put(images, order, begin, size, g)
