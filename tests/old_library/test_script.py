"""A whole script of a user of transformers 4.57, on a tiny model, a Hub in memory."""

from unittest import mock

import numpy as np
import pytest

from tests.old_library.conftest import IS_OLD

pytestmark = [
    pytest.mark.skipif(IS_OLD, reason="its imports are of tf_led"),
    pytest.mark.filterwarnings("ignore:.*as_target_tokenizer"),
]


@pytest.mark.slow
def test_a_script_of_the_time_runs_with_its_imports_changed(tmp_path):
    pytest.importorskip("datasets")
    import tf_led
    from tests.models.pretrained.test_save_pretrained import Repository
    from tests.old_library import old_script
    from tf_led.testing import fill_spread, tiny_config

    letters = "abcdefghijklmnopqrstuvwxyzĠ"
    vocab = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3}
    vocab |= {letter: number for number, letter in enumerate(letters, 4)}
    tokenizer = tf_led.LEDTokenizerFast({**vocab, "<mask>": len(vocab)}, [])
    start = tmp_path / "start"
    tokenizer.save_pretrained(start)
    model = tf_led.TFLEDForConditionalGeneration(
        tiny_config(vocab_size=len(tokenizer), encoder_layers=1, decoder_layers=1)
    )
    fill_spread(model)
    model.save_pretrained(start)
    rows = [
        {"document": f"the report of {word} is long", "summary": f"about {word}"}
        for word in ("trees", "birds", "rivers", "stones", "clouds", "winds")
    ]
    hub = Repository()
    with mock.patch("tf_led.checkpoints.hub.push.HfApi", lambda token=None: hub):
        history, loss, predicted, references, text = old_script.main(
            str(start), rows, str(tmp_path / "tuned"), "me/led-reports"
        )
    assert history["loss"][-1] < history["loss"][0]
    assert np.isfinite(loss) and len(predicted) == len(references) == 2
    assert all(text.startswith("about") for text in references)
    assert isinstance(text, str)
    assert {"config.json", "generation_config.json", "model.safetensors"} <= set(
        hub.files
    )
