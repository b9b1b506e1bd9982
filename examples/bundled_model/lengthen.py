"""Gives a trained checkpoint its full length: `python -m ...lengthen FROM TO`.

The runs before have seen the first positions only. Further ones go on with the waves
that the first ones began as: the head that looks one position back then finds its way
there too, which it would not if positions were repeated.
"""

import sys

from examples.bundled_model.start import waves

POSITIONS = 16_384


def lengthen(source, folder, positions=POSITIONS):
    """Saves a checkpoint with more encoder positions.

    Args:
        source: path of a checkpoint with its tokenizer.
        folder: path to save to.
        positions: int, how many there are to be.
    """
    from tf_led import LEDTokenizerFast, TFLEDForConditionalGeneration

    model = TFLEDForConditionalGeneration.from_pretrained(source)
    learnt = model.led.encoder.embed_positions.embeddings.numpy()
    model.resize_position_embeddings(positions)
    table = waves(positions, model.config.d_model)
    table[: len(learnt)] = learnt
    model.led.encoder.embed_positions.embeddings.assign(table)
    model.save_pretrained(folder)
    LEDTokenizerFast.from_pretrained(source).save_pretrained(folder)


if __name__ == "__main__":
    lengthen(sys.argv[1], sys.argv[2])
