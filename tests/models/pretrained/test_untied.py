"""`tie_word_embeddings=False`: an output projection and token tables of their own."""

import numpy as np
import pytest
import torch
from transformers import LEDForConditionalGeneration

import tf_led
from tests.models.conftest import SMALL
from tf_led.testing import tiny_config

Model = tf_led.TFLEDForConditionalGeneration
UNTIED = {**SMALL, "attention_window": 4, "tie_word_embeddings": False}
IDS = np.array([[0, 5, 17, 11, 3, 7, 23, 2], [0, 28, 9, 2, 1, 1, 1, 1]])


@pytest.fixture(scope="module")
def theirs():
    """PyTorch's, all four tables different."""
    torch.manual_seed(3)
    model = LEDForConditionalGeneration(tiny_config(**UNTIED)).eval()
    for name, tensor in model.state_dict().items():
        torch.nn.init.normal_(tensor, mean=float("norm.weight" in name), std=0.4)
    return model


@pytest.fixture(scope="module")
def folder(theirs, tmp_path_factory):
    folder = tmp_path_factory.mktemp("untied")
    theirs.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def mine(folder):
    model, report = Model.from_pretrained(folder, output_loading_info=True)
    assert not any(report.values())
    return model


def test_outputs_loss_and_gradients_are_pytorchs(theirs, mine):
    import tensorflow as tf

    labels = np.array([[5, 11, 2], [17, 2, -100]])
    mask = (IDS != 1).astype(int)
    wanted = theirs(
        input_ids=torch.tensor(IDS),
        attention_mask=torch.tensor(mask),
        labels=torch.tensor(labels),
    )
    wanted.loss.backward()
    variables = [mine.lm_head.kernel, mine.led.decoder.embed_tokens.embeddings]
    with tf.GradientTape() as tape:
        output = mine(input_ids=IDS, attention_mask=mask, labels=labels)
    np.testing.assert_allclose(
        output.logits, wanted.logits.detach().numpy(), atol=1e-4, rtol=1e-4
    )
    np.testing.assert_allclose(output.loss, wanted.loss.item(), rtol=1e-4)
    kernel, table = tape.gradient(output.loss, [v.value for v in variables])
    np.testing.assert_allclose(
        tf.transpose(kernel), theirs.lm_head.weight.grad, atol=1e-5
    )
    np.testing.assert_allclose(
        tf.convert_to_tensor(table),
        theirs.led.decoder.embed_tokens.weight.grad,
        atol=1e-5,
    )


@pytest.mark.parametrize("num_beams", [1, 3])
def test_the_same_tokens(theirs, mine, num_beams):
    options = {"num_beams": num_beams, "max_new_tokens": 5, "do_sample": False}
    wanted = theirs.generate(torch.tensor(IDS[:1]), **options)
    np.testing.assert_array_equal(mine.generate(IDS[:1], **options), wanted)


def test_it_comes_back_bit_by_bit(mine, theirs, tmp_path):
    mine.save_pretrained(tmp_path)
    again, report = LEDForConditionalGeneration.from_pretrained(
        tmp_path, output_loading_info=True
    )
    assert not report["missing_keys"] and not report["unexpected_keys"]
    for name, tensor in theirs.state_dict().items():
        np.testing.assert_array_equal(again.state_dict()[name], tensor, err_msg=name)


def test_a_tied_checkpoint_gives_every_table_its_own(tmp_path):
    """As a file of transformers 4 too, where encoder and decoder shared `shared`."""
    tied = Model(tiny_config(**{**UNTIED, "tie_word_embeddings": True}))
    tied.save_pretrained(tmp_path)
    model, report = Model.from_pretrained(
        tmp_path, tie_word_embeddings=False, output_loading_info=True
    )
    assert not any(report.values())
    np.testing.assert_allclose(model(IDS).logits, tied(IDS).logits, atol=1e-5)


def test_an_untied_checkpoint_does_not_fit_one_table(folder):
    with pytest.raises(ValueError, match="differ, .*`tie_word_embeddings=False`"):
        Model.from_pretrained(folder, tie_word_embeddings=True)


def test_training_and_keras_files(tmp_path):
    """Without a warning: the table that nothing uses does not train."""
    import keras

    model = Model(tiny_config(**UNTIED))
    before = np.array(model.lm_head.kernel)
    model.compile("sgd", run_eagerly=True)
    model.train_on_batch({"input_ids": IDS, "labels": IDS[:, :3]})
    assert np.any(np.array(model.lm_head.kernel) != before)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again(IDS).logits, model(IDS).logits)


def test_the_projection_is_set_by_itself(mine):
    old = np.array(mine.lm_head.kernel)
    table = np.array(mine.led.encoder.embed_tokens.embeddings)
    assert mine.get_output_embeddings() is mine.lm_head
    mine.set_output_embeddings(2 * old.T)
    np.testing.assert_array_equal(mine.lm_head.kernel, 2 * old)
    np.testing.assert_array_equal(mine.led.encoder.embed_tokens.embeddings, table)
    mine.set_output_embeddings(old.T)
    with pytest.raises(ValueError, match=r"shape \(7, 12\), expected \(29, 12\)"):
        mine.set_output_embeddings(np.zeros([7, 12]))
