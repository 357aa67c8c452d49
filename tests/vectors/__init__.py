"""The vectors for ports (docs/porting.md), generated: python -m tests.vectors writes lfp_ref/tools/conform/vectors.

bounded.py    numbers that know what rounding may do to them
restated.py   what the oracle leaves out: rewards, optimisers, transcendental functions, on such numbers
cases.py      how a case is put together, run through the oracle and recorded
families.py   the cases
"""
