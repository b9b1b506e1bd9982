"""A user's script for transformers 4.57: fine-tune, evaluate, write, save, upload.

Its imports alone were changed, to tf_led and Keras 3, and what docs/migration.md has a
row for: create_optimizer, KerasMetricCallback, PushToHubCallback. Run by
test_script.py.
"""

import datasets
import keras
import numpy as np
import tensorflow as tf
from transformers import DataCollatorForSeq2Seq, GenerationConfig, set_seed

from tf_led import LEDConfig, LEDTokenizerFast, TFLEDForConditionalGeneration
from tf_led.training import AdamW, WarmUp

MAX_SOURCE, MAX_TARGET, BATCH, EPOCHS = 48, 12, 2, 2
LEARNING_RATE, WEIGHT_DECAY = 5e-3, 0.01


# 1. Model and tokenizer


def load_model(model_id, tokenizer):
    config = LEDConfig.from_pretrained(model_id, num_beams=2, max_length=MAX_TARGET)
    config.use_cache = True
    config.gradient_checkpointing = False
    model = TFLEDForConditionalGeneration.from_pretrained(
        model_id, config=config, from_pt=True, trust_remote_code=False, dropout=0.0
    )
    model.config.length_penalty = 2.0
    model.config.early_stopping = True
    model.config.no_repeat_ngram_size = 3
    model.config.min_length = 2
    tokenizer.add_special_tokens({"additional_special_tokens": ["<doc-sep>"]})
    model.resize_token_embeddings(len(tokenizer))
    model.config.vocab_size = len(tokenizer)
    return model


# 2. Data


def make_preprocess(tokenizer):
    def preprocess(examples):
        inputs = tokenizer(
            examples["document"],
            max_length=MAX_SOURCE,
            pad_to_max_length=True,
            truncation=True,
        )
        with tokenizer.as_target_tokenizer():
            targets = tokenizer(
                examples["summary"],
                max_length=MAX_TARGET,
                padding="max_length",
                truncation=True,
            )
        inputs["labels"] = [
            [token if token != tokenizer.pad_token_id else -100 for token in row]
            for row in targets["input_ids"]
        ]
        # Global attention on the first token, as the LED notebooks do.
        inputs["global_attention_mask"] = [
            [1] + [0] * (len(row) - 1) for row in inputs["input_ids"]
        ]
        return inputs

    return preprocess


def make_sets(rows, tokenizer, model):
    raw = datasets.Dataset.from_list(rows).train_test_split(test_size=2, seed=1)
    tokenized = raw.map(
        make_preprocess(tokenizer), batched=True, remove_columns=["document", "summary"]
    )
    collator = DataCollatorForSeq2Seq(
        tokenizer, model=model, label_pad_token_id=-100, return_tensors="np"
    )
    train = model.prepare_tf_dataset(
        tokenized["train"], batch_size=BATCH, shuffle=True, collate_fn=collator
    )
    columns = ["input_ids", "attention_mask", "global_attention_mask"]
    held_out = tokenized["test"].to_tf_dataset(
        columns=[*columns, "labels"],
        shuffle=False,
        batch_size=BATCH,
        collate_fn=collator,
    )
    return raw, train, held_out


# 3. Training


def create_optimizer(init_lr, num_train_steps, num_warmup_steps, weight_decay_rate):
    """What transformers had under this name: see the guide's row."""
    schedule = WarmUp(
        init_lr, warmup_steps=num_warmup_steps, total_steps=num_train_steps
    )
    return AdamW(schedule, weight_decay=weight_decay_rate), schedule


