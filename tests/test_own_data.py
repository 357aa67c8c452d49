"""Own data: each kind of file gives the numbers that the .npz file gives, and what is wrong with one is said."""

import csv
import sys

import numpy as np
import pytest

from lfp_ref import datasets
from lfp_ref.datasets import load_own, pictures
from lfp_ref.datasets.images import as_pixels
from lfp_ref.datasets.scaling import Scaling, uneven

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 3))
Y = np.arange(40) % 3
NAMES = np.array(["ape", "bee", "cat"])


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def npz(x=X, y=Y):
    np.savez("mine.npz", x=x, y=y)
    return "mine.npz"


def table(rows, delimiter=",", encoding="utf-8"):
    with open("mine.csv", "w", newline="", encoding=encoding) as file:
        csv.writer(file, delimiter=delimiter).writerows(rows)
    return "mine.csv"


def rows(y=Y, x=X):
    return [[*map(repr, map(float, point)), target] for point, target in zip(x, y, strict=True)]


def same(one, other):
    parts = ("x_train", "y_train", "x_test", "y_test")
    return all(np.array_equal(getattr(one, part), getattr(other, part)) for part in parts)


# ---- each accepted form


@pytest.mark.parametrize("y, class_names", [
    (Y.astype(np.uint8), "012"), (Y.astype(float), "012"), (Y[:, None], "012"), (Y.astype(float)[:, None], "012"),
    (Y + 1, "123"), (Y - 1, ("-1", "0", "1")), (Y * 10**6, ("0", "1000000", "2000000")), (NAMES[Y], NAMES),
    (NAMES[Y].astype("S"), NAMES),
])  # fmt: skip
def test_labels_of_any_kind_are_the_same_classes(y, class_names):
    usual, data = load_own(npz()), load_own(npz(y=y))
    assert same(data, usual) and data.y_train.dtype == np.int64 and data.x_train.dtype == np.float32
    assert data.class_names == tuple(class_names) and data.classes == data.outputs == 3
    assert "3 classes for outputs 0 to 2: " + ", ".join(f"{name} ({14 - (k > 0)})" for k, name in
                                                        enumerate(class_names)) in data.notes[0]  # fmt: skip


def test_bools_are_two_classes():
    assert load_own(npz(y=Y > 0)).class_names == ("0", "1")


def test_numbers_that_are_not_whole_are_to_be_predicted_and_whole_ones_on_request():
    numbers = load_own(npz(y=X.sum(axis=1)))
    assert numbers.is_regression and numbers.outputs == 1 and not numbers.class_names
    assert numbers.y_train.dtype == np.float32 and "targets from" in numbers.notes[0]
    whole = load_own(npz(y=np.arange(40)))
    assert whole.classes == 40 and "fewer than five samples a class" in whole.notes[1]
    asked = load_own(npz(y=np.arange(40)), task="regression")
    assert asked.is_regression and sorted([*asked.y_train, *asked.y_test]) == list(range(40))


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_csv_file_gives_the_same_numbers(delimiter, encoding):
    usual = load_own(npz())
    for y, names in ((Y, "012"), (Y.astype(float), "012"), (NAMES[Y], NAMES)):
        for header in ([], [["a", "b", "ü", "kind"]]):
            data = load_own(table([*header, *rows(y), []], delimiter, encoding))
            assert same(data, usual) and data.class_names == tuple(names)
            assert data.columns == (("a", "b", "ü", "kind") if header else ())
            assert any("the targets are the last column" in note for note in data.notes)
    numbers = load_own(table(rows(X.sum(axis=1))))
    assert same(numbers, load_own(npz(y=X.sum(axis=1)))) and numbers.is_regression


def test_a_named_column_is_the_target():
    usual, first = load_own(npz()), [[row[-1], *row[:-1]] for row in rows(NAMES[Y])]
    for header, column in (([], "1"), ([["kind", "a", "b", "c"]], "kind"), ([["kind", "a", "b", "c"]], "1")):
        data = load_own(table([*header, *first]), column)
        assert same(data, usual) and data.columns == (("a", "b", "c", "kind") if header else ())
        assert not any("last column" in note for note in data.notes)


