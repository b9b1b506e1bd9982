"""Where PyTorch's workers compute: on the GPU where there is one."""

import measure
import torch


class Gpu:
    """See `measure.Host`; memory is what PyTorch's allocator gave out."""

    wait = staticmethod(torch.cuda.synchronize)
    forget_peak = staticmethod(torch.cuda.reset_peak_memory_stats)
    peak_bytes = staticmethod(torch.cuda.max_memory_allocated)


NAME = "cuda" if torch.cuda.is_available() else "cpu"
if NAME == "cuda":
    measure.device = Gpu()
    # As TensorFlow multiplies float32 by itself, and the machine's rate is measured.
    torch.backends.cuda.matmul.allow_tf32 = True
