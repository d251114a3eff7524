"""What each framework trains of our rows, by its own loader and template: one file a consumer, run where it is installed.

An encoder imports nothing of this package that needs more than Python itself (but `trl`, which is ours): its framework may
live in an environment of its own, with other versions of everything. `python -m agenther.train.encoders` runs one there.
"""

from agenther.train.encoders.base import ENCODERS, Encoded, Encoder, Encoding, Part, load_encoder

__all__ = ["ENCODERS", "Encoded", "Encoder", "Encoding", "Part", "load_encoder"]
