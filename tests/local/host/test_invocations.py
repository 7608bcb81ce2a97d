import pytest

from local.host.invocations import child_of

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_an_invocation_is_a_span_of_its_callers_trace() -> None:
    """The trace and its flags stay, the span is new."""
    version, trace, span, flags = child_of(PARENT).split("-")
    assert (version, trace, flags) == ("00", "0af7651916cd43dd8448eb211c80319c", "01")
    assert span != "b7ad6b7169203331"


@pytest.mark.parametrize("parent", ["", "nonsense", "00-ab-cd-01"])
def test_without_a_trace_a_new_one_begins(parent: str) -> None:
    """Each invocation has a trace of its own then."""
    assert [len(part) for part in child_of(parent).split("-")] == [2, 32, 16, 2]
    assert child_of(parent) != child_of(parent)
