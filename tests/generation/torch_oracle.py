"""PyTorch's LED behind a step function, and its `generate` as the answer to expect."""

import numpy as np
import tensorflow as tf
import torch
from transformers import GenerationConfig, LEDForConditionalGeneration

from tests.generation.toy_step import generate
from tf_led.generation.loop import StepOutput
from tf_led.generation.options.build import build_processors
from tf_led.generation.options.resolve import resolve_options
from tf_led.generation.prompt import prepare_prompt
from tf_led.testing import spread_weights, tiny_config

SPECIAL = {
    "bos_token_id": 0,
    "pad_token_id": 1,
    "eos_token_id": 2,
    "decoder_start_token_id": 2,
}


def make_torch_led(seed=0, **overrides):
    """A tiny LED in PyTorch whose greedy sequences do not fall into a rut at once."""
    config = tiny_config(encoder_layers=1, decoder_layers=1, **overrides)
    model = LEDForConditionalGeneration(config).eval()
    weights = {
        name: torch.tensor(value)
        for name, value in spread_weights(config, seed).items()
    }
    model.load_state_dict(weights, strict=False)
    model.tie_weights()
    model.generation_config = GenerationConfig(**SPECIAL)
    return model


class TorchStep:
    """A step function that runs PyTorch's decoder over what the beam_history lead to.

    Its cache is no more than the tokens as they were written, int32[T, B, K]; a wrong
    beam history gives another history, and so other logits.
    """

    def __init__(self, model, input_ids, attention_mask, *, options):
        self.model, self.width, self.length = model, options.width, options.max_length
        self.outputs = [
            name
            for name in ("attentions", "hidden_states")
            if options.needs_from_step(name)
        ]
        self.mask = torch.tensor(attention_mask).repeat_interleave(self.width, 0)
        with torch.no_grad():
            self.documents = model.get_encoder()(
                input_ids=torch.tensor(input_ids),
                attention_mask=torch.tensor(attention_mask),
            ).last_hidden_state.repeat_interleave(self.width, 0)

    def new_cache(self, batch_size):
        return tf.zeros([self.length, batch_size, self.width], tf.int32)

    def __call__(self, token_ids, index, beam_history, token_mask, cache):
        index, written = int(index), np.array(cache)
        written[index] = token_ids.numpy()
        rows = np.arange(written.shape[1])[:, None, None]
        times = np.arange(index + 1)
        history = written[
            times, rows, beam_history.numpy()[..., : index + 1]
        ]  # [B, K, t]
        with torch.no_grad():
            out = self.model(
                encoder_outputs=(self.documents,),
                attention_mask=self.mask,
                decoder_input_ids=torch.tensor(history.reshape(-1, index + 1)).long(),
                use_cache=False,
                **{f"output_{name}": True for name in self.outputs},
            )
        shape = [-1, self.width]
        logits = tf.constant(out.logits[:, -1].numpy())
        logits = tf.reshape(logits, [*shape, logits.shape[-1]])
        return StepOutput(logits, tf.constant(written), self._extras(out, shape))

    def _extras(self, out, shape):
        newest = {}
        if "attentions" in self.outputs:
            own = [layer[:, :, -1:].numpy() for layer in out.decoder_attentions]
            remaining = self.length - own[0].shape[-1]
            own = [np.pad(layer, [(0, 0)] * 3 + [(0, remaining)]) for layer in own]
            newest["decoder_attentions"] = own
            cross = [layer[:, :, -1:].numpy() for layer in out.cross_attentions]
            newest["cross_attentions"] = cross
        if "hidden_states" in self.outputs:
            hidden = [layer[:, -1:].numpy() for layer in out.decoder_hidden_states]
            newest["decoder_hidden_states"] = hidden
        return {
            name: tuple(
                tf.reshape(layer, [*shape, *layer.shape[1:]]) for layer in layers
            )
            for name, layers in newest.items()
        }


def generate_ours(
    model,
    input_ids,
    attention_mask,
    *,
    prompt=None,
    stopping_criteria=(),
    **options,
):
    """Our `generate`, on a step that asks PyTorch's decoder for the logits."""
    config = model.generation_config
    prompt = None if prompt is None else tf.constant(prompt, tf.int32)
    prompt_ids, prompt_mask = prepare_prompt(
        prompt, batch_size=len(input_ids), start_token_id=config.decoder_start_token_id
    )
    frame = {"prompt_len": prompt_ids.shape[1]}
    resolved = resolve_options(defaults=config, overrides=options, **frame)
    step = TorchStep(model, input_ids, attention_mask, options=resolved)
    processors = build_processors(
        resolved,
        encoder_ids=tf.constant(input_ids),
        vocab_size=model.config.vocab_size,
        num_beams=resolved.num_beams,
        **frame,
    )
    return generate(
        step,
        step.new_cache(len(input_ids)),
        options=resolved,
        prompt_ids=prompt_ids,
        prompt_mask=prompt_mask,
        processors=processors,
        stopping_criteria=stopping_criteria,
    )


def generate_theirs(model, input_ids, attention_mask, *, prompt=None, **options):
    """PyTorch's `generate`."""
    if prompt is not None:
        options["decoder_input_ids"] = torch.tensor(prompt)
    return model.generate(
        torch.tensor(input_ids), attention_mask=torch.tensor(attention_mask), **options
    )


class Noise:
    """A logits processor of PyTorch that shakes the scores a little, to find ties."""

    def __init__(self, size, seed):
        self.size, self.generator = size, torch.Generator().manual_seed(seed)

    def __call__(self, input_ids, scores):
        noise = torch.randn(scores.shape, generator=self.generator)
        return scores + self.size * noise
