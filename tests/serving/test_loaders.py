"""The same ids and strings as `model.generate`, from every loader of TensorFlow's."""

import itertools
import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from .conftest import LIMIT, TEXTS

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent
BATCHES = [TEXTS[:1], TEXTS[:2], TEXTS[1:], TEXTS]


def texts_of(answer):
    return [text.decode() for text in answer["generated_text"]]


@pytest.mark.parametrize("texts", BATCHES)
def test_c_api_gives_the_models_texts_for_texts_alone(sessions, beams, texts):
    expected = beams.summaries(texts)
    for signature in ("generate_text", "serving_default"):
        answer = sessions["beams"].run(signature, text=np.array(texts, object))
        assert texts_of(answer) == expected


def test_texts_differ_and_the_long_one_is_cut(beams):
    assert len(set(beams.summaries(TEXTS))) == len(TEXTS)
    assert len(beams.tokenizer(TEXTS[-1])["input_ids"]) > 2 * LIMIT


@pytest.mark.parametrize(
    ("new_tokens", "length_penalty"), [(7, 1.0), (7, 2.5), (3, -1.5), (1, 1.0)]
)
def test_options_are_inputs_of_beam_search(sessions, beams, new_tokens, length_penalty):
    given = {"max_new_tokens": new_tokens, "length_penalty": length_penalty}
    fed = {name: np.array(value) for name, value in given.items()}
    fed = {"max_new_tokens": np.int32(new_tokens)}
    fed["length_penalty"] = np.float32(length_penalty)
    answer = sessions["beams"].run("generate_text", text=np.array(TEXTS), **fed)
    assert texts_of(answer) == beams.summaries(TEXTS, **given)


@pytest.mark.parametrize("signature", ["generate_text", "generate_text_xla"])
@pytest.mark.parametrize(
    ("seed", "temperature", "new_tokens"), [(13, 1.0, 5), (19, 3.0, 2)]
)
def test_sampling_follows_seed_and_temperature(
    sessions, sampled, signature, seed, temperature, new_tokens
):
    given = {"temperature": temperature, "max_new_tokens": new_tokens, "seed": seed}
    fed = {
        "temperature": np.float32(temperature),
        "max_new_tokens": np.int32(new_tokens),
        "seed": np.int32(seed),
    }
    answer = sessions["sampled"].run(signature, text=np.array(TEXTS), **fed)
    assert texts_of(answer) == sampled.summaries(TEXTS, **given)


def test_the_seed_of_the_export_is_the_default(sessions, sampled):
    answer = sessions["sampled"].run("generate_text", text=np.array(TEXTS))
    assert texts_of(answer) == sampled.summaries(TEXTS, seed=13)


def test_a_negative_seed_is_drawn_for_each_request(sessions):
    def draw():
        texts = np.array([TEXTS[0]] * 5)
        session = sessions["sampled"]
        return texts_of(session.run("generate_text", text=texts, seed=np.int32(-1)))

    assert draw() != draw()


@pytest.mark.parametrize("dtype", ["int32", "int64"])
@pytest.mark.parametrize(
    ("batch", "length"), [(1, 3), (2, 11), (5, LIMIT), (3, 1), (1, LIMIT)]
)
def test_ids_are_those_of_generate(sessions, beams, batch, length, dtype):
    rng = np.random.default_rng(length)
    mask = np.arange(length) < rng.integers(1, length + 1, (batch, 1))
    documents = {
        "input_ids": rng.integers(3, 503, (batch, length)),
        "attention_mask": mask,
        "global_attention_mask": rng.integers(0, 2, (batch, length)) * mask,
    }
    for names in (documents, ["input_ids", "attention_mask"], ["input_ids"]):
        given = {name: documents[name].astype(dtype) for name in names}
        signature = "generate" if dtype == "int32" else "generate_int64"
        answer = sessions["beams"].run(signature, **given)["sequences"]
        expected = beams.generate({name: documents[name] for name in names})
        np.testing.assert_array_equal(answer, expected)


def test_padding_ids_are_masked_where_no_mask_is_fed(sessions, beams):
    ids = np.array([[0, 5, 7, 2], [0, 11, 2, 1]], "int32")
    answer = sessions["beams"].run("generate", input_ids=ids)["sequences"]
    np.testing.assert_array_equal(answer, beams.generate({"input_ids": ids}))


