"""The matrix product of BLAS, on parts of matrices.

numba's own np.dot takes whole, contiguous matrices. What it calls inside, `numba_xxgemm`, takes any matrix with
neighbouring numbers along one axis, such as some rows, or some columns, of another. A call by ctypes would do the
same, but numba does not keep a kernel with an address in it in its cache.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from lfp_ref.kernels.compile import JIT, kernel

BYTE, INT = ir.IntType(8), ir.IntType(64)


def emit_gemm(typing, a, b, c):
    """c = a b.  a (M, K), b (K, N), c (M, N), nothing empty; c with contiguous rows, a and b along either axis."""

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        number = context.get_data_type(signature.args[2].dtype)
        size = context.get_abi_sizeof(number)
        kind = BYTE({4: ord("s"), 8: ord("d")}[size])
        matrices = [context.make_array(t)(context, builder, v) for t, v in zip(signature.args, values, strict=True)]
        (rows, inner), (_, columns), _ = (cgutils.unpack_tuple(builder, m.shape, 2) for m in matrices)

        def layout(matrix: Any) -> tuple[Any, Any]:
            """(is it transposed?, leading dimension) of a matrix, by its strides; to BLAS, columns are contiguous."""
            shape = cgutils.unpack_tuple(builder, matrix.shape, 2)
            strides = cgutils.unpack_tuple(builder, matrix.strides, 2)
            single = builder.icmp_signed("==", shape[1], INT(1))
            by_rows = builder.or_(single, builder.icmp_signed("==", strides[1], INT(size)))
            step = builder.sdiv(builder.select(by_rows, strides[0], strides[1]), INT(size))
            least = builder.select(by_rows, shape[1], shape[0])
            step = builder.select(builder.icmp_signed("<", step, least), least, step)
            return builder.select(by_rows, BYTE(ord("n")), BYTE(ord("t"))), step

        def pointer(x: Any) -> Any:
            return builder.bitcast(x, BYTE.as_pointer())

        one, zero = (cgutils.alloca_once_value(builder, number(x)) for x in (1.0, 0.0))
        (a_is, lda), (b_is, ldb), (_, ldc) = map(layout, matrices)
        a, b, c = (pointer(m.data) for m in matrices)
        # a matrix by rows is its transpose by columns: c^T = b^T a^T
        arguments = [kind, b_is, a_is, columns, rows, inner, pointer(one), b, ldb, a, lda, pointer(zero), c, ldc]
        function_type = ir.FunctionType(ir.IntType(32), [argument.type for argument in arguments])
        function = cgutils.get_or_insert_function(builder.module, function_type, "numba_xxgemm")
        builder.call(function, arguments)
        return context.get_dummy_value()

    return types.void(a, b, c), emit


gemm: Any = intrinsic(emit_gemm)


def compiled_product(a, b, c):
    """By BLAS."""
    if c.size:
        gemm(a, b, c)


def product_in_python(a, b, c):
    """By NumPy, without a compiler."""
    c[...] = a @ b


# product(a, b, c): c = a b by BLAS, on one thread.  a (M, K), b (K, N), c (M, N); c has contiguous rows, a and b are
# contiguous along either axis.
product: Callable[..., None] = kernel(compiled_product if JIT else product_in_python)
