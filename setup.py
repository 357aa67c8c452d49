"""What setup.cfg cannot say: the README without links into the repository, which lead nowhere on a package index."""

import re
from pathlib import Path

from setuptools import setup

readme = Path(__file__).with_name("README.md").read_text(encoding="utf-8")
readme = re.sub(r"!\[[^\]]*\]\((?!http)[^)]*\)\n*", "", readme)  # pictures
readme = re.sub(r"\[([^\]]*)\]\((?!http)[^)]*\)", r"\1", readme)  # links, the text stays
setup(long_description=readme, long_description_content_type="text/markdown")
