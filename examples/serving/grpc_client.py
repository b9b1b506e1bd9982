"""Requests summaries from TensorFlow Serving over gRPC: grpc_client.py FILE...

Needs the packages tensorflow and tensorflow-serving-api. Unlike REST it may leave out
inputs that have a default, and so set one option alone.
"""

import argparse
from pathlib import Path

import grpc
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

LARGEST = 64 * 2**20  # bytes in a message, beyond gRPC's 4 MB
CHANNEL = [
    ("grpc.max_send_message_length", LARGEST),
    ("grpc.max_receive_message_length", LARGEST),
]


def summarize(service, model, texts, timeout=600, **options):
    """Sends texts in one request and returns their summaries, a list of str."""
    request = predict_pb2.PredictRequest()
    request.model_spec.name = model
    request.model_spec.signature_name = "generate_text" if options else ""
    request.inputs["text"].CopyFrom(tf.make_tensor_proto(texts, tf.string))
    for name, value in options.items():
        dtype = tf.float32 if isinstance(value, float) else tf.int32
        request.inputs[name].CopyFrom(tf.make_tensor_proto(value, dtype))
    answer = service.Predict(request, timeout)
    return [text.decode() for text in answer.outputs["generated_text"].string_val]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument("--address", default="localhost:8500")
    parser.add_argument("--model", default="led")
    parser.add_argument("--max-new-tokens", type=int)
    args = parser.parse_args()
    options = {}
    if args.max_new_tokens is not None:
        options["max_new_tokens"] = args.max_new_tokens
    texts = [file.read_text(encoding="utf-8") for file in args.files]
    with grpc.insecure_channel(args.address, CHANNEL) as channel:
        service = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        for summary in summarize(service, args.model, texts, **options):
            print(summary)


if __name__ == "__main__":
    main()
