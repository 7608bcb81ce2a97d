"""What `decide` prints; apart from it, because it imports the app."""

import msgspec


class Single(msgspec.Struct, frozen=True, array_like=True):
    """Decisions about one subject.

    Attributes:
        requests: to Graph, the most of any decision.
        own: seconds of processor time without the SDK's transport, the median.
        whole: the same with it.
    """

    requests: int
    own: float
    whole: float


class Batch(msgspec.Struct, frozen=True, array_like=True):
    """One batch: requests as Graph throttles, seconds of processor time, the decisions."""

    requests: int
    cpu: float
    decisions: list[str]


class Decided(msgspec.Struct, frozen=True, array_like=True):
    """Of a subject with assignments, of one without, and of many, asked live and by index."""

    holder: Single
    stranger: Single
    live: Batch
    by_index: Batch
