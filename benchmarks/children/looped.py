"""What `loop_sdk` prints; apart from it, because it imports the SDK."""

import msgspec


class Looped(msgspec.Struct, frozen=True):
    """The conflicts of all pairs, and the processor time of all but the first."""

    conflicts: int
    cpu_seconds: float
