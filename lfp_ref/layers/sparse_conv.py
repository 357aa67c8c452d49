"""The sums of a convolution, skipping zeros: for inputs of spikes.

They are those of conv.py, for stride and dilation 1, in another order: of the input, only the events are looked at, the
numbers that are not 0. Channels come last here, so that all the outputs of a row that see an event are one vector: for
an event a[c, v, u] and a row y of outputs in v-KH+1..v, with x in u-KW+1..u,

    forward    z[y, x, :]         += a * w[v-y, c, x]
    feedback   g_w[v-y, c, x, :]  += a * s[y, x, :]
               r[c, v, u]         += a * sum over x and outputs of w[v-y, c, x, :] s[y, x, :]

(the columns of w reversed: the further right an output, the further left the event in its window). An input of 0 has no
part in z, gets no reward by LFP, and moves no weight. Only dJ/d(input) of a gradient rule needs it: that is conv.py's.

Forward takes the events of a sample together, which add to the same outputs; feedback those of all samples at one place
of the input, which add to the same weight.

Everywhere else the batch is last. Samples are taken out of it and put back `BLOCK` at a time: more would not stay in
the processor's cache, fewer would fetch each line of memory more often. In what order their positions are wanted, an
array says (in_order).
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange

from lfp_ref.layers.kernels import KERNEL, PARALLEL
from lfp_ref.layers.products import memory_at_page

BLOCK = 64  # the bits of a mask
TILE = 16  # numbers: a cache line in single precision
APART = 4 * TILE  # between the rows of two samples: no two of them at one place of the cache
# Where less than this fraction of the input is not 0 and there are that many outputs, this is faster than conv.py.
FEW, LEAST = 0.25, 32


def in_order(shape: tuple[int, ...], axes: tuple[int, ...]) -> np.ndarray:
    """The positions of an array of this shape, in the order they have once its axes are so arranged."""
    return np.arange(np.prod(shape), dtype=np.uint64).reshape(shape).transpose(axes).ravel()


@njit(**KERNEL)
def mask_of(flat, at, size):
    """A bit for each of the numbers flat[at..at+size], set where it is not 0"""
    mask = np.uint64(0)
    for n in range(size):
        mask |= np.uint64(flat[at + n] != 0) << n
    return mask


@njit(**KERNEL)
def lowest(mask):
    """The number of its lowest bit: the exponent of its value."""
    bit = mask & (~mask + np.uint64(1))
    return (np.float64(bit).view(np.uint64) >> np.uint64(52)) - np.uint64(1023)


@njit(**KERNEL)
def find_events(x, order, group, begin, size, events, values, starts):
    """Sample by sample, where begin..begin+size of x (..., N) are not 0, and what they are there: events (numbers of
    positions in order), values (BLOCK, all); starts (BLOCK, groups + 1): where in these each `group` positions begin.
    """
    flat, batch, room = x.reshape(-1), np.uint64(x.shape[3]), np.uint64(events.shape[1])
    flat_events, flat_values, counts = events.reshape(-1), values.reshape(-1), np.zeros(BLOCK, np.uint64)
    for number in range(order.size):
        if number % group == 0:
            for n in range(size):
                starts[n, number // group] = counts[n]
        at = order[number] * batch + np.uint64(begin)
        mask = mask_of(flat, at, np.uint64(size))
        while mask != 0:
            sample = lowest(mask)
            to = sample * room + counts[sample]
            flat_events[to], flat_values[to] = number, flat[at + sample]
            counts[sample] += np.uint64(1)
            mask &= mask - np.uint64(1)
    for n in range(size):
        starts[n, starts.shape[1] - 1] = counts[n]


@njit(**KERNEL)
def find_samples(x, begin, size, samples, values, starts):
    """Position by position, which of the samples begin..begin+size of x (..., N) are not 0, and what they are there;
    starts (positions + 1,): where in these each position's begin."""
    flat, batch, count = x.reshape(-1), np.uint64(x.shape[3]), np.uint64(0)
    for position in range(np.uint64(starts.size - 1)):
        starts[position] = count
        at = position * batch + begin
        mask = mask_of(flat, at, np.uint64(size))
        while mask != 0:
            sample = lowest(mask)
            samples[count], values[count] = sample, flat[at + sample]
            count += np.uint64(1)
            mask &= mask - np.uint64(1)
    starts[starts.size - 1] = count


@njit(**KERNEL)
def take(a, order, begin, size, samples):
    """samples (BLOCK, all + TILE) <- the samples begin..begin+size of a (..., N), their positions in order.

    TILE positions are fetched, then turned, so that cache lines come and go whole; always TILE, for a loop of a known
    length: behind the last position there is room for what a shorter tile leaves over.
    """
    flat, batch = a.reshape(-1), np.uint64(a.shape[3])
    tile = np.empty(TILE * BLOCK, a.dtype)
    for first in range(0, order.size, TILE):
        count = np.uint64(min(TILE, order.size - first))
        for k in range(count):
            at = order[np.uint64(first) + k] * batch + np.uint64(begin)
            for n in range(np.uint64(size)):
                tile[k * np.uint64(BLOCK) + n] = flat[at + n]
        for n in range(np.uint64(size)):
            for k in range(TILE):
                samples[n, first + k] = tile[k * BLOCK + n]


