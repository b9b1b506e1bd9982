"""How much memory a traced graph will want, told from the shapes of its tensors."""

import math


def largest_tensor(graph):
    """Elements of the largest tensor of a graph, its loops and branches included."""
    return max(max(_sizes(nodes).values()) for nodes in _functions(graph))


def kept_per_turn(graph):
    """Elements that loops put aside in each turn for a gradient yet to come."""
    kept = 0
    for nodes in _functions(graph):
        sizes = _sizes(nodes)
        pushed = [node.input[1] for node in nodes if node.op == "TensorListPushBack"]
        # What comes from outside the loop, such as its counter, has no node here.
        kept += sum(sizes.get(_output(name), 0) for name in pushed)
    return kept


def kept_for_gradient(graph):
    """The tensors that a function called in a graph hands on to its gradient.

    Args:
        graph: of a `tf.function` that takes the gradient of a call of one other.

    Returns:
        List of tensors, each once: what is reshaped or only named again is its origin.
        Beside what is computed there, these are arguments and constants.
    """
    calls = [op for op in graph.get_operations() if op.type.endswith("PartitionedCall")]
    name = calls[0].get_attr("f").name  # the other is the gradient
    _, *kept = graph._get_function(name).graph.outputs
    return [ref.deref() for ref in {_origin(tensor).ref() for tensor in kept}]


def _origin(tensor):
    while tensor.op.type in {"Identity", "IdentityN", "Reshape", "EnsureShape"}:
        place = tensor.value_index if tensor.op.type == "IdentityN" else 0
        tensor = tensor.op.inputs[place]
    return tensor


def _functions(graph):
    """The nodes of a graph, of its loops and of its branches."""
    definition = graph.as_graph_def(add_shapes=True)
    yield definition.node
    for function in definition.library.function:
        yield function.node_def


def _output(name):
    """Node and number of an output: "node:result:2" in a function, else "node:2"."""
    node, *_, number = [*name.split(":"), "0"] if ":" not in name else name.split(":")
    return node, int(number)


def _sizes(nodes):
    """Elements of every output, 0 where its shape is open."""
    return {
        (node.name, number): max(0, math.prod(dim.size for dim in shape.dim))
        for node in nodes
        for number, shape in enumerate(node.attr["_output_shapes"].list.shape)
    }