def test_encode_and_forward_are_calls_of_the_model(sessions, beams):
    documents = beams.documents(TEXTS[:2])
    fed = {name: value.astype("int32") for name, value in documents.items()}
    states = sessions["beams"].run("encode", **fed)["last_hidden_state"]
    expected = beams.model.get_encoder()(**documents).last_hidden_state
    np.testing.assert_allclose(states, expected, atol=1e-4)
    prefix = np.array([[2, 0, 5], [2, 0, 7]])
    mask = np.array([[1, 1, 1], [1, 1, 0]])
    for more in ({}, {"decoder_attention_mask": mask}):
        answer = sessions["beams"].run(
            "forward_int64", **documents, decoder_input_ids=prefix, **more
        )
        expected = beams.model({**documents, "decoder_input_ids": prefix, **more})
        assert list(answer) == ["logits"]
        np.testing.assert_allclose(answer["logits"], expected.logits, atol=2e-4)


PYTHON = """
import json, tensorflow as tf
loaded = tf.saved_model.load(sys.argv[1])
texts = tf.constant(json.loads(sys.argv[2]))
found = [
    loaded.signatures["serving_default"](text=texts),
    loaded.generate_text(texts),
    loaded.generate_text(texts, max_new_tokens=tf.constant(3)),
]
with tf.compat.v1.Session(graph=tf.Graph()) as session:
    meta = tf.compat.v1.saved_model.load(session, ["serve"], sys.argv[1])
    signature = meta.signature_def["generate_text"]
    fed = {signature.inputs["text"].name: json.loads(sys.argv[2])}
    old = session.run(signature.outputs["generated_text"].name, fed)
found = [[t.decode() for t in f["generated_text"].numpy()] for f in found]
print(json.dumps([*found, [t.decode() for t in old]]), flush=True)
sys.argv = ["saved_model_cli", *sys.argv[3:]]
from tensorflow.python.tools.saved_model_cli import main
main()
"""


@pytest.fixture(scope="module")
def apart(run_apart, beams, tmp_path_factory):
    """What a process without this project prints, and where saved_model_cli wrote."""
    folder = tmp_path_factory.mktemp("apart")
    np.savez(folder / "inputs.npz", text=np.array(TEXTS[:1]))
    options = ["--tag_set", "serve", "--signature_def", "serving_default"]
    options += ["--inputs", "text=inputs.npz[text]", "--outdir", "out"]
    command = ["run", "--dir", beams.path, *options]
    out = run_apart(PYTHON, beams.path, json.dumps(TEXTS), *command, cwd=folder)
    return out, folder / "out"


def test_python_with_tensorflow_alone_gives_the_same(apart, beams):
    expected = beams.summaries(TEXTS)
    short = beams.summaries(TEXTS, max_new_tokens=3)
    found = json.loads(apart[0].splitlines()[0])
    assert found == [expected, expected, short, expected]


def test_saved_model_cli_gives_the_same(apart, beams):
    (text,) = np.load(apart[1] / "generated_text.npy", allow_pickle=True)
    assert [text.decode()] == beams.summaries(TEXTS[:1])


@pytest.fixture(scope="module")
def loader(tmp_path_factory):
    """The C++ program, built against the wheel."""
    if shutil.which("g++") is None:
        pytest.skip("no C++ compiler")
    import tensorflow as tf

    folder = Path(tf.__file__).parent
    program = tmp_path_factory.mktemp("loader") / "loader"
    libraries = ["-l:libtensorflow_cc.so.2", "-l:libtensorflow_framework.so.2"]
    subprocess.run(
        ["g++", "-std=c++17", "-w", str(HERE / "loader.cc"), "-o", str(program)]
        + [*tf.sysconfig.get_compile_flags(), f"-L{folder}", "-Wl,--no-as-needed"]
        + [*libraries, f"-Wl,-rpath,{folder}"],
        check=True,
    )
    return program


@pytest.mark.large
def test_cpp_loader_gives_the_same(loader, beams):
    def run(*words):
        argv = [loader, beams.path, *words]
        done = subprocess.run(argv, capture_output=True, text=True, check=True)
        return done.stdout.split("\n")

    words = [text for text in TEXTS if "\n" not in text]
    for signature in ("generate_text", "serving_default"):
        assert run(signature, "text", *words)[:-2] == beams.summaries(words)
    for length in (3, 17, LIMIT):
        ids = list(itertools.islice(itertools.cycle(range(3, 500)), length))
        (answer, _) = run("generate", "input_ids", *map(str, ids))
        expected = beams.generate({"input_ids": [ids]})[0].tolist()
        assert list(map(int, answer.split())) == expected
