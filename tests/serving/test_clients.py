"""The example clients against stand-ins that speak TensorFlow Serving's protocols."""

import importlib
import importlib.util
import json
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples/serving"


def load(name):
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Answer(BaseHTTPRequestHandler):
    """Says each text of a row request backwards; rejects an empty one."""

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        ok = list(body) == ["instances"] and all(body["instances"])
        ok = ok and self.path == "/v1/models/led:predict"
        answer = {"error": f"{self.path}: {body}"}
        if ok:
            answer = {"predictions": [text[::-1] for text in body["instances"]]}
        self.send_response(200 if ok else 400)
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    def log_message(self, *args):
        pass


@pytest.fixture
def rest_url():
    server = HTTPServer(("localhost", 0), Answer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://localhost:{server.server_port}/v1/models/led"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def files(tmp_path):
    texts = ["A document.", "Caf\u00e9 \U0001f600"]
    paths = [tmp_path / f"{number}.txt" for number in range(2)]
    for path, text in zip(paths, texts, strict=True):
        path.write_text(text, encoding="utf-8")
    return list(map(str, paths)), [text[::-1] for text in texts]


def test_rest_client(rest_url, files, monkeypatch, capsys):
    names, expected = files
    monkeypatch.setattr(sys, "argv", ["rest_client", *names, "--url", rest_url])
    load("rest_client").main()
    assert capsys.readouterr().out.splitlines() == expected


def test_rest_client_tells_what_the_server_says(rest_url):
    with pytest.raises(SystemExit, match="400: .*predict.*instances"):
        load("rest_client").summarize(rest_url, [""])


def test_grpc_client(files, monkeypatch, capsys):
    grpc = pytest.importorskip("grpc")
    apis = "tensorflow_serving.apis."
    pytest.importorskip(f"{apis}predict_pb2")
    predict_pb2, services = (
        importlib.import_module(apis + name)
        for name in ("predict_pb2", "prediction_service_pb2_grpc")
    )
    import tensorflow as tf

    seen = []

    class Service(services.PredictionServiceServicer):
        def Predict(self, request, context):
            inputs = {k: tf.make_ndarray(v) for k, v in request.inputs.items()}
            seen.append((request.model_spec.name, request.model_spec.signature_name))
            seen.append({k: (v.dtype.name, v.shape) for k, v in inputs.items()})
            texts = [text.decode()[::-1] for text in inputs["text"]]
            answer = predict_pb2.PredictResponse()
            tensor = tf.make_tensor_proto(texts, tf.string)
            answer.outputs["generated_text"].CopyFrom(tensor)
            return answer

    server = grpc.server(ThreadPoolExecutor(1))
    services.add_PredictionServiceServicer_to_server(Service(), server)
    port = server.add_insecure_port("localhost:0")
    server.start()
    names, expected = files
    argv = ["grpc_client", *names, "--address", f"localhost:{port}"]
    try:
        for more in ([], ["--max-new-tokens", "3"]):
            monkeypatch.setattr(sys, "argv", [*argv, *more])
            load("grpc_client").main()
            assert capsys.readouterr().out.splitlines() == expected
    finally:
        server.stop(None).wait()
    text = {"text": ("object", (2,))}
    assert seen == [
        ("led", ""),
        text,
        ("led", "generate_text"),
        {**text, "max_new_tokens": ("int32", ())},
    ]
