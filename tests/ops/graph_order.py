"""What a traced graph runs before what."""


def all_before(op):
    """The operations that an operation waits for, for their results or their end."""
    found, waiting = set(), [op]
    while waiting:
        op = waiting.pop()
        before = {*op.control_inputs, *(tensor.op for tensor in op.inputs)} - found
        found |= before
        waiting += before
    return found
