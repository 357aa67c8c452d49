"""Pictures, with matplotlib (extra `cli`), which is imported only when one is drawn."""

from __future__ import annotations

from pathlib import Path

from lfp_ref.training import History

# Okabe and Ito's palette: told apart with every common form of colour blindness.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")
MARKERS = ("o", "s", "^", "D")


def curves(path: Path, histories: dict[str, History], title: str) -> None:
    """Accuracy and untouched weights over epochs, a line per run, into a PNG file.

    histories: by the name to show. Raises ImportError without matplotlib.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator, PercentFormatter

    figure = Figure(figsize=(9, 3.6), layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    for (name, history), colour, marker in zip(histories.items(), COLOURS, MARKERS, strict=False):
        style = {"color": colour, "marker": marker, "markersize": 3}
        left.plot(history["epoch"], history["test_accuracy"], label=f"{name}, test", **style)
        left.plot(history["epoch"], history["train_accuracy"], "--", label=f"{name}, training", color=colour)
        right.plot(history["epoch"], history["untouched"], label=name, **style)
    left.set(xlabel="epoch", ylabel="accuracy", title=title)
    right.set(xlabel="epoch", ylabel="weights left untouched", title="Mean fraction per update", ylim=(0, None))
    left.set_ylim(None, 1.01)
    for axes in (left, right):
        axes.yaxis.set_major_formatter(PercentFormatter(1))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.3)
        axes.legend()
    figure.savefig(path, dpi=120)
