from hypothesis import HealthCheck, settings

from tests.awkward import ACCEPTED, REFUSED, TALLY

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


def pytest_terminal_summary(terminalreporter):
    if TALLY:
        refused, accepted, tried = TALLY[REFUSED], TALLY[ACCEPTED], TALLY.total()
        terminalreporter.write_line(
            f"arguments: {tried:,} awkward values tried, {refused:,} refused by name, {accepted:,} accepted rightly, "
            f"{tried - refused - accepted} crashed, silent or with the state changed"
        )
