"""TensorFlow's C API on a SavedModel, by ctypes on the libraries of the wheel.

`TF_LoadSessionFromSavedModel` is the loader that TensorFlow Serving stands on. Python's
tensorflow is never imported here: this file runs by itself, in any environment.
"""

import ctypes as c
import importlib.util
from pathlib import Path

import numpy as np

# Numbers of the C API's TF_DataType.
STRING = 7
NUMBERS = {
    np.dtype("float32"): 1,
    np.dtype("int32"): 3,
    np.dtype("int64"): 9,
    np.dtype("bool"): 10,
}
DTYPES = {number: dtype for dtype, number in NUMBERS.items()}
STRING_SIZE = 24  # of a TF_TString, in bytes


class Buffer(c.Structure):
    _fields_ = [("data", c.c_void_p), ("length", c.c_size_t), ("free", c.c_void_p)]


class Output(c.Structure):
    _fields_ = [("operation", c.c_void_p), ("index", c.c_int)]


P, S, I64 = c.c_void_p, c.c_char_p, c.c_int64
FUNCTIONS = {  # name: result, arguments
    "TF_AllocateTensor": (P, [c.c_int, c.POINTER(I64), c.c_int, c.c_size_t]),
    "TF_CloseSession": (None, [P, P]),
    "TF_DeleteBuffer": (None, [c.POINTER(Buffer)]),
    "TF_DeleteSession": (None, [P, P]),
    "TF_DeleteStatus": (None, [P]),
    "TF_DeleteTensor": (None, [P]),
    "TF_Dim": (I64, [P, c.c_int]),
    "TF_GetCode": (c.c_int, [P]),
    "TF_GraphOperationByName": (P, [P, S]),
    "TF_LoadSessionFromSavedModel": (
        P,
        [P, P, S, c.POINTER(S), c.c_int, P, c.POINTER(Buffer), P],
    ),
    "TF_Message": (S, [P]),
    "TF_NewBuffer": (c.POINTER(Buffer), []),
    "TF_NewGraph": (P, []),
    "TF_NewSessionOptions": (P, []),
    "TF_NewStatus": (P, []),
    "TF_NumDims": (c.c_int, [P]),
    "TF_SessionRun": (
        None,
        [P, P, c.POINTER(Output), c.POINTER(P), c.c_int]
        + [c.POINTER(Output), c.POINTER(P), c.c_int, P, c.c_int, P, P],
    ),
    "TF_StringCopy": (None, [P, S, c.c_size_t]),
    "TF_StringDealloc": (None, [P]),
    "TF_StringGetDataPointer": (P, [P]),
    "TF_StringGetSize": (c.c_size_t, [P]),
    "TF_StringInit": (None, [P]),
    "TF_TensorByteSize": (c.c_size_t, [P]),
    "TF_TensorData": (P, [P]),
    "TF_TensorType": (c.c_int, [P]),
}


class TensorFlowError(RuntimeError):
    """What TensorFlow answered in place of a result; `code` is its TF_Code."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


class Library:
    """The functions of the C API, in the libraries of the installed wheel."""

    def __init__(self):
        folder = Path(importlib.util.find_spec("tensorflow").origin).parent
        libraries = [
            c.CDLL(str(folder / name), mode=c.RTLD_GLOBAL)
            for name in ("libtensorflow_framework.so.2", "libtensorflow_cc.so.2")
        ]
        for name, (result, arguments) in FUNCTIONS.items():
            (function,) = [
                getattr(lib, name) for lib in libraries if hasattr(lib, name)
            ][:1]
            function.restype, function.argtypes = result, arguments
            setattr(self, name.removeprefix("TF_"), function)

    def check(self, status):
        """Frees a status, and raises what it says."""
        code, message = self.GetCode(status), self.Message(status).decode()
        self.DeleteStatus(status)
        if code:
            raise TensorFlowError(code, message)

    def tensor(self, value):
        """Makes a tensor of an array; `free` takes it back."""
        array = np.asarray(value)
        shape = (I64 * max(array.ndim, 1))(*array.shape)
        if array.dtype.kind in "SUO":
            size = STRING_SIZE * array.size
            tensor = self.AllocateTensor(STRING, shape, array.ndim, size)
            first = self.TensorData(tensor)
            for number, text in enumerate(array.ravel()):
                data = text.encode() if isinstance(text, str) else bytes(text)
                self.StringInit(first + STRING_SIZE * number)
                self.StringCopy(first + STRING_SIZE * number, data, len(data))
            return tensor
        array = np.ascontiguousarray(array).reshape(array.shape)
        number = NUMBERS[array.dtype]
        tensor = self.AllocateTensor(number, shape, array.ndim, array.nbytes)
        c.memmove(self.TensorData(tensor), array.ctypes.data, array.nbytes)
        return tensor

    def strings(self, tensor):
        """Addresses of a string tensor's entries."""
        count = self.TensorByteSize(tensor) // STRING_SIZE
        first = self.TensorData(tensor)
        return [first + STRING_SIZE * number for number in range(count)]

    def free(self, tensor):
        """Frees a tensor that `tensor` made."""
        if self.TensorType(tensor) == STRING:
            for text in self.strings(tensor):
                self.StringDealloc(text)
        self.DeleteTensor(tensor)

    def array(self, tensor):
        """Copies a tensor to an array; strings are bytes."""
        shape = [self.Dim(tensor, axis) for axis in range(self.NumDims(tensor))]
        if self.TensorType(tensor) == STRING:
            texts = [
                c.string_at(self.StringGetDataPointer(text), self.StringGetSize(text))
                for text in self.strings(tensor)
            ]
            return np.array(texts, object).reshape(shape)
        data = c.string_at(self.TensorData(tensor), self.TensorByteSize(tensor))
        return np.frombuffer(data, DTYPES[self.TensorType(tensor)]).reshape(shape)