def train_model(model, train, held_out, folder):
    steps = len(train) * EPOCHS
    optimizer, schedule = create_optimizer(
        LEARNING_RATE, steps, num_warmup_steps=1, weight_decay_rate=WEIGHT_DECAY
    )
    model.compile(optimizer=optimizer)
    callbacks = [
        keras.callbacks.ModelCheckpoint(
            f"{folder}/best.weights.h5",
            monitor="val_loss",
            save_best_only=True,
            save_weights_only=True,
        ),
        keras.callbacks.EarlyStopping(monitor="val_loss", patience=9),
        keras.callbacks.TerminateOnNaN(),
    ]
    history = model.fit(
        train, validation_data=held_out, epochs=EPOCHS, callbacks=callbacks, verbose=0
    )
    return history.history


# 4. Evaluation


def postprocess(predictions, labels, tokenizer):
    predictions = np.where(predictions < 0, tokenizer.pad_token_id, predictions)
    labels = np.where(labels != -100, labels, tokenizer.pad_token_id)
    return (
        [
            text.strip()
            for text in tokenizer.batch_decode(predictions, skip_special_tokens=True)
        ],
        [
            text.strip()
            for text in tokenizer.batch_decode(labels, skip_special_tokens=True)
        ],
    )


def evaluate_model(model, held_out, tokenizer):
    loss = model.evaluate(held_out, verbose=0)
    predicted, references = [], []
    for batch in held_out:
        inputs = {k: v for k, v in batch.items() if k != "labels"}
        found = model.generate(**inputs)
        texts = postprocess(found.numpy(), batch["labels"].numpy(), tokenizer)
        predicted += texts[0]
        references += texts[1]
    return loss, predicted, references


# 5. Writing, in the ways of the time


def write(model, document, tokenizer):
    encoded = tokenizer(document, return_tensors="tf", truncation=True, max_length=32)
    ids = encoded["input_ids"]
    mask = tf.cast(encoded["attention_mask"], tf.int32)  # floats raise: see the guide
    global_mask = np.zeros(ids.shape, "int32")
    global_mask[:, 0] = 1
    shared = {"attention_mask": mask, "global_attention_mask": global_mask}
    set_seed(7)
    greedy = model.generate(ids, num_beams=1, do_sample=False, **shared)
    beams = model.generate(ids, num_beams=4, num_return_sequences=2, **shared)
    sampled = model.generate(
        ids, do_sample=True, top_k=5, top_p=0.9, seed=[1, 2], num_beams=1, **shared
    )
    scored = model.generate(
        ids,
        generation_config=GenerationConfig(
            num_beams=2, max_new_tokens=5, output_scores=True
        ),
        return_dict_in_generate=True,
        **shared,
    )
    scores = model.compute_transition_scores(
        scored.sequences, scored.scores, scored.beam_indices
    )
    assert greedy.shape[0] == sampled.shape[0] == 1 and beams.shape[0] == 2
    assert scores.shape[0] == 1
    compiled = tf.function(model.generate, jit_compile=True)
    again = compiled(ids, num_beams=1, max_new_tokens=4, min_length=0, **shared)
    outputs = model(encoded, decoder_input_ids=again, return_dict=True)
    assert outputs.logits.shape[:2] == again.shape and outputs[0] is outputs.logits
    return tokenizer.decode(beams[0], skip_special_tokens=True)


# 6. All of it


def main(model_id, rows, folder, repo_id):
    tokenizer = LEDTokenizerFast.from_pretrained(model_id)
    model = load_model(model_id, tokenizer)
    raw, train, held_out = make_sets(rows, tokenizer, model)
    history = train_model(model, train, held_out, folder)
    loss, predicted, references = evaluate_model(model, held_out, tokenizer)
    text = write(model, raw["test"][0]["document"], tokenizer)
    model.load_weights(f"{folder}/best.weights.h5")
    model.save_pretrained(folder, push_to_hub=False)
    tokenizer.save_pretrained(folder)
    model.push_to_hub(repo_id, commit_message="End of training")
    again = TFLEDForConditionalGeneration.from_pretrained(folder)
    assert again.generation_config.num_beams == model.generation_config.num_beams
    batch = next(iter(held_out))
    np.testing.assert_array_equal(again(batch).logits, model(batch).logits)
    return history, loss, predicted, references, text