@pytest.mark.parametrize("y", [Y, NAMES[Y], X.sum(axis=1)])
def test_names_of_columns_may_be_numbers(y):
    for header in (["0", "1", "2", "kind"], ["2019", "2020", "2021", "kind"])[: 1 if y.dtype.kind == "U" else 2]:
        data = load_own(table([header, *rows(y)]), "kind")
        assert data.columns == tuple(header) and same(data, load_own(npz(y=y)))
    index = [[k, *row] for k, row in enumerate(rows(y))]
    assert same(load_own(table([["", "0", "1", "2", "3"], *index])), load_own(npz(y=y)))
    data = load_own(table([["0", "1", "2", "3"], *rows(y)]))
    assert same(data, load_own(npz(y=y))) and "the first line, 0 to 3, is taken for names of columns" in data.notes[-1]
    logic = [[a, b, "even" if a == b else "odd"] for a in (0, 1) for b in (1, 0)] * 3  # its first line is 0,1,odd
    assert load_own(table(logic)).class_names == ("even", "odd") and load_own(table(logic), whole=True).columns == ()
    assert len(load_own(table(logic), whole=True).x_test) == 12


def test_a_column_without_a_name_that_counts_the_lines_is_left_out_and_said():
    data = load_own(table([["", "a", "b", "c", "kind"], *([k, *row] for k, row in enumerate(rows()))]))
    assert same(data, load_own(npz())) and any("counts the lines: it is left out" in note for note in data.notes)


IMAGES = RNG.normal(size=(40, 5, 6))


@pytest.mark.parametrize("x, channels, says", [
    (IMAGES, IMAGES[:, None], "is taken for images of one channel"),
    (IMAGES[..., None], IMAGES[:, None], "has its channels last: they are moved to the front"),
    (np.stack([IMAGES] * 3, axis=3), np.stack([IMAGES] * 3, axis=1), "has its channels last"),
    (np.stack([IMAGES] * 3, axis=1)[..., :4], np.stack([IMAGES] * 3, axis=1)[..., :4], "images of 3 channels, 5 x 4"),
    (np.stack([IMAGES] * 3, axis=1), np.stack([IMAGES] * 3, axis=1), ""),
])  # fmt: skip
def test_images_have_their_channels_first_and_it_is_said_what_was_moved(x, channels, says):
    data = load_own(npz(x=x))
    assert data.input_shape == channels.shape[1:] and same(data, load_own(npz(x=channels)))
    assert len(data.notes) == 1 + bool(says) and says in data.notes[-1]


def draw(folder, classes=NAMES, count=14, mode="RGB", size=(6, 5), kind="png"):
    image = pytest.importorskip("PIL.Image", reason="pictures need the extra images")
    drawn = []
    for name in classes:
        (folder / name).mkdir(parents=True)
        for k in range(count):
            pixels = RNG.integers(0, 256, (size[1], size[0], len(mode)), dtype=np.uint8)
            image.fromarray(pixels.squeeze(), mode).save(folder / name / f"{k:02d}.{kind}")
            drawn.append(np.moveaxis(pixels, 2, 0))
    return np.stack(drawn)


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_folder_of_pictures_gives_the_same_numbers(tmp_path, mode):
    pixels = draw(tmp_path / "pictures", mode=mode)
    (tmp_path / "pictures" / "README.txt").write_text("of animals")
    (tmp_path / "pictures" / ".DS_Store").write_text("")
    data = load_own("pictures")
    assert data.class_names == tuple(NAMES) and data.input_shape == (len(mode), 5, 6)
    assert same(data, load_own(npz(as_pixels(pixels), NAMES.repeat(14))))
    assert any("not pictures, left out: README.txt" in note for note in data.notes)


def test_folders_train_and_test_are_the_two_parts(tmp_path):
    draw(tmp_path / "all" / "train")
    pixels = draw(tmp_path / "all" / "test", count=4)
    data = load_own("all")
    assert len(data.x_train) == 42 and np.allclose(data.x_test, pixels / 127.5 - 1, atol=1e-6)
    assert data.y_test.tolist() == [0] * 4 + [1] * 4 + [2] * 4
    draw(tmp_path / "two", ("train", "test"))  # two classes of these names
    assert load_own("two").class_names == ("test", "train")


def test_the_whole_is_the_test_part_in_order_and_of_one_class_too():
    data = load_own(npz(X[:3], np.full(3, "cat")), whole=True)
    assert np.array_equal(data.x_test, X[:3].astype(np.float32)) and not len(data.x_train)
    assert data.class_names == ("cat",) and load_own(npz(X[:1], X[:1, 0]), whole=True).is_regression


def test_transparency_is_left_out_and_said(tmp_path):
    pixels = draw(tmp_path / "clear", mode="RGBA")
    data = load_own("clear")
    assert data.input_shape == (3, 5, 6) and any("transparency is left out" in note for note in data.notes)
    order = np.random.default_rng(0).permutation(42)
    assert np.allclose(data.x_test, pixels[order[:8], :3] / 127.5 - 1, atol=1e-6)


# ---- each refused one


