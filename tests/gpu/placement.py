"""What a graph would do on a GPU, told without one from TensorFlow's kernel registry.

The CUDA build of TensorFlow, which is the plain wheel on Linux, registers its GPU
kernels even where there is no GPU. Its optimiser works on a virtual GPU here; then each
op is placed by the registry and counted. Nothing runs, so nothing is timed.
"""

import collections
import re

from tensorflow.core.framework import types_pb2
from tensorflow.core.protobuf import (
    config_pb2,
    device_properties_pb2,
    meta_graph_pb2,
    rewriter_config_pb2,
)
from tensorflow.python.framework import kernels, op_def_registry, tensor_util
from tensorflow.python.grappler import cluster, tf_optimizer

GPU = "/job:localhost/replica:0/task:0/device:GPU:0"
CPU = "/job:localhost/replica:0/task:0/device:CPU:0"
# These hand on what they are given; no kernel is launched.
FREE_OPS = """
Assert BroadcastGradientArgs Bitcast Const ControlTrigger EmptyTensorList
EnsureShape Enter Exit ExpandDims Identity IdentityN LoopCond Merge NextIteration
NoOp Placeholder PlaceholderWithDefault PreventGradient Rank ReadVariableOp Reshape
Shape ShapeN Size Snapshot Squeeze StopGradient Switch TensorListElementShape
TensorListGetItem TensorListLength TensorListPopBack TensorListPushBack
TensorListReserve TensorListResize TensorListSetItem VarHandleOp _Arg _Retval
"""
FREE = frozenset(re.findall(r"\w+", FREE_OPS))
# Kernels that one op launches, where it is not one.
KERNELS_OF = {
    "Cumsum": 2,
    "LogSoftmax": 2,
    "Softmax": 2,
    "SparseSoftmaxCrossEntropyWithLogits": 3,
    "TensorScatterAdd": 2,
    "TensorScatterUpdate": 2,
    "TopKV2": 2,
    "UnsortedSegmentSum": 2,
    "Where": 4,
}
# Handles, which are on neither side.
HANDLES = {types_pb2.DT_STRING, types_pb2.DT_RESOURCE, types_pb2.DT_VARIANT}
# Branches that do not run when all is well.
NOT_TAKEN = re.compile("AssertGuard/else|AssertGuard_false")


class Counts(collections.namedtuple("Counts", "launches to_host from_host cpu_only")):
    """Counters by op: of kernels, of copies either way, of ops without GPU kernel."""

    @property
    def totals(self):
        return tuple(sum(counter.values()) for counter in self)


def has_gpu_kernels():
    """Whether this TensorFlow is a CUDA build."""
    return any(
        kernel.device_type == "GPU"
        for kernel in kernels.get_registered_kernels_for_op("MatMul").kernel
    )


def is_alias(node, nodes):
    """Whether a Slice takes rows of the first axis alone: that is no copy."""
    if node.op != "Slice":
        return False
    begin = _root(node.input[1].split(":")[0], nodes)
    if begin.op == "Const":
        return not tensor_util.MakeNdarray(begin.attr["value"].tensor)[1:].any()
    rest = [nodes[name.split(":")[0]] for name in begin.input[1:]]
    return begin.op == "Pack" and all(
        part.op == "Const" and not tensor_util.MakeNdarray(part.attr["value"].tensor)
        for part in (_root(source.name, nodes) for source in rest)
    )


def count(graph, is_taken=lambda name: True):
    """Counts what the graph of a concrete function would do on a GPU.

    Args:
        graph: FuncGraph.
        is_taken: tells by its name whether a node runs, for branches.

    Returns:
        Dict from the names of the loops that nodes are in, the outermost first, to
        `Counts` of one iteration; () is what runs once.
    """
    nodes = {node.name: node for node in optimized(graph).node}
    loops = loops_of(nodes)
    places = {name: _place(node) for name, node in nodes.items()}
    counts = collections.defaultdict(
        lambda: Counts(*(collections.Counter() for _ in Counts._fields))
    )
    copied = set()
    for name, node in nodes.items():
        if NOT_TAKEN.search(name) or not is_taken(name) or node.op == "Const":
            continue
        here, place = counts[loops.get(name, ())], places[name]
        for side, source, kind in _copies(node, place, nodes, places):
            if (source, side) not in copied:
                copied.add((source, side))
                counter = here.to_host if side == "host" else here.from_host
                counter[f"{nodes[source[0]].op}->{node.op}/{kind}"] += 1
        if node.op in FREE or is_alias(node, nodes):
            continue
        if place.kernel is None:
            here.cpu_only[node.op] += 1
        elif "gpu" in (place.outputs or place.inputs):
            here.launches[node.op] += KERNELS_OF.get(node.op, 1)
    return dict(counts)


def optimized(graph):
    """The GraphDef that TensorFlow's optimiser makes of a graph for a GPU."""
    definition = graph.as_graph_def()
    given = [node for node in definition.node if node.op != "Placeholder"]
    for function in definition.library.function:
        given += function.node_def
    for node in given:
        node.device = CPU if _is_for_cpu(node) else GPU
    meta = meta_graph_pb2.MetaGraphDef()
    meta.graph_def.CopyFrom(definition)
    fetches = (
        [tensor.op.name for tensor in graph.flat_outputs]
        if hasattr(graph, "flat_outputs")
        else []
    )
    fetches += [
        n.name for n in definition.node if n.op.startswith(("Assign", "Identity"))
    ]
    meta.collection_def["train_op"].node_list.value.extend(dict.fromkeys(fetches))
    config = config_pb2.ConfigProto()
    rewrite = config.graph_options.rewrite_options
    rewrite.min_graph_nodes = -1
    rewrite.layout_optimizer = rewriter_config_pb2.RewriterConfig.OFF
    return tf_optimizer.OptimizeGraph(config, meta, cluster=_virtual_cluster())


