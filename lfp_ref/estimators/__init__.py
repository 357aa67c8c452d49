"""LFP as scikit-learn estimators: LFPClassifier and LFPRegressor (extra `sklearn`; nothing else here imports it).

They take samples as rows, go into pipelines, cross-validation and grid searches, and pass scikit-learn's own
`check_estimator`. Parameters and attributes have MLPClassifier's names where they mean the same; LFP adds `rule`,
`reward`, and `image_shape` with `channels` for convolutional networks.

    make_pipeline(MinMaxScaler((-1, 1)), LFPClassifier((120, 84), activation="step", rule="epsilon:0.5"))
"""

from __future__ import annotations

from lfp_ref.extras import MissingExtra

try:
    import sklearn.utils
except ImportError:
    raise MissingExtra(
        "lfp_ref.estimators", "scikit-learn", "sklearn",
        "Without it, networks train by lfp_ref.train, or on the command line by lfp-ref train.",
    ) from None  # fmt: skip
if not hasattr(sklearn.utils, "Tags"):
    raise ImportError(
        f"lfp_ref.estimators needs scikit-learn 1.6 or newer, got {sklearn.__version__}: "
        "python -m pip install --upgrade scikit-learn"
    )

from lfp_ref.estimators.classifier import LFPClassifier
from lfp_ref.estimators.regressor import LFPRegressor

__all__ = ["LFPClassifier", "LFPRegressor"]
