"""Many vectors times a number each, added up; and many scalar products with one vector. Eight at a time.

Convolutions consist of these. Vectors are pieces of flat arrays, of `length` numbers from a position on; positions are
unsigned, or numba would check each for a count from the end. Eight at a time keeps the processor multiplying rather
than loading and storing.
"""

from __future__ import annotations

from numba import njit

from lfp_ref.layers.base import KERNEL


@njit(**KERNEL)
def add_products(out, at, rows, begins, weights, taps, length):
    """out[at + k] += sum over t < taps of weights[t] * rows[begins[t] + k], for k < length"""
    t = 0
    while t + 8 <= taps:
        b0, b1, b2, b3 = begins[t], begins[t + 1], begins[t + 2], begins[t + 3]
        b4, b5, b6, b7 = begins[t + 4], begins[t + 5], begins[t + 6], begins[t + 7]
        w0, w1, w2, w3 = weights[t], weights[t + 1], weights[t + 2], weights[t + 3]
        w4, w5, w6, w7 = weights[t + 4], weights[t + 5], weights[t + 6], weights[t + 7]
        for k in range(length):
            out[at + k] += (
                w0 * rows[b0 + k] + w1 * rows[b1 + k] + w2 * rows[b2 + k] + w3 * rows[b3 + k]
                + w4 * rows[b4 + k] + w5 * rows[b5 + k] + w6 * rows[b6 + k] + w7 * rows[b7 + k]
            )  # fmt: skip
        t += 8
    while t < taps:
        b0, w0 = begins[t], weights[t]
        for k in range(length):
            out[at + k] += w0 * rows[b0 + k]
        t += 1


@njit(**KERNEL)
def dot_products(out, row, at, rows, begins, taps, length):
    """out[t] += sum over k < length of row[at + k] * rows[begins[t] + k], for t < taps"""
    t = 0
    zero = out.dtype.type(0)
    while t + 8 <= taps:
        b0, b1, b2, b3 = begins[t], begins[t + 1], begins[t + 2], begins[t + 3]
        b4, b5, b6, b7 = begins[t + 4], begins[t + 5], begins[t + 6], begins[t + 7]
        d0 = d1 = d2 = d3 = d4 = d5 = d6 = d7 = zero
        for k in range(length):
            s = row[at + k]
            d0 += s * rows[b0 + k]
            d1 += s * rows[b1 + k]
            d2 += s * rows[b2 + k]
            d3 += s * rows[b3 + k]
            d4 += s * rows[b4 + k]
            d5 += s * rows[b5 + k]
            d6 += s * rows[b6 + k]
            d7 += s * rows[b7 + k]
        out[t] += d0
        out[t + 1] += d1
        out[t + 2] += d2
        out[t + 3] += d3
        out[t + 4] += d4
        out[t + 5] += d5
        out[t + 6] += d6
        out[t + 7] += d7
        t += 8
    while t < taps:
        b0, d0 = begins[t], zero
        for k in range(length):
            d0 += row[at + k] * rows[b0 + k]
        out[t] += d0
        t += 1
