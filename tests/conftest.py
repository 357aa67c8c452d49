from pathlib import Path

from hypothesis import HealthCheck, settings

import lfp_ref

# No deadline: the first example of a test may compile a kernel.
settings.register_profile("kernels", deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("kernels")

# Numba keeps compiled kernels until the file they stand in changes. What stands in these files is compiled into kernels
# of others, which then would go on as before.
package = Path(lfp_ref.__file__).parent
changed = max((package / "layers" / f"{name}.py").stat().st_mtime for name in ("kernels", "products", "surrogates"))
for index in package.rglob("__pycache__/*.nbi"):
    if index.stat().st_mtime < changed:
        index.unlink()
