"""Kernels' tools: compile options, the cache, products, scratch memory, threads."""