class Session:
    """A SavedModel that is loaded; `run` may be called from several threads."""

    def __init__(self, path, library=None):
        self.library = lib = library or Library()
        status, tags = lib.NewStatus(), (S * 1)(b"serve")
        self._graph, meta = lib.NewGraph(), lib.NewBuffer()
        self._session = lib.LoadSessionFromSavedModel(
            *(lib.NewSessionOptions(), None, str(path).encode()),
            *(tags, 1, self._graph, meta, status),
        )
        lib.check(status)
        data = c.string_at(meta.contents.data, meta.contents.length)
        lib.DeleteBuffer(meta)
        self.signatures = dict(read_signatures(data))

    def run(self, signature, **inputs):
        """Runs a signature: arrays by name in, arrays by name out."""
        lib = self.library
        names, results = self.signatures[signature]
        fed = (Output * len(inputs))(*[self._output(names[name]) for name in inputs])
        fetched = (Output * len(results))(*map(self._output, results.values()))
        given = (P * len(inputs))(*[lib.tensor(value) for value in inputs.values()])
        found = (P * len(results))()
        status = lib.NewStatus()
        lib.SessionRun(
            *(self._session, None, fed, given, len(inputs)),
            *(fetched, found, len(results), None, 0, None, status),
        )
        for tensor in given:
            lib.free(tensor)
        lib.check(status)
        arrays = {n: lib.array(t) for n, t in zip(results, found, strict=True)}
        for tensor in found:
            lib.DeleteTensor(tensor)
        return arrays

    def _output(self, name):
        operation, _, index = name.partition(":")
        found = self.library.GraphOperationByName(self._graph, operation.encode())
        return Output(found, int(index or 0))

    def close(self):
        """Ends the session and frees its variables."""
        for end in (self.library.CloseSession, self.library.DeleteSession):
            status = self.library.NewStatus()
            end(self._session, status)
            self.library.check(status)


def read_signatures(meta_graph):
    """Yields (name, (inputs, outputs)) from the bytes of a MetaGraphDef.

    Inputs and outputs are dicts from a signature's name to a tensor's.
    """
    for number, entry in fields(meta_graph):
        if number == 5:  # MetaGraphDef.signature_def
            pair = dict(fields(entry))
            tensors = ({}, {})  # SignatureDef.inputs, .outputs
            for part, named in fields(pair.get(2, b"")):
                if part in (1, 2):
                    name, info = map(dict(fields(named)).get, (1, 2))
                    tensors[part - 1][name.decode()] = dict(fields(info))[1].decode()
            yield pair[1].decode(), tensors


def fields(message):
    """Yields (number, value) of each field of a protocol buffer message."""
    position = 0
    while position < len(message):
        key, position = varint(message, position)
        kind = key & 7
        if kind == 0:
            value, position = varint(message, position)
        else:
            size = {1: 8, 5: 4}.get(kind)
            if size is None:
                size, position = varint(message, position)
            value = message[position : position + size]
            position += size
        yield key >> 3, value


def varint(message, position):
    """Reads a number of 7 bits a byte; returns it and where the next thing starts."""
    number = shift = 0
    while True:
        byte = message[position]
        number |= (byte & 127) << shift
        position, shift = position + 1, shift + 7
        if byte < 128:
            return number, position
