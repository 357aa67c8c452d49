from hypothesis import HealthCheck, settings

# No deadline: the first example of a test may compile a kernel.
settings.register_profile("kernels", deadline=None, max_examples=15, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("kernels")

# python -m pytest -m quick: the method itself against its restatement in fractions, and whatever a reader edits first.
QUICK = {
    "activations", "balance", "dense", "explain", "extending", "lrp_rules", "maximum", "names", "network", "optim",
    "pool", "readme", "residual", "rewards", "rules", "summary", "weights",
}  # fmt: skip


def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.stem.removeprefix("test_") in QUICK:
            item.add_marker("quick")
