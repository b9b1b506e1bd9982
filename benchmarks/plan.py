"""What is measured: cases, each a work at a size that several peers do."""

from dataclasses import asdict, dataclass

from benchmarks import machine

OURS = "tf_led"
PYTORCH = "PyTorch LED"
OLD_TF = "TF LED (transformers 4)"
FLEX = "FlexAttention"
PEERS = OURS, PYTORCH, OLD_TF, FLEX

LENGTHS = 1024, 4096, 8192, 16_384, 65_536
# The old TF LED takes about 0.7 GB for each 1,024 tokens, PyTorch about 0.35.
OLD_TF_LIMIT = 16_384
PYTORCH_LIMIT = 16_384
LONG = 8192  # from here on a call takes long enough to be timed once
SHOWN = 4096, 16_384  # where other dtypes and parts are measured too
MORE_ON_GPU = 9  # repeats of each call
PRODUCT_SWITCH = {"TF_SET_ONEDNN_FPMATH_MODE": "BF16"}


@dataclass(frozen=True)
class Case:
    """One work at one size; its name is a row of the table."""

    work: str
    source_len: int = 0
    target_len: int = 128
    dtype: str = "float32"
    num_beams: int = 1
    checkpointing: bool = False
    peers: tuple = (OURS,)
    num_repeats: int = 2
    bfloat16_products: bool = False

    @property
    def name(self):
        how = f", {self.num_beams} beams" * (self.num_beams > 1)
        how += ", checkpointing" * self.checkpointing
        how += ", bfloat16 products" * self.bfloat16_products
        return f"{self.work.replace('_', ' ')}{how}"

    def job(self):
        """What the worker is told, as JSON values."""
        return {**asdict(self), "peers": None}


def rates():
    """The machine's own speed, measured before and after everything else."""
    return [
        Case("products", dtype="float32"),
        Case("products", dtype="bfloat16"),
        Case("reading"),
    ]


def all_cases(lengths=LENGTHS):
    return [
        *forward_cases(lengths),
        *attention_cases(lengths),
        *train_cases(lengths),
        *generate_cases(lengths),
        *first_cases(),
    ]


def forward_cases(lengths):
    cases = []
    for length in lengths:
        peers = [OURS]
        peers += [PYTORCH] * (length <= PYTORCH_LIMIT)
        peers += [OLD_TF] * (length <= OLD_TF_LIMIT)
        once = {"num_repeats": 1 if length >= LONG else 2}
        cases.append(Case("forward", length, peers=tuple(peers), **once))
        if length in SHOWN:
            both = {"dtype": "bfloat16", "peers": (OURS, PYTORCH)}
            cases.append(Case("forward", length, **both, **once))
        if length in SHOWN and "amx_bf16" in machine.flags():
            # Elsewhere the switch changes nothing.
            cases.append(Case("forward", length, bfloat16_products=True, **once))
    return cases


def attention_cases(lengths):
    return [
        Case("attention", length, dtype=dtype, peers=(OURS, FLEX), num_repeats=5)
        for length in lengths
        if length in SHOWN
        for dtype in ("float32", "bfloat16")
    ]


def train_cases(lengths):
    """Steps at 4,096 tokens, and with checkpointing at 16,384."""
    both = {"peers": (OURS, PYTORCH)}
    # Three, for the first of them still fills pools of memory.
    cases = [Case("train", 4096, num_repeats=3, **both)] if 4096 in lengths else []
    if 16_384 in lengths:
        how = {"checkpointing": True, "num_repeats": 1}
        cases.append(Case("train", 16_384, **how, **both))
    return cases


def generate_cases(lengths):
    """64 new tokens; the encoder alone beside them, so that each gets its own rate."""
    if 8192 not in lengths:
        return []
    both = OURS, PYTORCH
    cases = []
    for dtype in ("float32", "bfloat16"):
        cases.append(Case("encode", 8192, dtype=dtype, peers=both, num_repeats=1))
        for num_beams in (1, 4):
            cases.append(
                Case(
                    "generate",
                    8192,
                    64,
                    dtype,
                    num_beams=num_beams,
                    peers=both,
                    num_repeats=1,
                )
            )
    return cases


def first_cases():
    """What a user waits for the first time: mostly TensorFlow's tracing."""
    return [
        Case("first_forward", 1024),
        Case("first_generate", 1024, 16),
        Case("first_fit", 256, 64),
        Case("summarize", 1584),
    ]
