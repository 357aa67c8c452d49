"""Sums of products of vectors, for matrices too thin for BLAS: convolutions of few channels.

Both take the rows of a matrix from a flat array by where each begins, so that the taps of a convolution need not be
unfolded into a matrix in memory. Sums stay in registers: a tile of ROWS x COLUMNS of them is made at a time. OpenBLAS
has no kernels for small matrices without AVX-512: for 16 rows, 25 or 400 products each, it reached 41 and 67 GFLOP/s
on one core with AVX2, such tiles 83 and 75, a large product by BLAS 87.

The instructions are written out for LLVM, since no loop in Python's syntax makes it keep such a tile in registers. They
are compiled once, into functions of their own that kernels call by name: inlined, they would be compiled again, three
times over, in each kernel (7 of 26 s of processor time for all kernels of LeNet).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from llvmlite import binding, ir
from numba import float32, float64, intp, types
from numba.core import cgutils
from numba.core.codegen import get_host_cpu_features
from numba.extending import intrinsic

from lfp_ref.kernels.blas import BYTE, INT
from lfp_ref.kernels.compile import JIT, c_function, kernel

WIDE = "+avx512f" in get_host_cpu_features()
VECTOR = 64 if WIDE else 32  # bytes
INT_BYTES = 8
ROWS = 8 if WIDE else 4  # ROWS * COLUMNS sums, COLUMNS vectors and one spread number are all registers there are
COLUMNS = 3
# Rows of x at a time, copied together first: rows that lie a multiple of 4096 bytes apart, as the channels of images
# do whose sizes are powers of 2, share one place of the first-level cache.
PACKED = 256
FAST = ("contract", "reassoc")


class Emitter:
    """Instructions that both products are made of; addresses are in bytes."""

    def __init__(self, context: Any, builder: Any, number_type: Any) -> None:
        self.builder = builder
        self.number = context.get_data_type(number_type)
        self.size = context.get_abi_sizeof(self.number)
        self.lanes = VECTOR // self.size
        self.vector = ir.VectorType(self.number, self.lanes)

    def width(self, kind: Any) -> int:
        """Bytes of a vector or a number."""
        return VECTOR if kind is self.vector else self.size

    def at(self, address: Any, *steps: tuple[Any, Any]) -> Any:
        """The address so many steps of so many bytes on, for each (steps, bytes)."""
        for count, size in steps:
            count, size = (x if isinstance(x, ir.Value) else INT(x) for x in (count, size))
            address = self.builder.gep(address, [self.builder.mul(count, size)])
        return address

    def load(self, address: Any, kind: Any) -> Any:
        value = self.builder.load(self.builder.bitcast(address, kind.as_pointer()))
        value.align = self.size
        return value

    def store(self, value: Any, address: Any) -> None:
        self.builder.store(value, self.builder.bitcast(address, value.type.as_pointer())).align = self.size

    def sums(self, kind: Any, rows: int, columns: int) -> list[list[Any]]:
        """A tile of sums: memory that LLVM turns into registers."""
        return [[cgutils.alloca_once(self.builder, kind) for _ in range(columns)] for _ in range(rows)]

    def spread(self, x: Any, kind: Any) -> Any:
        """A number in all lanes of a vector; where sums are numbers, the number itself."""
        if kind is not self.vector:
            return x
        none, lane = ir.Constant(kind, ir.Undefined), ir.IntType(32)
        first = self.builder.insert_element(none, x, lane(0))
        return self.builder.shuffle_vector(first, none, ir.Constant(ir.VectorType(lane, self.lanes), [0] * self.lanes))

    def add_product(self, total: Any, x: Any, y: Any) -> None:
        """total += x * y, in one instruction where the processor has one."""
        product = self.builder.fmul(x, y, flags=FAST)
        self.builder.store(self.builder.fadd(self.builder.load(total), product, flags=FAST), total)

    def blocks(self, start: Any, stop: Any, step: int, body: Callable[[Any], None]) -> Any:
        """body(i) for i = start, start + step, ... while i + step <= stop; returns the i that was too large."""
        builder = self.builder
        counter = cgutils.alloca_once(builder, INT)
        builder.store(start, counter)
        check, inside, behind = (builder.append_basic_block() for _ in range(3))
        builder.branch(check)
        builder.position_at_end(check)
        i = builder.load(counter)
        following = builder.add(i, INT(step))
        builder.cbranch(builder.icmp_signed("<=", following, stop), inside, behind)
        builder.position_at_end(inside)
        body(i)
        builder.store(following, counter)
        builder.branch(check)
        builder.position_at_end(behind)
        return i

    def rows(self, count: Any, body: Callable[[Any, int], None]) -> None:
        """body(i, number of rows) over all rows."""
        i = self.blocks(INT(0), count, ROWS, lambda i: body(i, ROWS))
        self.blocks(i, count, 1, lambda i: body(i, 1))


def emit_add_products(typing, c, c_row, c_column, m, n, a, a_row, a_column, k, x, begins):
    """Instructions of add_products: a tile of sums at a time, over packed rows of x."""

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        e = Emitter(context, builder, signature.args[0].dtype)
        c, c_row, _, m, n, a, a_row, a_column, k, x, begins = (
            builder.bitcast(v, BYTE.as_pointer()) if isinstance(v.type, ir.PointerType) else v for v in values
        )

        packed = builder.bitcast(
            cgutils.alloca_once(builder, ir.ArrayType(e.vector, PACKED * COLUMNS)), BYTE.as_pointer()
        )

        def row_of(at: Any, j: Any, columns: int, width: int) -> list[Any]:
            begin = e.load(e.at(begins, (at, INT_BYTES)), INT)
            return [e.at(x, (begin, e.size), (j, e.size), (q, width)) for q in range(columns)]

        def tile(i: Any, j: Any, shape: tuple[int, int], kind: Any, block: tuple[Any, Any]) -> None:
            """c of these rows and columns += sum over k in the block, of what is packed."""
            (rows, columns), (first, count), width = shape, block, e.width(kind)
            sums = e.sums(kind, rows, columns)
            places = [[e.at(c, (i, c_row), (r, c_row), (j, e.size), (q, width)) for q in range(columns)]
                      for r in range(rows)]  # fmt: skip
            for r in range(rows):
                for q in range(columns):
                    builder.store(e.load(places[r][q], kind), sums[r][q])
            a_rows = [e.at(a, (i, a_row), (r, a_row), (first, a_column)) for r in range(rows)]
            with cgutils.for_range(builder, count, intp=INT) as loop:
                vectors = [
                    e.load(e.at(packed, (loop.index, columns * width), (q, width)), kind) for q in range(columns)
                ]
                for r in range(rows):
                    number = e.spread(e.load(e.at(a_rows[r], (loop.index, a_column)), e.number), kind)
                    for q in range(columns):
                        e.add_product(sums[r][q], number, vectors[q])
            for r in range(rows):
                for q in range(columns):
                    e.store(builder.load(sums[r][q]), places[r][q])

        def strip(j: Any, columns: int, kind: Any, block: tuple[Any, Any]) -> None:
            """Some columns of c: their part of each row of x is packed together, then all rows of c use it."""
            first, count = block
            width = e.width(kind)
            with cgutils.for_range(builder, count, intp=INT) as loop:
                for q, address in enumerate(row_of(builder.add(first, loop.index), j, columns, width)):
                    e.store(e.load(address, kind), e.at(packed, (loop.index, columns * width), (q, width)))
            e.rows(m, lambda i, rows: tile(i, j, (rows, columns), kind, block))

        blocks = builder.sdiv(builder.add(k, INT(PACKED - 1)), INT(PACKED))
        with cgutils.for_range(builder, blocks, intp=INT) as loop:
            first = builder.mul(loop.index, INT(PACKED))
            left = builder.sub(k, first)
            block = first, builder.select(builder.icmp_signed("<", left, INT(PACKED)), left, INT(PACKED))
            j = INT(0)
            for columns in range(COLUMNS, 0, -1):
                j = e.blocks(j, n, columns * e.lanes, partial(strip, columns=columns, kind=e.vector, block=block))
            e.blocks(j, n, 1, lambda j: strip(j, 1, e.number, block))
        return context.get_dummy_value()

    return types.void(c, c_row, c_column, m, n, a, a_row, a_column, k, x, begins), emit


def emit_dot_products(typing, c, c_row, c_column, m, k, a, a_row, a_column, n, x, begins):
    """Instructions of dot_products: a tile of sums at a time, in vectors that are added up at the end."""

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        e = Emitter(context, builder, signature.args[0].dtype)
        c, c_row, c_column, m, k, a, a_row, _, n, x, begins = (
            builder.bitcast(v, BYTE.as_pointer()) if isinstance(v.type, ir.PointerType) else v for v in values
        )

        name = f"llvm.vector.reduce.fadd.v{e.lanes}f{8 * e.size}"
        add_lanes = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(e.number, [e.number, e.vector]), name
        )

        def tile(i: Any, j: Any, rows: int, columns: int) -> None:
            sums, rest = e.sums(e.vector, rows, columns), e.sums(e.number, rows, columns)
            tiles = [(r, q) for r in range(rows) for q in range(columns)]
            for r, q in tiles:
                builder.store(e.vector([0.0] * e.lanes), sums[r][q])
            a_rows = [e.at(a, (i, a_row), (r, a_row)) for r in range(rows)]
            x_rows = [e.at(x, (e.load(e.at(begins, (j, INT_BYTES), (q, INT_BYTES)), INT), e.size))
                      for q in range(columns)]  # fmt: skip

            def add(at: Any, kind: Any, into: list[list[Any]]) -> None:
                vectors = [e.load(e.at(row, (at, e.size)), kind) for row in x_rows]
                for r in range(rows):
                    vector = e.load(e.at(a_rows[r], (at, e.size)), kind)
                    for q in range(columns):
                        e.add_product(into[r][q], vector, vectors[q])

            at = e.blocks(INT(0), n, e.lanes, lambda at: add(at, e.vector, sums))
            for r, q in tiles:
                builder.store(
                    builder.call(add_lanes, [e.number(0.0), builder.load(sums[r][q])], fastmath=FAST), rest[r][q]
                )
            e.blocks(at, n, 1, lambda at: add(at, e.number, rest))
            for r, q in tiles:
                place = e.at(c, (i, c_row), (r, c_row), (j, c_column), (q, c_column))
                e.store(builder.fadd(e.load(place, e.number), builder.load(rest[r][q])), place)

        def strip(j: Any, columns: int) -> None:
            e.rows(m, lambda i, rows: tile(i, j, rows, columns))

        j = e.blocks(INT(0), k, COLUMNS, lambda j: strip(j, COLUMNS))
        e.blocks(j, k, 1, lambda j: strip(j, 1))
        return context.get_dummy_value()

    return types.void(c, c_row, c_column, m, k, a, a_row, a_column, n, x, begins), emit


inline_add_products: Any = intrinsic(emit_add_products)
inline_dot_products: Any = intrinsic(emit_dot_products)


def add_products_by_pointer(c, c_row, c_column, m, n, a, a_row, a_column, k, x, begins):
    """add_products for pointers, shapes, and strides in bytes."""
    inline_add_products(c, c_row, c_column, m, n, a, a_row, a_column, k, x, begins)


def dot_products_by_pointer(c, c_row, c_column, m, k, a, a_row, a_column, n, x, begins):
    """dot_products for pointers, shapes, and strides in bytes."""
    inline_dot_products(c, c_row, c_column, m, k, a, a_row, a_column, n, x, begins)


def call_by_name(function: Callable[..., Any]) -> Any:
    """An intrinsic that calls such a function, of the arrays' dtype, with four arrays' pointers and strides."""

    @intrinsic
    def call(typing, c, a, x, begins):
        def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            arguments = []
            arrays = [context.make_array(t)(context, builder, v) for t, v in zip(signature.args, values, strict=True)]
            for array, given in zip(arrays[:2], ((0, 1), (1,)), strict=True):
                shape = cgutils.unpack_tuple(builder, array.shape, 2)
                arguments += [array.data, *cgutils.unpack_tuple(builder, array.strides, 2), *(shape[i] for i in given)]
            arguments += [array.data for array in arrays[2:]]
            function_type = ir.FunctionType(ir.VoidType(), [argument.type for argument in arguments])
            name = symbol(function, signature.args[0].dtype)
            builder.call(cgutils.get_or_insert_function(builder.module, function_type, name), arguments)
            return context.get_dummy_value()

        return types.void(c, a, x, begins), emit

    return call


def symbol(function: Callable[..., Any], number: Any) -> str:
    """The name by which kernels call a function compiled for float32 or float64."""
    return f"lfp_ref_{function.__name__}_{number}"


call_add_products = call_by_name(add_products_by_pointer)
call_dot_products = call_by_name(dot_products_by_pointer)


def compiled_add_products(c, a, x, begins):
    """By the compiled function."""
    call_add_products(c, a, x, begins)


def compiled_dot_products(c, a, x, begins):
    """By the compiled function."""
    call_dot_products(c, a, x, begins)


def rows_of(x: np.ndarray, begins: np.ndarray, length: int) -> np.ndarray:
    """The rows of that length that begin there in a flat array."""
    return x[begins[:, None] + np.arange(length)]


def add_products_in_python(c, a, x, begins):
    """By NumPy, without a compiler."""
    c += a @ rows_of(x, begins, c.shape[1])


def dot_products_in_python(c, a, x, begins):
    """By NumPy, without a compiler."""
    c += a @ rows_of(x, begins, a.shape[1]).T


def compile_by_pointer(function: Callable[..., Any], number: Any) -> None:
    """Compiles a function for float32 or float64, under the name by which kernels call it."""
    pointer = types.CPointer(number)
    signature = types.void(pointer, intp, intp, intp, intp, pointer, intp, intp, intp, pointer, types.CPointer(intp))
    binding.add_symbol(symbol(function, number), c_function(signature)(function).address)


if JIT:
    for _function in (add_products_by_pointer, dot_products_by_pointer):
        for _number in (float32, float64):
            compile_by_pointer(_function, _number)

# add_products(c, a, x, begins): c[i, n] += sum over k of a[i, k] * x[begins[k] + n].
# c (M, N) with contiguous rows, a (M, K), x flat, begins (K,) of int64
add_products: Callable[..., None] = kernel(compiled_add_products if JIT else add_products_in_python)

# dot_products(c, a, x, begins): c[i, k] += sum over n of a[i, n] * x[begins[k] + n].
# c (M, K), a (M, N) with contiguous rows, x flat, begins (K,) of int64
dot_products: Callable[..., None] = kernel(compiled_dot_products if JIT else dot_products_in_python)
