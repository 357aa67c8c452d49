import sys

from lfp_ref.tools.cli import main

sys.exit(main())
