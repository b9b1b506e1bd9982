"""What tests beside PyTorch run under."""

import logging
import warnings

import pytest


@pytest.fixture
def quiet_torch():
    """PyTorch on one thread, and nobody warns.

    Tiny products cost less than waking threads for them; and odd combinations of
    options warn, there and here, which is not what such a test is about.
    """
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    logging.disable(logging.WARNING)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
    logging.disable(logging.NOTSET)
    torch.set_num_threads(threads)
