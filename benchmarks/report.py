"""The results as a table: ours beside the peers, and how near the floor."""

import statistics

from benchmarks import floor, plan

GB = 1e9
HEADER = [
    "work",
    "tokens",
    "dtype",
    *plan.PEERS,
    "times PyTorch",
    "times the other peer",
    "of the floor",
]


def markdown(results):
    """The whole report.

    Args:
        results: what `run.run_all` returns.

    Returns:
        str, Markdown. Cells are seconds (median over all turns) and, in brackets, the
        peak of memory in GB, weights included: of the process with its libraries, or
        of the GPU.
    """
    lines = [describe(results), "", row(HEADER), row("---" for _ in HEADER)]
    lines += [row(cells(item, results)) for item in results["rows"]]
    lines += ["", *generation(results)]
    return "\n".join(lines).strip() + "\n"


def describe(results):
    machine, rates = results["machine"], average(results["rates"])
    units = ", ".join(machine["bfloat16_units"]) or "none"
    gpu = f"GPU: {machine['gpu']}. " if machine.get("gpu") else ""
    size = machine.get("product_size", 4096)
    return (
        f"{gpu}{machine['processor']}, {machine['cores']} cores, "
        f"{machine['memory_bytes'] / GB:.0f} GB; bfloat16 units: {units}. "
        f"TensorFlow {machine['tensorflow']}. Products of {size:,} x {size:,}: "
        f"{rates['products float32'] / GB:.0f} GFLOP/s in float32, "
        f"{rates['products bfloat16'] / GB:.0f} in bfloat16; memory is read at "
        f"{rates['reading float32'] / GB:.1f} GB/s."
    )


def average(rates):
    """Mean of the rates measured before and after."""
    return {name: statistics.mean(rate[name] for rate in rates) for name in rates[0]}


def row(values):
    return f"| {' | '.join(values)} |"


def cells(item, results):
    name = item["name"]
    if item["work"] == "generate":
        name += f", {item['target_len']} new"
    shown = [shown_result(item["results"].get(peer)) for peer in plan.PEERS]
    ratios = [
        shown_ratio(item, plan.PYTORCH),
        shown_ratio(item, plan.OLD_TF) or shown_ratio(item, plan.FLEX),
    ]
    dtype = item["dtype"]
    return [
        name,
        f"{item['source_len']:,}",
        dtype,
        *shown,
        *ratios,
        floor_fraction(item, results),
    ]


def shown_result(result):
    if result is None:
        return ""
    if "error" in result:
        return f"fails: {result['error'][:60].replace('|', '/')}"
    return f"{shown_seconds(median(result))} ({result['peak_bytes'] / GB:.1f} GB)"


def shown_seconds(seconds):
    return f"{seconds:.2f} s" if seconds >= 0.1 else f"{1000 * seconds:.2f} ms"


def shown_ratio(item, peer):
    times = ratio(item, peer)
    return f"{times:.2f}" if times else ""


def ratio(item, peer):
    """How many times as fast as the peer ours is, or None."""
    ours, theirs = item["results"].get(plan.OURS), item["results"].get(peer)
    if not is_measured(ours) or not is_measured(theirs):
        return None
    return median(theirs) / median(ours)


def is_measured(result):
    return result is not None and "error" not in result


def median(result):
    return statistics.median(result["seconds"])


def floor_fraction(item, results):
    """The floor's time over ours, as a percentage."""
    flop, ours = floor.flop(item), item["results"].get(plan.OURS)
    if flop is None or not is_measured(ours):
        return ""
    dtype = "bfloat16" if item["bfloat16_products"] else item["dtype"]
    rate = average(results["rates"])[f"products {dtype}"]
    return f"{flop / rate / median(ours):.0%}"


def generation(results):
    """Tokens a second of encoder and decoder apart, for every generation."""
    lines = []
    for item in results["rows"]:
        if item["work"] == "generate":
            lines += generation_lines(item, results)
    if not lines:
        return []
    names = ["generation", "dtype", "peer", "encoder tokens/s", "decoder steps/s"]
    names += ["ms a step", "of the memory floor"]
    return [row(names), row("---" for _ in names), *lines]


def generation_lines(item, results):
    lines = []
    for peer, result in item["results"].items():
        encoder = encoder_result(item, peer, results)
        if not is_measured(result) or not is_measured(encoder):
            continue
        step = (median(result) - median(encoder)) / item["target_len"]
        values = [
            item["name"],
            item["dtype"],
            peer,
            f"{item['source_len'] / median(encoder):,.0f}",
            f"{1 / step:.1f}",
            f"{1000 * step:.0f}",
            f"{step_floor(item, results) / step:.0%}",
        ]
        lines.append(row(values))
    return lines


def encoder_result(item, peer, results):
    alike = "source_len", "dtype"
    for other in results["rows"]:
        if other["work"] == "encode" and all(other[x] == item[x] for x in alike):
            return other["results"].get(peer)
    return None


def step_floor(item, results):
    """Seconds to read once what a decoding step needs."""
    rate = average(results["rates"])["reading float32"]
    return floor.step_bytes(item) / rate
