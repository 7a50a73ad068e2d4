"""What every Python suite gets: the issuer that ./run started, and a person."""

import os

import pytest
from person import Person


@pytest.fixture(scope="session")
def issuer():
    return os.environ["ISSUER"]


@pytest.fixture
def person():
    return Person()
