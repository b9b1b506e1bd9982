"""What may come next: functions that change the scores of the next token."""

from tf_led.generation.processors.base import Processor
from tf_led.generation.processors.constraints import (
    ForcedBOS,
    ForcedEOS,
    NoBadWords,
    SequenceBias,
    SuppressTokens,
    SuppressTokensAtBegin,
)
from tf_led.generation.processors.custom import (
    CustomProcessor,
    PrefixAllowedTokens,
    as_processor,
    merge_processors,
)
from tf_led.generation.processors.cutoffs import Epsilon, Eta, MinP, TopH, TopK
from tf_led.generation.processors.diversity import HammingDiversity
from tf_led.generation.processors.lengths import (
    ExponentialDecayLength,
    MinLength,
    MinNewTokens,
)
from tf_led.generation.processors.repetition import (
    EncoderNoRepeatNGram,
    EncoderRepetitionPenalty,
    NoRepeatNGram,
    RepetitionPenalty,
)
from tf_led.generation.processors.sampling_filters import (
    InfNanRemove,
    LogitNormalization,
    Temperature,
    TopP,
    Typical,
)

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
