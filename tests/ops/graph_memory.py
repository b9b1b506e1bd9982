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
        kept += sum(sizes.get(name.split(":")[0], 0) for name in pushed)
    return kept


def _functions(graph):
    """The nodes of a graph, of its loops and of its branches."""
    definition = graph.as_graph_def(add_shapes=True)
    yield definition.node
    for function in definition.library.function:
        yield function.node_def


def _sizes(nodes):
    """Elements of the largest output of every node, by the node's name."""
    return {
        node.name: max(
            (
                math.prod(dim.size for dim in shape.dim)
                for shape in node.attr["_output_shapes"].list.shape
            ),
            default=0,
        )
        for node in nodes
    }
