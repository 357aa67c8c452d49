"""Vectors times numbers, added up; and scalar products of vectors: what convolutions consist of.

Vectors are pieces of flat arrays, of `length` numbers from a position on; positions are unsigned, or numba would check
each for a count from the end. Two results at a time, from four vectors at a time: each vector that is loaded serves
twice, each result that is stored is stored a quarter as often, so the processor multiplies rather than waits. Rows of
spikes may be bytes: they become numbers as they are read, a quarter of the memory.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from lfp_ref.layers.base import PAGE
from lfp_ref.layers.kernels import KERNEL


@njit(**KERNEL)
def memory_at_page(size, like):
    """An uninitialised flat array of like's dtype that begins at a page, as the layers' arrays do (base.aligned).

    A processor that compares the last 12 bits of addresses takes a load for one of what it is about to store, and
    waits, where these agree. Where sums and what is added to them lie alike in their pages, none comes just behind.
    """
    page = PAGE // like.itemsize
    memory = np.empty(size + page, like.dtype)
    begin = -(memory.ctypes.data // like.itemsize) % page
    return memory[begin : begin + size]


@njit(**KERNEL)
def two_rows(length, like):
    """Memory for two rows of sums, and where in it the second begins: half a page off.

    As many bits alike as the first, in one place of fifteen the same sums took five times as long.
    """
    page = PAGE // like.itemsize
    second = (length + page // 2 - 1) // page * page + page // 2
    return memory_at_page(second + length, like), np.uint64(second)


@njit(**KERNEL)
def add_products(out, at, at2, rows, begins, weights, weights2, taps, length):
    """out[at + k] += sum over t < taps of weights[t] * rows[begins[t] + k], for k < length; at2, weights2 likewise."""
    t, number = 0, out.dtype.type
    while t + 4 <= taps:
        b0, b1, b2, b3 = begins[t], begins[t + 1], begins[t + 2], begins[t + 3]
        w0, w1, w2, w3 = weights[t], weights[t + 1], weights[t + 2], weights[t + 3]
        v0, v1, v2, v3 = weights2[t], weights2[t + 1], weights2[t + 2], weights2[t + 3]
        for k in range(length):
            r0, r1, r2, r3 = number(rows[b0 + k]), number(rows[b1 + k]), number(rows[b2 + k]), number(rows[b3 + k])
            out[at + k] += w0 * r0 + w1 * r1 + w2 * r2 + w3 * r3
            out[at2 + k] += v0 * r0 + v1 * r1 + v2 * r2 + v3 * r3
        t += 4
    while t < taps:
        b0, w0, v0 = begins[t], weights[t], weights2[t]
        for k in range(length):
            r0 = number(rows[b0 + k])
            out[at + k] += w0 * r0
            out[at2 + k] += v0 * r0
        t += 1


@njit(**KERNEL)
def dot_products(out, out2, row, at, at2, rows, begins, taps, length):
    """out[t] += sum over k < length of row[at + k] * rows[begins[t] + k], for t < taps; out2 likewise with at2."""
    t, number = 0, out.dtype.type
    zero = number(0)
    while t + 4 <= taps:
        b0, b1, b2, b3 = begins[t], begins[t + 1], begins[t + 2], begins[t + 3]
        d0 = d1 = d2 = d3 = e0 = e1 = e2 = e3 = zero
        for k in range(length):
            s, s2 = row[at + k], row[at2 + k]
            r0, r1, r2, r3 = number(rows[b0 + k]), number(rows[b1 + k]), number(rows[b2 + k]), number(rows[b3 + k])
            d0 += s * r0
            d1 += s * r1
            d2 += s * r2
            d3 += s * r3
            e0 += s2 * r0
            e1 += s2 * r1
            e2 += s2 * r2
            e3 += s2 * r3
        out[t] += d0
        out[t + 1] += d1
        out[t + 2] += d2
        out[t + 3] += d3
        out2[t] += e0
        out2[t + 1] += e1
        out2[t + 2] += e2
        out2[t + 3] += e3
        t += 4
    while t < taps:
        b0, d0, e0 = begins[t], zero, zero
        for k in range(length):
            r0 = number(rows[b0 + k])
            d0 += row[at + k] * r0
            e0 += row[at2 + k] * r0
        out[t] += d0
        out2[t] += e0
        t += 1


@njit(**KERNEL)
def store(sums, second, out, at, at2, length):
    """Two rows of sums, the second from there on, to where they belong: out[at:] and out[at2:]"""
    for k in range(length):
        out[at + k], out[at2 + k] = sums[k], sums[second + k]
