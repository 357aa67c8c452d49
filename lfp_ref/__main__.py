import sys

from lfp_ref.tools.cli import process

sys.exit(process())
