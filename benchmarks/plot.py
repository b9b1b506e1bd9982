"""The picture of the README: seconds of a forward pass against the length."""

from benchmarks import floor, plan, report

COLOURS = {
    plan.OURS: "#d1495b",
    plan.PYTORCH: "#30638e",
    plan.OLD_TF: "#edae49",
    plan.FLEX: "#66a182",
}


def draw(results, path):
    """Draws time and memory of the float32 forward pass.

    Args:
        results: what `run.run_all` returns, with at least one forward row.
        path: where the PNG goes.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, (times, memory) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    rows = [item for item in results["rows"] if is_plain_forward(item)]
    for peer in plan.PEERS:
        draw_peer(times, memory, peer, rows)
    draw_floor(times, rows, results)
    label(times, "seconds for one document")
    label(memory, "peak memory, GB")
    machine = results["machine"]
    where = f"{machine['processor']}, {machine['cores']} cores"
    figure.suptitle(
        f"Forward pass, led-base size, float32: {machine.get('gpu') or where}",
        fontsize=11,
    )
    figure.savefig(path, dpi=150)
    plt.close(figure)


def is_plain_forward(item):
    plain = item["dtype"] == "float32" and not item["bfloat16_products"]
    return item["work"] == "forward" and plain


def draw_peer(times, memory, peer, rows):
    found = [
        (item["source_len"], item["results"][peer])
        for item in rows
        if report.is_measured(item["results"].get(peer))
    ]
    if not found:
        return
    lengths = [length for length, _ in found]
    style = {"marker": "o", "color": COLOURS[peer], "label": peer}
    times.plot(lengths, [report.median(result) for _, result in found], **style)
    memory.plot(lengths, [result["peak_bytes"] / 1e9 for _, result in found], **style)


def draw_floor(times, rows, results):
    rate = report.average(results["rates"])["products float32"]
    lengths = [item["source_len"] for item in rows]
    seconds = [floor.flop(item) / rate for item in rows]
    style = {"color": "#777777", "linestyle": ":", "label": "matrix products alone"}
    times.plot(lengths, seconds, **style)


def label(axes, quantity):
    from matplotlib import ticker

    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_xlabel("tokens in the document")
    axes.set_ylabel(quantity)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.yaxis.set_major_locator(ticker.LogLocator(subs=[1, 2, 5]))
    axes.yaxis.set_minor_locator(ticker.NullLocator())
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