def _virtual_cluster():
    properties = device_properties_pb2.DeviceProperties
    gpu = properties(
        type="GPU",
        vendor="NVIDIA",
        frequency=1000,
        num_cores=108,
        memory_size=40 << 30,
        bandwidth=1500 << 20,
        environment={"architecture": "8.0", "cuda": "12050", "cudnn": "9000"},
    )
    cpu = properties(type="CPU", frequency=3000, num_cores=8, memory_size=60 << 30)
    named = device_properties_pb2.NamedDevice
    return cluster.Cluster(
        devices=[named(name=GPU, properties=gpu), named(name=CPU, properties=cpu)]
    )


def loops_of(nodes):
    """The names of the loops that each node is in: between Enter and Exit, one more."""
    readers = collections.defaultdict(list)
    for node in nodes.values():
        for name in node.input:
            readers[name.lstrip("^").split(":")[0]].append(node.name)
    loops = {name: () for name, node in nodes.items() if not node.input}
    waiting = list(loops)
    while waiting:
        name = waiting.pop()
        node, inside = nodes[name], loops[name]
        if node.op == "Enter":
            inside = (*inside, node.attr["frame_name"].s.decode())
        elif node.op == "Exit":
            inside = inside[:-1]
        for reader in readers[name]:
            if reader not in loops or len(loops[reader]) < len(inside):
                loops[reader] = inside
                waiting.append(reader)
    return loops


Place = collections.namedtuple("Place", "kernel inputs outputs types")


def _is_for_cpu(node):
    """Whether the program itself puts a node on the CPU."""
    return node.device.endswith("CPU:0")


def _place(node):
    """The GPU kernel of a node, or None, and on which side its tensors are."""
    definition = op_def_registry.get(node.op)
    inputs, input_types = _arguments(node, definition.input_arg)
    outputs, output_types = _arguments(node, definition.output_arg)
    if _is_for_cpu(node):
        sides = ["host"] * len(inputs), ["host"] * len(outputs)
        return Place("of the CPU", *sides, input_types)
    kernel = _find_kernel(node)
    on_host = set(kernel.host_memory_arg) if kernel else None

    def sides(names, types):
        if kernel is None:
            return ["host"] * len(types)
        return [
            "host" if name in on_host or kind in HANDLES else "gpu"
            for name, kind in zip(names, types, strict=True)
        ]

    output_sides = sides(outputs, output_types)
    if node.op in ("Placeholder", "_Arg"):
        is_int = output_types[0] == types_pb2.DT_INT32
        output_sides = ["host" if is_int else "gpu"]
    return Place(kernel, sides(inputs, input_types), output_sides, input_types)


def _arguments(node, arguments):
    """The name of the argument, and the dtype, of each input or output of a node."""
    names, types = [], []
    for argument in arguments:
        number = node.attr[argument.number_attr].i if argument.number_attr else 1
        kinds = [argument.type or node.attr[argument.type_attr].type] * number
        if argument.type_list_attr:
            kinds = list(node.attr[argument.type_list_attr].list.type)
        names += [argument.name] * len(kinds)
        types += kinds
    return names, types


def _find_kernel(node):
    """The registered kernel for the GPU that takes the node's dtypes."""
    fitting = [
        kernel
        for kernel in _kernels_of(node.op)
        if all(_fits(node, constraint) for constraint in kernel.constraint)
    ]
    # A kernel for the GPU goes before one for any device.
    order = [(kernel.device_type == "GPU", kernel.priority) for kernel in fitting]
    return fitting[order.index(max(order))] if fitting else None


_KERNELS = {}


def _kernels_of(op):
    if op not in _KERNELS:
        registered = kernels.get_registered_kernels_for_op(op).kernel
        _KERNELS[op] = [k for k in registered if k.device_type in ("GPU", "DEFAULT")]
    return _KERNELS[op]


def _fits(node, constraint):
    value, allowed = node.attr[constraint.name], constraint.allowed_values.list
    if allowed.s:
        return value.s in allowed.s
    kinds = [value.type] if value.type else list(value.list.type)
    return bool(kinds) and kinds[0] in allowed.type


def _copies(node, place, nodes, places):
    """Inputs that lie on the other side: the side needed, their source, their dtype."""
    data = [name for name in node.input if not name.startswith("^")]
    for name, side, kind in zip(data, place.inputs, place.types, strict=True):
        source, _, number = name.partition(":")
        source = (source, int(number or 0))
        if kind in HANDLES or _root(source[0], nodes).op == "Const":
            continue  # a constant is put where it is needed
        if places[source[0]].outputs[source[1]] != side:
            yield side, source, types_pb2.DataType.Name(kind)[3:].lower()


def _root(name, nodes):
    """The node behind what only hands a tensor on."""
    node = nodes[name]
    while node.op in ("Enter", "Identity") and node.input:
        node = nodes[node.input[0].lstrip("^").split(":")[0]]
    return node