@njit(**KERNEL)
def put(samples, order, begin, size, a):
    """The other way round."""
    flat, batch = a.reshape(-1), np.uint64(a.shape[3])
    tile = np.empty(TILE * BLOCK, a.dtype)
    for first in range(0, order.size, TILE):
        count = np.uint64(min(TILE, order.size - first))
        for n in range(np.uint64(size)):
            for k in range(TILE):
                tile[k * BLOCK + n] = samples[n, first + k]
        for k in range(count):
            at = order[np.uint64(first) + k] * batch + np.uint64(begin)
            for n in range(np.uint64(size)):
                flat[at + n] = tile[k * np.uint64(BLOCK) + n]


@njit(**KERNEL)
def seen_by(width, kernel, columns, outputs):
    """Of an event in each column u: where the outputs that see it begin in a row of outputs, where in a row of w (KW
    reversed, O), and how long both are: (width, 3)"""
    seen = np.empty((width, 3), np.uint64)
    for u in range(width):
        x = max(0, u - kernel[1] + 1)
        seen[u, 0], seen[u, 1] = x * outputs, (kernel[1] - 1 - u + x) * outputs
        seen[u, 2] = (min(columns, u + 1) - x) * outputs
    return seen


@njit(**KERNEL)
def add_events(w, tap, seen, events, values, starts, y, sizes, kernel, sums):
    """What the events of one sample add to its row y of outputs, sums[x + k] += a * w[at + k]: those of a column to the
    outputs that see it, four at a time.  tap: numbers of w for each (i, c); sizes: C, H and more; kernel: KH"""
    channels, height = sizes[0], sizes[1]
    for u in range(len(seen)):
        above = u * height + y  # the first row of this column that is seen
        x, length, e, last = seen[u, 0], seen[u, 2], starts[above], starts[above + kernel]
        begin = seen[u, 1] - np.uint64(above * channels) * tap  # unsigned: wraps, and back again
        while e + 4 <= last:
            b0, b1 = np.uint64(events[e]) * tap + begin, np.uint64(events[e + 1]) * tap + begin
            b2, b3 = np.uint64(events[e + 2]) * tap + begin, np.uint64(events[e + 3]) * tap + begin
            a0, a1, a2, a3 = values[e], values[e + 1], values[e + 2], values[e + 3]
            for k in range(length):
                sums[x + k] += a0 * w[b0 + k] + a1 * w[b1 + k] + a2 * w[b2 + k] + a3 * w[b3 + k]
            e += 4
        while e < last:
            b0, a0 = np.uint64(events[e]) * tap + begin, values[e]
            for k in range(length):
                sums[x + k] += a0 * w[b0 + k]
            e += 1


@njit(**PARALLEL)
def forward(a, w, b, kernel, order, to, z, threads):
    """z of a (P, C, H, W, N) padded, w (KH, C, KW reversed, O), b (O,) -> z (P, O, HO, WO, N).

    order: of a as (W, H, C), to (HO, WO * O): of z as (HO, WO, O). The events of one column add to the same outputs,
    so they do it together.
    """
    parts, channels, height, width, batch = a.shape
    _, outputs, rows, columns, _ = z.shape
    flat_w, long, tap = w.reshape(-1), np.uint64(outputs), np.uint64(kernel[1] * outputs)
    blocks, seen = (batch + BLOCK - 1) // BLOCK, seen_by(width, kernel, columns, outputs)
    for thread in prange(threads):
        events, values = np.empty((BLOCK, order.size), np.int32), np.empty((BLOCK, order.size), z.dtype)
        starts = np.empty((BLOCK, width * height + 1), np.int32)
        row = memory_at_page(BLOCK * (columns * outputs + APART), z).reshape(BLOCK, -1)
        for number in range(thread, parts * blocks, threads):  # early steps have few spikes: to each some of all
            p, block = divmod(number, blocks)
            begin, size = block * BLOCK, min(BLOCK, batch - block * BLOCK)
            find_events(a[p], order, channels, begin, size, events, values, starts)
            for y in range(rows):
                for n in range(size):
                    sums = row[n]
                    for x in range(np.uint64(columns)):
                        for o in range(long):
                            sums[x * long + o] = b[o]
                    add_events(flat_w, tap, seen, events[n], values[n], starts[n], y, a.shape[1:], kernel[0], sums)
                put(row, to[y], begin, size, z[p])


