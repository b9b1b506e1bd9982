"""A user's script, which a type checker reads and nobody runs.

Each line that ends with `# wrong` holds a mistake that is to be found, the others hold
none. `assert_type` says what an editor knows about a result.
"""

# ruff: noqa: B018

from typing import Any, assert_type

import keras
import numpy as np
import tensorflow as tf

import tf_led
from tf_led import (
    LEDConfig,
    LEDTokenizerFast,
    TFLEDForConditionalGeneration,
    TFLEDForQuestionAnswering,
    TFLEDForSequenceClassification,
    TFLEDModel,
    TFLEDSeq2SeqLMOutput,
    TFLEDSeq2SeqModelOutput,
    export_saved_model,
    make_dataset,
)
from tf_led.pipelines import SummarizationPipeline, summarize_document
from tf_led.training import AdamW, RougeCallback, WarmUp, make_strategy

# Making models.
config = LEDConfig(attention_window=512)
encoder_decoder = TFLEDModel(config, attention_implementation="loop", name="led")
TFLEDModel(config, max_global_token=3)  # wrong
TFLEDForSequenceClassification(config, pool="encoder_mean")  # wrong
model = TFLEDForConditionalGeneration.from_pretrained("some/led", dtype="float32")
assert_type(model, TFLEDForConditionalGeneration)
same, report = TFLEDModel.from_pretrained("some/led", output_loading_info=True)
assert_type(same, TFLEDModel)
report.keys()
TFLEDModel.from_pretrained(3)  # wrong
assert_type(TFLEDModel.from_config(config), TFLEDModel)

# Texts to ids and back.
tokenizer = LEDTokenizerFast.from_pretrained("some/led")
assert_type(tokenizer, LEDTokenizerFast)
inputs = tokenizer(["a", "b"], padding=True, return_tensors="tf")
inputs["global_attention_mask"] = tf.zeros_like(inputs["input_ids"])
assert_type(tokenizer.decode([0, 5, 2], skip_special_tokens=True), str)
tokenizer.pad([{"input_ids": [0, 2]}], pad_to=4)  # wrong

# Calls.
ids = tf.constant([[0, 5, 7, 2]])
outputs = model(ids, labels=ids)
assert_type(outputs, TFLEDSeq2SeqLMOutput)
outputs.logits.shape, outputs["loss"], outputs[0], outputs.to_tuple()
outputs.encoder_attentions[0].shape
outputs.logit  # wrong
model(inputs), model(**inputs), model({"input_ids": ids}), model(ids, ids)
model(np.zeros([1, 3]), use_cache=False), model([[0, 5, 2]], training=True)
model(input_idz=ids)  # wrong
model(ids, output_attention=True)  # wrong
model("a text")  # wrong
assert_type(encoder_decoder(ids, return_dict=True), TFLEDSeq2SeqModelOutput)
assert_type(encoder_decoder(ids, return_dict=False), tuple[Any, ...])
encoder_decoder(ids, labels=ids)  # wrong
answers = TFLEDForQuestionAnswering(config, pooling="encoder")
answers(ids, start_positions=[1], end_positions=[2]).start_logits
answers(ids, labels=[1])  # wrong
encoded = model.get_encoder()(input_ids=ids)
encoded.last_hidden_state
encoded.last_hidden_states  # wrong

# Generation.
assert_type(model.generate(inputs, num_beams=4, max_new_tokens=32), tf.Tensor)
model.generate(**inputs, do_sample=True, temperature=tf.constant(0.5), seed=1)
generated = model.generate(ids, return_dict_in_generate=True, output_scores=True)
generated.sequences, generated.scores
generated.sequence  # wrong
model.generate(ids, num_beam=2)  # wrong
model.generate(ids, num_beams="2")  # wrong
model.generate(ids, early_stopping="always")  # wrong
model.generate("a text")  # wrong
encoder_decoder.generation_config = None
model.generation_config.num_beams = 4

# Training.
batches = make_dataset([("a", "b")], tokenizer, batch_size=2, config=config)
make_dataset([("a", "b")], tokenizer)  # wrong
make_dataset([("a", "b")], tokenizer, batch_size=2, max_length=5)  # wrong
with make_strategy().scope():
    model.compile(AdamW(WarmUp(1e-4, 100)), metrics=["accuracy"])
    model.compile(keras.optimizers.Adam(1e-4), label_smoothing=0.1)
    model.compile("adam", label_smoothing="0.1")  # wrong
model.fit(batches, epochs=2, callbacks=[RougeCallback(batches, tokenizer, every=2)])
RougeCallback(batches, tokenizer, num_beam=2)  # wrong
model.enable_lora(rank=8, targets=["q_proj"])
model.enable_lora("8")  # wrong
model.freeze("encoder", 3)  # wrong
model.resize_token_embeddings(50267).embeddings
model.resize_token_embedding  # no mistake to a checker: see test_types.py

# What leaves the process.
model.save_pretrained("folder", max_shard_size="1GB")
model.save_pretrained("folder", max_shards=3)  # wrong
model.push_to_hub("me/led", private=True).oid
model.export("served", tokenizer=tokenizer, num_beams=2).name
model.export("served", tokeniser=tokenizer)  # wrong
export_saved_model(model, "served", quantize="int8", max_new_tokens=7)
export_saved_model(model, "served", quantize="int4")  # wrong

# Pipelines.
summarize = tf_led.pipeline("summarization", num_beams=2)
assert_type(summarize, SummarizationPipeline)
summarize("a text")[0]["summary_text"]
summarize(["a", "b"], batch_size=2, long_documents="fuse")
summarize("a text", num_beam=2)  # wrong
summarize("a text", long_documents="whole")  # wrong
tf_led.pipeline("translation_en_to_de", model)("a text")
tf_led.pipeline("question-answering", answers)(question="a", context="b")["answer"]
tf_led.pipeline("question-answering", answers, max_answer_length=3)  # wrong
summarize_document(model, tokenizer, "a", on_part=print).text
summarize_document(model, tokenizer, 3)  # wrong
