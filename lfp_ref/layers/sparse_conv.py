"""The sums of a convolution, skipping zeros: for inputs of spikes or steps, for rewards that reach few neurons.

They are those of conv.py, without dilation, in another order, one sample at a time. For every output column x the part
of the input it sees, a strip, is laid out by rows of the image, channels last: strip[x][v, j, c] = a[c, v, x*sx + j].
The window of the output (y, x) then is one piece of its strip, as long as the kernel, and whatever is not 0 is one
scaled vector:

    forward              z[y, x, :] = b + sum over all inputs of the window that are not 0 of a * w[i, j, c, :]
    feedback_input       for all s[o, y, x] that are not 0:  window(y, x) of g += s * w[o]
    feedback_parameters  for all s[o, y, x] that are not 0:  g_w[o] += s * window(y, x) of a

Everywhere else the batch is last. Samples are taken out of it and put back `BLOCK` at a time, so that each line of the
processor's cache is fetched once.
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange

from lfp_ref.layers.kernels import KERNEL, PARALLEL

BLOCK = 16
# Below these fractions of non-zeros, from vectors of that length on, these kernels are faster than those of conv.py.
FORWARD, INPUT, PARAMETERS, LEAST = 0.2, 0.15, 0.06, 32


@njit(**KERNEL)
def add_scaled(to, at, values, begin, factor, length):
    """to[at + k] += factor * values[begin + k] for k < length"""
    for k in range(length):
        to[at + k] += factor * values[begin + k]


@njit(**KERNEL)
def sum_scaled(to, at, rows, begins, weights, taps, length):
    """to[at + k] += sum over t < taps of weights[t] * rows[begins[t] + k], for k < length"""
    t = 0
    while t + 8 <= taps:
        b0, b1, b2, b3 = begins[t], begins[t + 1], begins[t + 2], begins[t + 3]
        b4, b5, b6, b7 = begins[t + 4], begins[t + 5], begins[t + 6], begins[t + 7]
        w0, w1, w2, w3 = weights[t], weights[t + 1], weights[t + 2], weights[t + 3]
        w4, w5, w6, w7 = weights[t + 4], weights[t + 5], weights[t + 6], weights[t + 7]
        for k in range(length):
            to[at + k] += (
                w0 * rows[b0 + k] + w1 * rows[b1 + k] + w2 * rows[b2 + k] + w3 * rows[b3 + k]
                + w4 * rows[b4 + k] + w5 * rows[b5 + k] + w6 * rows[b6 + k] + w7 * rows[b7 + k]
            )  # fmt: skip
        t += 8
    while t < taps:
        add_scaled(to, at, rows, begins[t], weights[t], length)
        t += 1


@njit(**KERNEL)
def take_strips(a, begin, size, kernel, stride, columns, strips):
    """strips[n] (columns, H, KW, C) flat <- the samples begin..begin+size of a (C, H, W, N) padded"""
    channels, height, width, batch = a.shape
    flat = a.reshape(-1)
    flat_strips, room = strips.reshape(-1), np.uint64(strips.shape[1])
    for c in range(channels):
        for v in range(height):
            for u in range(width):
                at = np.uint64((c * height + v) * width + u) * np.uint64(batch) + np.uint64(begin)
                for x in range(max(0, (u - kernel[1]) // stride[1] + 1), min(columns, u // stride[1] + 1)):
                    to = np.uint64(((x * height + v) * kernel[1] + u - x * stride[1]) * channels + c)
                    for n in range(np.uint64(size)):
                        flat_strips[n * room + to] = flat[at + n]


@njit(**KERNEL)
def fold_strips(strips, begin, size, kernel, stride, columns, g):
    """The samples begin..begin+size of g (C, H, W, N) <- the sum of all places in strips that are of one input"""
    channels, height, width, batch = g.shape
    flat = g.reshape(-1)
    flat_strips, room = strips.reshape(-1), np.uint64(strips.shape[1])
    for c in range(channels):
        for v in range(height):
            for u in range(width):
                at = np.uint64((c * height + v) * width + u) * np.uint64(batch) + np.uint64(begin)
                for n in range(np.uint64(size)):
                    flat[at + n] = 0
                for x in range(max(0, (u - kernel[1]) // stride[1] + 1), min(columns, u // stride[1] + 1)):
                    to = np.uint64(((x * height + v) * kernel[1] + u - x * stride[1]) * channels + c)
                    for n in range(np.uint64(size)):
                        flat[at + n] += flat_strips[n * room + to]


@njit(**KERNEL)
def find_events(s, begin, size, events, counts):
    """Where the samples begin..begin+size of s (O, HO, WO, N) are not 0: events (BLOCK, positions) in a sample,
    counts (BLOCK,) how many."""
    flat, batch = s.reshape(-1), np.uint64(s.shape[3])
    flat_events, room = events.reshape(-1), np.uint64(events.shape[1])
    counts[:] = 0
    for position in range(s.size // s.shape[3]):
        at = np.uint64(position) * batch + np.uint64(begin)
        for n in range(np.uint64(size)):
            if flat[at + n] != 0:
                flat_events[n * room + counts[n]] = position
                counts[n] += np.uint64(1)


@njit(**PARALLEL)
def forward(a, w, b, kernel, stride, z, threads):
    """z of a (C, H, W, N) padded, w (KH, KW, C, O), b (O,) -> z (O, HO, WO, N)"""
    channels, height, _, batch = a.shape
    outputs, rows, columns, _ = z.shape
    flat_w, flat_z, row = w.reshape(-1), z.reshape(-1), kernel[1] * channels
    blocks = (batch + BLOCK - 1) // BLOCK
    for thread in prange(threads):
        strips, sums = np.empty((BLOCK, columns * height * row), a.dtype), np.empty((BLOCK, rows * outputs), z.dtype)
        flat_sums, room = sums.reshape(-1), np.uint64(rows * outputs)
        values, first = np.empty(height * row + 1, a.dtype), np.empty(height + 1, np.uint64)
        places, window = np.empty(height * row + 1, np.uint64), np.empty(kernel[0] * row, np.uint64)
        for block in range(blocks * thread // threads, blocks * (thread + 1) // threads):
            begin, size = block * BLOCK, min(BLOCK, batch - block * BLOCK)
            take_strips(a, begin, size, kernel, stride, columns, strips)
            for x in range(columns):
                for n in range(size):
                    # what is not 0 in the strip, row after row: the rows of a window follow each other
                    strip, count = strips[n, x * height * row : (x + 1) * height * row], np.uint64(0)
                    for v in range(height):
                        first[v] = count
                        for k in range(v * row, (v + 1) * row):
                            values[count], places[count] = strip[k], np.uint64(k * outputs)
                            count += np.uint64(strip[k] != 0)
                    first[height] = count
                    for y in range(rows):
                        begins, end = first[y * stride[0]], first[y * stride[0] + kernel[0]]
                        for e in range(begins, end):
                            window[e - begins] = places[e] - np.uint64(y * stride[0] * row * outputs)
                        mine = sums[n]
                        at = np.uint64(y * outputs)
                        for o in range(outputs):
                            mine[at + np.uint64(o)] = b[o]
                        sum_scaled(mine, at, flat_w, window, values[begins:end], end - begins, np.uint64(outputs))
                for y in range(rows):
                    for o in range(outputs):
                        at = np.uint64((o * rows + y) * columns + x) * np.uint64(batch) + np.uint64(begin)
                        for n in range(np.uint64(size)):
                            flat_z[at + n] = flat_sums[n * room + np.uint64(y * outputs + o)]


@njit(**PARALLEL)
def feedback_input(w, s, kernel, stride, g, threads):
    """g of s (O, HO, WO, N), w (O, KH, KW, C) -> g (C, H, W, N), padded"""
    channels, height, _, batch = g.shape
    rows, columns = s.shape[1:3]
    flat_s, flat_w, row = s.reshape(-1), w.reshape(-1), kernel[1] * channels
    length = np.uint64(kernel[0] * row)
    blocks = (batch + BLOCK - 1) // BLOCK
    for thread in prange(threads):
        strips = np.empty((BLOCK, columns * height * row), g.dtype)
        events, counts = np.empty((BLOCK, s.size // batch), np.int32), np.empty(BLOCK, np.uint64)
        for block in range(blocks * thread // threads, blocks * (thread + 1) // threads):
            begin, size = block * BLOCK, min(BLOCK, batch - block * BLOCK)
            find_events(s, begin, size, events, counts)
            strips[:] = 0
            for n in range(size):
                mine = strips[n]
                for event in events[n, : counts[n]]:
                    o, pixel = divmod(event, rows * columns)
                    y, x = divmod(pixel, columns)
                    at = np.uint64((x * height + y * stride[0]) * row)
                    factor = flat_s[np.uint64(event) * np.uint64(batch) + np.uint64(begin + n)]
                    add_scaled(mine, at, flat_w, np.uint64(o) * length, factor, length)
            fold_strips(strips, begin, size, kernel, stride, columns, g)


@njit(**PARALLEL)
def feedback_parameters(s, a, kernel, stride, g_w, g_b, threads):
    """Sums of a s and of s by each thread.  s (O, HO, WO, N), a (C, H, W, N) padded -> g_w (threads, O, KH, KW, C),
    g_b (threads, O)"""
    channels, height, _, batch = a.shape
    rows, columns = s.shape[1:3]
    flat_s, row = s.reshape(-1), kernel[1] * channels
    length = np.uint64(kernel[0] * row)
    blocks = (batch + BLOCK - 1) // BLOCK
    for thread in prange(threads):
        strips = np.empty((BLOCK, columns * height * row), a.dtype)
        events, counts = np.empty((BLOCK, s.size // batch), np.int32), np.empty(BLOCK, np.uint64)
        my_w, my_b = g_w[thread].reshape(-1), g_b[thread]
        my_w[:] = 0
        my_b[:] = 0
        for block in range(blocks * thread // threads, blocks * (thread + 1) // threads):
            begin, size = block * BLOCK, min(BLOCK, batch - block * BLOCK)
            find_events(s, begin, size, events, counts)
            take_strips(a, begin, size, kernel, stride, columns, strips)
            for n in range(size):
                mine = strips[n]
                for event in events[n, : counts[n]]:
                    o, pixel = divmod(event, rows * columns)
                    y, x = divmod(pixel, columns)
                    at = np.uint64((x * height + y * stride[0]) * row)
                    factor = flat_s[np.uint64(event) * np.uint64(batch) + np.uint64(begin + n)]
                    my_b[o] += factor
                    add_scaled(my_w, np.uint64(o) * length, mine, at, factor, length)
