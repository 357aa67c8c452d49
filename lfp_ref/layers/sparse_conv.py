"""The sums of a convolution, skipping zeros: for inputs of spikes or steps, for rewards that reach few neurons.

They are those of conv.py, for stride and dilation 1, in another order: one sample at a time, and of it only what is not
0. Channels come last here, so that all of w and z, or of w and g, that such a number takes part in are long vectors:

    forward              for all a[c, v, u] that are not 0, all rows y that see it: z[y, u-KW+1..u, :] += a * w[c, v-y]
    feedback_input       for all s[o, y, x] that are not 0:  window(y, x) of g += s * w[o]
    feedback_parameters  for all s[o, y, x] that are not 0:  g_w[o] += s * window(y, x) of a

(w[c, i] with its columns reversed: the further right an output, the further left the input in its window.) A window is
one vector where the image is cut into strips, one for each column x of outputs: strip[x][v, j, c] = a[c, v, x + j].

Everywhere else the batch is last. Samples are taken out of it and put back `BLOCK` at a time: more would not stay in
the processor's cache, fewer would fetch each line of memory more often.
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange

from lfp_ref.layers.kernels import KERNEL, PARALLEL

BLOCK = 32
# Below these fractions of non-zeros, from vectors of that length on, these kernels are faster than those of conv.py.
FORWARD, INPUT, PARAMETERS, LEAST = 0.2, 0.15, 0.1, 32


@njit(**KERNEL)
def add_scaled(to, at, values, begin, factor, length):
    """to[at + k] += factor * values[begin + k] for k < length"""
    for k in range(length):
        to[at + k] += factor * values[begin + k]


@njit(**KERNEL)
def find_events(x, begin, size, events, counts):
    """Where the samples begin..begin+size of x (C, H, W, N) are not 0: events (BLOCK, C*H*W + 1) in a sample, in
    order, counts (BLOCK,) how many."""
    flat, batch = x.reshape(-1), np.uint64(x.shape[3])
    flat_events, room = events.reshape(-1), np.uint64(events.shape[1])
    counts[:] = 0
    for position in range(x.size // x.shape[3]):
        at, some = np.uint64(position) * batch + np.uint64(begin), x.dtype.type(0)
        for n in range(np.uint64(size)):
            some += abs(flat[at + n])
        if some != 0:
            for n in range(np.uint64(size)):  # without a branch: what is 0 is overwritten by the next
                flat_events[n * room + counts[n]] = position
                counts[n] += np.uint64(flat[at + n] != 0)


@njit(**KERNEL)
def take_images(a, begin, size, images):
    """images[n] (H, W, C) flat <- the samples begin..begin+size of a (C, H, W, N)"""
    channels, pixels, batch = a.shape[0], a.shape[1] * a.shape[2], np.uint64(a.shape[3])
    flat, flat_images, room = a.reshape(-1), images.reshape(-1), np.uint64(images.shape[1])
    for pixel in range(pixels):
        for c in range(channels):
            at = np.uint64(c * pixels + pixel) * batch + np.uint64(begin)
            for n in range(np.uint64(size)):
                flat_images[n * room + np.uint64(pixel * channels + c)] = flat[at + n]


@njit(**KERNEL)
def put_images(images, begin, size, a):
    """The other way round."""
    channels, pixels, batch = a.shape[0], a.shape[1] * a.shape[2], np.uint64(a.shape[3])
    flat, flat_images, room = a.reshape(-1), images.reshape(-1), np.uint64(images.shape[1])
    for pixel in range(pixels):
        for c in range(channels):
            at = np.uint64(c * pixels + pixel) * batch + np.uint64(begin)
            for n in range(np.uint64(size)):
                flat[at + n] = flat_images[n * room + np.uint64(pixel * channels + c)]


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
    length, one = np.uint64(kernel[1] * channels), strips.dtype.type(1)
    image[:] = 0
    for x in range(width - kernel[1] + 1):
        for v in range(height):
            to, at = np.uint64((v * width + x) * channels), np.uint64(x * height + v) * length
            add_scaled(image, to, strips, at, one, length)


@njit(**PARALLEL)
def forward(a, w, b, kernel, z, threads):
    """z of a (C, H, W, N) padded, w (C, KH, KW reversed, O), b (O,) -> z (O, HO, WO, N)"""
    _, height, width, batch = a.shape
    outputs, rows, columns, _ = z.shape
    flat_a, flat_w, long = a.reshape(-1), w.reshape(-1), np.uint64(outputs)
    blocks = (batch + BLOCK - 1) // BLOCK
    for thread in prange(threads):
        events, counts = np.empty((BLOCK, a.size // batch + 1), np.int32), np.empty(BLOCK, np.uint64)
        sums = np.empty((BLOCK, rows * columns * outputs + 16), z.dtype)  # 16: no two samples at one place of the cache
        for block in range(blocks * thread // threads, blocks * (thread + 1) // threads):
            begin, size = block * BLOCK, min(BLOCK, batch - block * BLOCK)
            find_events(a, begin, size, events, counts)
            for n in range(size):
                mine = sums[n]
                for pixel in range(np.uint64(rows * columns)):
                    for o in range(long):
                        mine[pixel * long + o] = b[o]
                for event in events[n, : counts[n]]:
                    row, u = divmod(event, width)
                    c, v = divmod(row, height)
                    x = max(0, u - kernel[1] + 1)
                    length = np.uint64(min(columns, u + 1) - x) * long
                    factor = flat_a[np.uint64(event) * np.uint64(batch) + np.uint64(begin + n)]
                    for y in range(max(0, v - kernel[0] + 1), min(rows, v + 1)):
                        tap = (c * kernel[0] + v - y) * kernel[1] + kernel[1] - 1 - u + x
                        at = np.uint64(y * columns + x) * long
                        add_scaled(mine, at, flat_w, np.uint64(tap) * long, factor, length)
            put_images(sums, begin, size, z)


@njit(**PARALLEL)
def feedback_input(w, s, kernel, g, threads):
    """g of s (O, HO, WO, N), w (O, KH, KW, C) -> g (C, H, W, N), padded"""
    channels, height, _, batch = g.shape
    rows, columns = s.shape[1:3]
    flat_s, flat_w, row = s.reshape(-1), w.reshape(-1), kernel[1] * channels
    length = np.uint64(kernel[0] * row)
    blocks = (batch + BLOCK - 1) // BLOCK
    for thread in prange(threads):
        images, strips = np.empty((BLOCK, g.size // batch + 16), g.dtype), np.empty(columns * height * row, g.dtype)
        events, counts = np.empty((BLOCK, s.size // batch + 1), np.int32), np.empty(BLOCK, np.uint64)
        for block in range(blocks * thread // threads, blocks * (thread + 1) // threads):
            begin, size = block * BLOCK, min(BLOCK, batch - block * BLOCK)
            find_events(s, begin, size, events, counts)
            for n in range(size):
                strips[:] = 0
                for event in events[n, : counts[n]]:
                    o, pixel = divmod(event, rows * columns)
                    y, x = divmod(pixel, columns)
                    factor = flat_s[np.uint64(event) * np.uint64(batch) + np.uint64(begin + n)]
                    at = np.uint64((x * height + y) * row)
                    add_scaled(strips, at, flat_w, np.uint64(o) * length, factor, length)
                fold_strips(strips, g.shape[:3], kernel, images[n])
            put_images(images, begin, size, g)


@njit(**PARALLEL)
def feedback_parameters(s, a, kernel, g_w, g_b, threads):
    """Sums of a s and of s by each thread.  s (O, HO, WO, N), a (C, H, W, N) padded -> g_w (threads, O, KH, KW, C),
    g_b (threads, O)"""
    channels, height, _, batch = a.shape
    rows, columns = s.shape[1:3]
    flat_s, row = s.reshape(-1), kernel[1] * channels
    length = np.uint64(kernel[0] * row)
    blocks = (batch + BLOCK - 1) // BLOCK
    for thread in prange(threads):
        images, strips = np.empty((BLOCK, a.size // batch + 16), a.dtype), np.empty(columns * height * row, a.dtype)
        events, counts = np.empty((BLOCK, s.size // batch + 1), np.int32), np.empty(BLOCK, np.uint64)
        my_w, my_b = g_w[thread].reshape(-1), g_b[thread]
        my_w[:] = 0
        my_b[:] = 0
        for block in range(blocks * thread // threads, blocks * (thread + 1) // threads):
            begin, size = block * BLOCK, min(BLOCK, batch - block * BLOCK)
            find_events(s, begin, size, events, counts)
            take_images(a, begin, size, images)
            for n in range(size):
                take_strips(images[n], a.shape[:3], kernel, strips)
                for event in events[n, : counts[n]]:
                    o, pixel = divmod(event, rows * columns)
                    y, x = divmod(pixel, columns)
                    factor = flat_s[np.uint64(event) * np.uint64(batch) + np.uint64(begin + n)]
                    at = np.uint64((x * height + y) * row)
                    my_b[o] += factor
                    add_scaled(my_w, np.uint64(o) * length, strips, at, factor, length)
