import pytest

from tf_led.tokenization.options import CALL_ORDER, ENCODE_ORDER, name_arguments


def test_positions_become_names():
    assert name_arguments(ENCODE_ORDER, (False, True), {"stride": 3}) == {
        "add_special_tokens": False,
        "padding": True,
        "stride": 3,
    }


def test_too_many_positions_are_refused():
    with pytest.raises(TypeError, match="Only 7 options have a position, got 8"):
        name_arguments(ENCODE_ORDER, range(8), {})


def test_an_option_given_twice_is_refused():
    with pytest.raises(TypeError, match="padding: given by position and by name"):
        name_arguments(CALL_ORDER, (True, True), {"padding": False})
