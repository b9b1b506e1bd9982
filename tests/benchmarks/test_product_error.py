import json
from pathlib import Path

import pytest

from benchmarks import product_error

ROOT = Path(__file__).parents[2]


@pytest.mark.large
def test_rounded_products_change_logits_a_little(capfd):
    checkpoint, text = ROOT / "tf_led/assets/bundled", ROOT / "tf_led/cli/main.py"
    sizes = ["--source-len=61", "--new-tokens=3"]
    product_error.main([str(checkpoint), f"--document={text}", *sizes])
    found = json.loads(capfd.readouterr().out)
    assert 0 < found["rms_error"] < found["max_error"] < 0.05 * found["logits_std"]
    assert found["generated"] == 4
