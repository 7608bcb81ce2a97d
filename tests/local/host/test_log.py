import json
import logging

from local.host.log import JsonLines, TextLines, current_invocation


def record(message: str, *arguments: object, **extra: object) -> logging.LogRecord:
    logger = logging.getLogger("sample")
    return logger.makeRecord(
        "sample", logging.INFO, "f.py", 1, message, arguments, None, extra=extra
    )


def test_a_text_line_has_time_level_logger_and_message() -> None:
    """One line for a person to read."""
    line = TextLines().format(record("checked %s", "a"))
    assert line.endswith("Z INFO    sample: checked a")


def test_a_json_line_has_the_extra_fields() -> None:
    """What a record carries beside its message is in the object."""
    current_invocation.set("i-1")
    line = json.loads(JsonLines().format(record("checked %s", "a", action="checked", pairs=3)))
    assert line.items() >= {"message": "checked a", "action": "checked", "pairs": 3}.items()
    assert line["invocation"] == "i-1"
    assert "args" not in line


def test_an_exception_is_in_the_line() -> None:
    """Its stack trace follows the text, or is a field of the object."""
    failed = record("failed")
    error = ValueError("no")
    failed.exc_info = (ValueError, error, None)
    assert TextLines().format(failed).endswith("failed\nValueError: no")
    assert json.loads(JsonLines().format(failed))["exception"] == "ValueError: no"
