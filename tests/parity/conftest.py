import pytest

from tests.parity.oracle import LAYOUTS, make_pair


@pytest.fixture(scope="session")
def get_pair(tmp_path_factory):
    """Makes each layout's two models once."""
    pairs = {}

    def get(name):
        if name not in pairs:
            directory = tmp_path_factory.mktemp(name)
            pairs[name] = make_pair(LAYOUTS[name], directory, seed=len(name))
        return pairs[name]

    return get


@pytest.fixture(params=LAYOUTS)
def pair(request, get_pair):
    return get_pair(request.param)
