"""Layers, one file each: its equation, its jitted kernels, its class, in that order."""
