import numpy as np
import pytest

from tf_led.checkpoints.positions import check_positions, tile_rows


@pytest.mark.parametrize("num_rows", [1, 3, 5, 6, 7, 17])
def test_rows_go_round(num_rows):
    table = np.arange(10, dtype="float16").reshape(5, 2)
    made = tile_rows(table, num_rows)
    assert made.dtype == table.dtype and made.shape == (num_rows, 2)
    for row, values in enumerate(made):
        np.testing.assert_array_equal(values, table[row % 5])


@pytest.mark.parametrize("value", [0, -7, 2.0, "7", None, True])
def test_what_is_no_number_of_positions(value):
    with pytest.raises(ValueError, match=f"`n` must be .* got {value!r}"):
        check_positions(value, "n")
    assert check_positions(np.int64(7), "n") == 7