@pytest.mark.parametrize("arrays, task, says", [
    ({"x": X}, None, "needs arrays x and y"),
    ({"x": X, "y": Y[:-1]}, None, r"y must be labels or numbers, one for each of 40 samples, got int64 of shape"),
    ({"x": X, "y": np.stack([Y, Y], 1)}, None, r"got int64 of shape \(40, 2\)"),
    ({"x": X, "y": np.where(Y, Y, np.nan)}, None, "y has NaN or infinity, first at sample 0"),
    ({"x": X, "y": np.ones(40)}, None, "y has one class only, 1: there is nothing to tell apart"),
    ({"x": X, "y": np.full(40, 0.5)}, None, "y must be finite numbers that differ"),
    ({"x": X, "y": Y + 1e300}, "regression", "y must be finite numbers that differ"),
    ({"x": X, "y": Y + 0.5}, "classification", "y, for classification, must be text or whole numbers, got .*0.5"),
    ({"x": X, "y": NAMES[Y]}, "regression", "y, for regression, must be numbers, got 'ape'"),
    ({"x": X, "y": np.where(Y == 1, "", "x")}, None, "y at sample 1 must be a label, got ''"),
    ({"x": np.where(X[3, 1] == X, np.nan, X), "y": Y}, None, r"x has NaN, .* first at index \(3, 1\)"),
    ({"x": X[:9], "y": Y[:9]}, None, "must have ten samples at least, got 9"),
    ({"x": X[:, :, None, None, None], "y": Y}, None, r"x must be numbers \(N, I\), \(N, H, W\) or \(N, C, H, W\)"),
    ({"x": X + 1j, "y": Y}, None, "x must be numbers"),
    ({"x": X, "y": Y}, "clustering", "task must be one of classification, regression, got 'clustering'"),
])  # fmt: skip
def test_arrays_that_are_no_good(arrays, task, says):
    np.savez("mine.npz", **arrays)
    with pytest.raises(ValueError, match=says):
        load_own("mine.npz", task=task)


@pytest.mark.parametrize("change, says", [
    (lambda r: [*r[:4], ["1", "two", "3", "0"], *r], r"line 5, column 2 must be a number .*, got 'two'"),
    (lambda r: [*r[:4], ["1", "2,5", "3", "0"], *r], r"line 5, column 2 must be a number with a decimal point .*'2,5'"),
    (lambda r: [*r[:4], ["1", "", "3", "0"], *r], r"line 5, column 2 must be a number .*missing.*, got ''"),
    (lambda r: [*r[:4], ["1", "nan", "3", "0"], *r], "sample 4 has NaN or infinity in column 2"),
    (lambda r: [*r[:4], ["1", "2", "3", ""], *r], "y at sample 4 must be a label, got ''"),
    (lambda r: [*r[:4], ["1", "2", "3"], *r], "line 5: expected 4 cells as in the first line, got 3"),
    (lambda r: [["a", "b", "c", "kind"], *r[:3], ["x", "2", "3", "0"]], "line 5, column a must be a number"),
    (lambda r: [["a", "a", "c", "kind"], *r], "a name of its own for each"),
    (lambda r: [["a", "1", "c", "kind"], *r], "line 1, column 1 must be a number"),
    (lambda r: [[row[-1]] for row in r], "must have two cells at least"),
    (lambda r: [], "must have two cells at least"),
    (lambda r: [["a", "b", "c", "kind"]], "must have ten samples at least, got 0"),
])  # fmt: skip
def test_tables_that_are_no_good(change, says):
    with pytest.raises(ValueError, match=says):
        load_own(table(change(rows())))


def test_files_that_are_no_tables(tmp_path):
    for content, says in ((b"\xff\xfea\x00,\x00", "is not text in UTF-8"), (b'1,2,3\n"1', "is damaged or not a .csv")):
        (tmp_path / "mine.csv").write_bytes(content)
        with pytest.raises(ValueError, match=says):
            load_own("mine.csv")
    with pytest.raises(
        ValueError, match="the column of targets must be one of a, b, c, kind, or a number from 1, got 'x'"
    ):
        load_own(table([["a", "b", "c", "kind"], *rows()]), "x")
    with pytest.raises(ValueError, match=r"only a \.csv file has columns to name, got column 'kind'"):
        load_own(npz(), "kind")
    with pytest.raises(FileNotFoundError, match=r"no data at gone\.csv"):
        load_own("gone.csv")