@njit(**KERNEL)
def meet(w, g_w, at, rows, seen, samples, values, shares, starts, position):
    """For the events at the places of one row of the input, from this position on, with one row of outputs s: for k
    below the length seen, g_w[at + k] += a * s[k], and to their shares the sum of w[at + k] * s[k]; s[k] of a sample is
    rows[sample, x + k].  seen: what seen_by says; at: where the row's weights begin. Four events at a time: each pass
    over g_w and w serves them all."""
    s, room, zero = rows.reshape(-1), np.uint64(rows.shape[1]), rows.dtype.type(0)
    one, two, three, four = np.uint64(1), np.uint64(2), np.uint64(3), np.uint64(4)
    for u in range(np.uint64(len(seen))):
        x, to, length = seen[u, 0], at + seen[u, 1], seen[u, 2]
        e, last = starts[position + u], starts[position + u + one]
        while e + four <= last:
            e1, e2, e3 = e + one, e + two, e + three
            b0, b1 = np.uint64(samples[e]) * room + x, np.uint64(samples[e1]) * room + x
            b2, b3 = np.uint64(samples[e2]) * room + x, np.uint64(samples[e3]) * room + x
            a0, a1, a2, a3 = values[e], values[e1], values[e2], values[e3]
            d0 = d1 = d2 = d3 = zero
            for k in range(length):
                s0, s1, s2, s3, v = s[b0 + k], s[b1 + k], s[b2 + k], s[b3 + k], w[to + k]
                d0 += v * s0
                d1 += v * s1
                d2 += v * s2
                d3 += v * s3
                g_w[to + k] += a0 * s0 + a1 * s1 + a2 * s2 + a3 * s3
            shares[e] += d0
            shares[e1] += d1
            shares[e2] += d2
            shares[e3] += d3
            e += four
        while e < last:
            b0, a0, d0 = np.uint64(samples[e]) * room + x, values[e], zero
            for k in range(length):
                d0 += w[to + k] * s[b0 + k]
                g_w[to + k] += a0 * s[b0 + k]
            shares[e] += d0
            e += one


@njit(**KERNEL)
def hand_over(samples, values, shares, starts, begin, size, r):
    """r (..., N) of the samples begin..begin+size <- value * share at their events, 0 elsewhere"""
    flat, batch = r.reshape(-1), np.uint64(r.shape[3])
    for position in range(np.uint64(starts.size - 1)):
        at = position * batch + begin
        for n in range(np.uint64(size)):
            flat[at + n] = 0
        for e in range(starts[position], starts[position + np.uint64(1)]):
            flat[at + np.uint64(samples[e])] = values[e] * shares[e]


@njit(**PARALLEL)
def feedback(w, s, a, kernel, to, r, g_w, g_b, threads):
    """Sums of a s and of s by each thread; r.

    w (KH, C, KW reversed, O), s (P, O, HO, WO, N), a (P, C, H, W, N) padded -> r as a, g_w (threads, O, C, KH, KW),
    g_b (threads, O).
    to: as in forward
    """
    parts, channels, height, width, batch = a.shape
    _, outputs, rows, columns, _ = s.shape
    flat_w, tap = w.reshape(-1), kernel[1] * outputs
    blocks, positions = (batch + BLOCK - 1) // BLOCK, channels * height * width
    seen = seen_by(width, kernel, columns, outputs)
    for thread in prange(threads):
        samples, starts = np.empty(BLOCK * positions, np.uint8), np.empty(positions + 1, np.uint64)
        values, shares = np.empty(BLOCK * positions, s.dtype), np.empty(BLOCK * positions, s.dtype)
        row = memory_at_page(BLOCK * (columns * outputs + APART), s).reshape(BLOCK, -1)
        sums, my_b = np.zeros_like(w), g_b[thread]
        flat_sums = sums.reshape(-1)
        my_b[:] = 0
        for number in range(thread, parts * blocks, threads):  # early steps have few spikes: to each some of all
            p, block = divmod(number, blocks)
            begin, size = np.uint64(block * BLOCK), min(BLOCK, batch - block * BLOCK)
            find_samples(a[p], begin, size, samples, values, starts)
            shares[: starts[positions]] = 0
            for y in range(rows):
                take(s[p], to[y], begin, size, row)
                for n in range(size):
                    for x in range(columns):
                        for o in range(outputs):
                            my_b[o] += row[n, x * outputs + o]
                for i in range(kernel[0]):
                    for c in range(channels):
                        at, position = np.uint64((i * channels + c) * tap), np.uint64((c * height + y + i) * width)
                        meet(flat_w, flat_sums, at, row, seen, samples, values, shares, starts, position)
            hand_over(samples, values, shares, starts, begin, size, r[p])
        # as a convolution's weights are laid out, and its columns the right way round again
        for o in range(outputs):
            for c in range(channels):
                for i in range(kernel[0]):
                    for j in range(kernel[1]):
                        g_w[thread, o, c, i, j] = sums[i, c, kernel[1] - 1 - j, o]
