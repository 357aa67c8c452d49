"""The command line in this process, in an empty folder."""

import pytest

from lfp_ref.tools import cli


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path, monkeypatch):
    """For the tests of each module that imports it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LFP_REF_DATA", raising=False)


def call(capsys, *arguments):
    """(exit status, what was printed, what was said on standard error)"""
    status = cli.main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return status, captured.out, captured.err
