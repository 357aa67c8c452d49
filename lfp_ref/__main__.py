import sys

from lfp_ref.cli import main

sys.exit(main())
