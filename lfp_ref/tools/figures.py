"""Pictures, with matplotlib (extra `cli`), which is imported only when one is drawn: all raise ImportError without."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lfp_ref.extras import MissingExtra
from lfp_ref.files import written_whole

if TYPE_CHECKING:
    from lfp_ref.balance import Balance
    from lfp_ref.run import History

# Okabe and Ito's palette: told apart with every common form of colour blindness.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")


def new_figure(width: float, height: float) -> Any:
    """A figure that needs no screen."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingExtra("A picture", "matplotlib", "cli", "Without it, numbers go into files as ever.") from None
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def save(figure: Any, path: Path) -> None:
    """Writes a figure into a file of the format that its ending names, PNG without one."""
    with written_whole(path) as file:
        figure.savefig(file, dpi=120, format=path.suffix.removeprefix(".") or "png")


def plain(text: str) -> str:
    """A text to be shown as it is: names of files and options may hold dollars, between which matplotlib reads TeX."""
    return text.replace("$", r"\$")


def curves(path: Path, histories: dict[str, History], title: str) -> None:
    """Metric and untouched weights over epochs, a line per run, into a PNG file. histories: by the name to show.

    The columns of the metric are train_<metric> and test_<metric> or validation_<metric>.
    """
    from matplotlib.ticker import MaxNLocator, PercentFormatter

    columns = next(iter(histories.values()))
    of_training, of_test = (next(n for n in columns if n.startswith(parts)) for parts in ("train_", ("test_", "valid")))
    part, _, metric = of_test.partition("_")
    figure = new_figure(9, 3.6)
    left, right = figure.subplots(1, 2)
    for (name, history), colour, marker in zip(histories.items(), COLOURS, MARKERS, strict=False):
        style = {"color": colour, "marker": marker, "markersize": 3}
        left.plot(history["epoch"], history[of_test], label=plain(f"{name}, {part}"), **style)
        left.plot(history["epoch"], history[of_training], "--", label=plain(f"{name}, training"), color=colour)
        right.plot(history["epoch"], history["untouched"], label=plain(name), **style)
    left.set(xlabel="epoch", ylabel={"r2": "R2"}.get(metric, metric), title=plain(title))
    right.set(xlabel="epoch", ylabel="weights left untouched", title="Mean fraction per update", ylim=(0, None))
    left.set_ylim(None, 1.01)
    for axes in (left, right) if metric == "accuracy" else (right,):
        axes.yaxis.set_major_formatter(PercentFormatter(1))
    for axes in (left, right):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.3)
        axes.legend()
    save(figure, path)


def relevance(
    path: Path,
    images: np.ndarray,
    maps: np.ndarray,
    rows: Sequence[str],
    columns: Sequence[str],
    captions: np.ndarray,
    heading: str,
) -> None:
    """Inputs and their heat maps, a row per sample and a column per class, into a PNG file.

    images: (S, C, H, W), in colour for three channels, otherwise the mean of the channels. maps: (S, T, H, W), drawn
    red-white-blue around 0, red for positive, on one scale per sample. rows, columns: names of samples and outputs.
    captions: (S, T), one below each map.
    """
    figure = new_figure(1.35 * (maps.shape[1] + 1) + 0.8, 1.65 * len(images) + 0.6)
    grid = figure.subplots(len(images), maps.shape[1] + 1, squeeze=False)
    for row, image, line, name, caption in zip(grid, images, maps, rows, captions, strict=True):
        row[0].imshow(_picture(image), cmap="gray")
        row[0].set_ylabel(plain(name), rotation=0, ha="right", va="center")
        largest = max(np.abs(line).max(), np.finfo(float).tiny)
        for axes, heat, column, below in zip(row[1:], line, columns, caption, strict=True):
            drawn = axes.imshow(heat, cmap="bwr", vmin=-largest, vmax=largest)
            axes.set_xlabel(below, fontsize=8)
            axes.set_title(plain(column), fontsize=10)
        bar = figure.colorbar(drawn, ax=row[-1], fraction=0.05)
        bar.set_label("relevance of a pixel,\nin the output's unit", fontsize=7)
        bar.ax.tick_params(labelsize=7)
        for axes in row:
            axes.set(xticks=[], yticks=[])
    figure.suptitle(plain(heading), fontsize=10)
    save(figure, path)