def test_folders_that_are_no_good(tmp_path, monkeypatch):
    image = pytest.importorskip("PIL.Image", reason="pictures need the extra images")
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(ValueError, match="must be a folder with a folder of pictures for each class, got no folder"):
        load_own("empty")
    (empty / "ape").mkdir()
    with pytest.raises(ValueError, match=r"empty/ape must hold pictures \(\.png, .*, got none"):
        load_own("empty")
    (empty / "ape" / "young").mkdir()
    with pytest.raises(ValueError, match="ape must hold pictures of one class, got a folder young in it"):
        load_own("empty")
    draw(tmp_path / "one", ["ape"])
    with pytest.raises(ValueError, match="one class only, ape"):
        load_own("one")
    draw(tmp_path / "sizes", ["ape"])
    draw(tmp_path / "sizes", ["bee"], size=(7, 5))
    with pytest.raises(ValueError, match=r"one size, got 6 x 5 \(ape/00.png\) and 7 x 5 \(bee/00.png\): resize them"):
        load_own("sizes")
    draw(tmp_path / "all" / "train")
    draw(tmp_path / "all" / "test", size=(7, 5))
    with pytest.raises(ValueError, match=r"one size, got \(3, 5, 6\) in train and \(3, 5, 7\) \(C, H, W\) in test"):
        load_own("all")
    draw(tmp_path / "bad")
    with monkeypatch.context() as patch:
        patch.setattr(pictures, "LARGEST", 4 * 42 * 3 * 30 - 1)
        with pytest.raises(ValueError, match="42 pictures of 6 x 5 take 15,120 bytes of memory, more than 15,119"):
            load_own("bad")
        patch.setattr(image, "MAX_IMAGE_PIXELS", 29)
        with pytest.raises(ValueError, match="is damaged or not a picture: Image size"):
            load_own("bad")
    whole = (tmp_path / "bad" / "bee" / "03.png").read_bytes()
    for content, says in ((b"", "03.png is damaged or not a picture"), (whole[:60], "03.png is damaged or not a pict")):
        (tmp_path / "bad" / "bee" / "03.png").write_bytes(content)
        with pytest.raises(ValueError, match=says):
            load_own("bad")
    image.fromarray(np.zeros((5, 6), np.uint16)).save(tmp_path / "bad" / "bee" / "03.png")
    with pytest.raises(ValueError, match=r"03\.png must be a picture of 8 bits a channel, got mode I;16"):
        load_own("bad")


def test_without_pillow_it_says_what_to_install(tmp_path, monkeypatch):
    (tmp_path / "pictures" / "ape").mkdir(parents=True)
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(ImportError, match="A folder of pictures needs Pillow: python -m pip install Pillow"):
        load_own("pictures")


# ---- scaling


def test_scaling_is_that_of_the_training_part_and_comes_back_from_json():
    data = datasets.load_digits()
    points = load_own(npz(x=X * [1, 1000, 0] + 5, y=X.sum(axis=1) * 3 + 7))
    scaling = Scaling.of(points.x_train, points.y_train)
    scaled = points.scaled(scaling)
    assert np.allclose(scaled.x_train.mean(axis=0), 0, atol=1e-5) and np.allclose(scaled.x_train.std(axis=0), [1, 1, 0])
    assert np.isclose(scaled.y_train.std(), 1) and np.isclose(scaled.y_train.mean(), 0, atol=1e-6)
    again = points.scaled(Scaling.from_json(scaling.as_json()))
    assert same(again, scaled) and scaled.x_train.dtype == scaled.y_train.dtype == np.float32
    images = data.scaled(Scaling.of(data.x_train))
    assert np.isclose(images.x_train.std(), 1, rtol=1e-5) and same(images, data.scaled(images.scaling))
    for wrong in (None, {}, {"x": None}, {"x": [[0]], "y": None}, {"x": None, "y": [0, 0]}, {"x": None, "y": "ab"}):
        with pytest.raises(ValueError, match="a scaling must be means and deviations of x and y, got"):
            Scaling.from_json(wrong)


def test_columns_on_different_scales_are_noticed():
    assert not uneven(X) and not uneven(X * [1, 1, 0]) and not uneven(X * [1, 1, 20])
    assert "standard deviations from 0.00" in uneven(X * [1, 1, 0.001]) and "to 111;" in uneven(X * 100)


def test_labels_of_other_data_are_those_of_the_same_names():
    data = load_own(npz(y=NAMES[Y]))
    two = load_own(npz(y=np.where(Y == 0, "cat", "ape")))
    again = two.relabelled(data.class_names)
    assert set(again.y_train) == {0, 2} and again.class_names == data.class_names
    assert [again.names[y] for y in again.y_test] == [two.names[y] for y in two.y_test]
    with pytest.raises(ValueError, match="has a class 'bee', which is not one of ape, cat"):
        data.relabelled(two.class_names)
    held = data.holdout(0.25)
    assert held.class_names == data.class_names and held.classes == 3 and "held-out" in held.name
