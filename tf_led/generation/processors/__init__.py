"""What may come next: functions that change the scores of the next token."""

from tf_led.generation.processors.base import Processor
from tf_led.generation.processors.bias import NoBadWords, SequenceBias
from tf_led.generation.processors.cutoffs import Epsilon, Eta
from tf_led.generation.processors.diversity import HammingDiversity
from tf_led.generation.processors.forced import (
    ForcedBOS,
    ForcedEOS,
)
from tf_led.generation.processors.lengths import (
    ExponentialDecayLength,
    MinLength,
    MinNewTokens,
)
from tf_led.generation.processors.merge import as_processor, merge_processors
from tf_led.generation.processors.ngrams import EncoderNoRepeatNGram, NoRepeatNGram
from tf_led.generation.processors.python_only import (
    CustomProcessor,
    PrefixAllowedTokens,
)
from tf_led.generation.processors.repetition import (
    EncoderRepetitionPenalty,
    RepetitionPenalty,
)
from tf_led.generation.processors.scaling import (
    InfNanRemove,
    LogitNormalization,
    Temperature,
)
from tf_led.generation.processors.suppress import SuppressTokens, SuppressTokensAtBegin
from tf_led.generation.processors.thresholds import MinP, TopK
from tf_led.generation.processors.top_h import TopH
from tf_led.generation.processors.top_p import TopP
from tf_led.generation.processors.typical import Typical

__all__ = [
    "CustomProcessor",
    "EncoderNoRepeatNGram",
    "EncoderRepetitionPenalty",
    "Epsilon",
    "Eta",
    "ExponentialDecayLength",
    "ForcedBOS",
    "ForcedEOS",
    "HammingDiversity",
    "InfNanRemove",
    "LogitNormalization",
    "MinLength",
    "MinNewTokens",
    "MinP",
    "NoBadWords",
    "NoRepeatNGram",
    "PrefixAllowedTokens",
    "Processor",
    "RepetitionPenalty",
    "SequenceBias",
    "SuppressTokens",
    "SuppressTokensAtBegin",
    "Temperature",
    "TopH",
    "TopK",
    "TopP",
    "Typical",
    "as_processor",
    "merge_processors",
]