def _picture(image: np.ndarray) -> np.ndarray:
    """(C, H, W), of any range, as (H, W, 3) in 0..1, or the mean of the channels (H, W) unless there are three."""
    if len(image) != 3:
        return image.mean(axis=0)
    darkest, brightest = image.min(), image.max()
    return np.moveaxis((image - darkest) / max(brightest - darkest, np.finfo(np.float32).tiny), 0, -1)


def balance(path: Path, sheet: Balance, sample: int | None, heading: str) -> None:
    """What each layer hands on and keeps, stacked, output at the top, into a PNG file.

    sample: one sample alone; None is the sum over all.
    """

    def amount(x: np.ndarray) -> float:
        return float(x.sum() if sample is None else x[sample])

    lines = [line for line in sheet.lines if line.kept]  # the others hand everything on
    zero = np.zeros_like(sheet.came)
    named = [plain(f"{line.path} {line.layer.partition('(')[0]}".strip()) for line in lines]  # sizes are in the table
    figure = new_figure(7 + 0.06 * max(map(len, named)), 0.28 * len(lines) + 1.8)
    axes = figure.subplots()
    right, left = np.zeros(len(lines)), np.zeros(len(lines))
    parts = {"handed on": [line.handed for line in lines]}
    parts |= {f"kept by {cause}": [line.kept.get(cause, zero) for line in lines] for cause in sheet.causes}
    for (name, amounts), colour in zip(parts.items(), ("#BBBBBB", *COLOURS), strict=False):
        widths = np.array([amount(a) for a in amounts])
        axes.barh(range(len(lines)), widths, left=np.where(widths > 0, right, left), color=colour, label=name)
        right, left = right + np.maximum(widths, 0), left + np.minimum(widths, 0)
    came = [amount(line.came) for line in lines]
    axes.plot(came, range(len(lines)), "k|", markersize=10, markeredgewidth=2, label="came in (sum of the bars)")
    axes.set_yticks(range(len(lines)), named, fontsize=8)
    axes.set_ylim(len(lines) - 0.4, -0.6)
    axes.use_sticky_edges = False  # bars end before the frame does
    axes.margins(x=0.03)
    axes.axvline(0, color="k", linewidth=0.8)
    axes.set(xlabel="reward, in the unit of the outputs' reward")
    axes.grid(axis="x", alpha=0.3)
    axes.set_axisbelow(True)
    figure.suptitle(plain(heading), fontsize=10)
    axes.legend(fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    save(figure, path)


def over_rates(path: Path, lines: dict[str, dict[float, list[float]]], title: str, tested: str) -> None:
    """Accuracy (or R2) over learning rate, a line per name through the mean of its runs, lowest to highest as a band.

    tested: what it is, as in "test_accuracy". lines: by the name to show, learning rate to accuracies, NaN for a run
    that diverged: a cross at the bottom.
    """
    from matplotlib.ticker import PercentFormatter

    figure = new_figure(8, 4.5)
    axes = figure.subplots()
    crosses = False
    for number, (name, by_rate) in enumerate(lines.items()):
        colour, marker = COLOURS[number % len(COLOURS)], MARKERS[number % len(MARKERS)]
        good = {rate: found for rate in sorted(by_rate) if (found := [a for a in by_rate[rate] if a == a])}
        low, mean, high = (np.array([f(found) for found in good.values()]) for f in (np.min, np.mean, np.max))
        axes.plot(
            list(good),
            mean,
            color=colour,
            marker=marker,
            linestyle=("-", "--", ":")[number // 7 % 3],
            label=plain(name),
        )
        axes.fill_between(list(good), low, high, color=colour, alpha=0.2, linewidth=0)
        if diverged := [rate for rate, found in by_rate.items() if any(a != a for a in found)]:
            height = 0.02 + 0.03 * number
            axes.plot(diverged, [height] * len(diverged), "x", color=colour, transform=axes.get_xaxis_transform())
            crosses = True
    if crosses:
        axes.plot([], [], "kx", label="some diverged")
    axes.set_xscale("log")
    runs = max(len(found) for by_rate in lines.values() for found in by_rate.values())
    measure = tested.replace("_r2", "_R2").replace("_", " ")
    axes.set(xlabel="learning rate", ylabel=f"{measure} (mean, lowest to highest of {runs})", title=plain(title))
    if tested.endswith("accuracy"):
        axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.grid(alpha=0.3)
    axes.legend()
    save(figure, path)
