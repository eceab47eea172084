"""Spans of time: what people write, what is refused, and the words for both."""

from datetime import date, datetime, timedelta
from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from flows.durations import Bounds, Duration, Period, elapsed, offset, seconds, shift, words


class Form(BaseModel):
    wait: Duration = "PT1H"
    short: Annotated[str, Bounds("PT1M", "PT1H")] = "PT5M"
    move: Period = "P0D"


@pytest.mark.parametrize(
    ("text", "length"),
    [("PT1S", 1), ("PT10M", 600), ("P1D", 86_400), ("P1W", 604_800), ("P1DT2H3M4S", 93_784), ("PT0S", 0)],
)
def test_a_duration_is_elapsed_time(text: str, length: int) -> None:
    assert seconds(text) == length
    assert elapsed(text) == timedelta(seconds=length)


@pytest.mark.parametrize("text", ["P1M", "P1Y", "P1Y2M", "P2M3D"])
def test_months_have_no_length_and_the_answer_says_what_to_write(text: str) -> None:
    with pytest.raises(ValueError, match="write days, such as P30D"):
        seconds(text)


@pytest.mark.parametrize(
    "text", ["", "P", "PT", "P1DT", "1h", "p1d", "PT1.5S", "-P1D", "P１D", "PT1S\n", "P1D1D", "PT99999999999H"]
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a length of time"):
        seconds(text)


@given(st.text())
def test_any_text_is_a_duration_or_a_sentence(text: str) -> None:
    try:
        said = words(text)
    except ValueError as error:
        said = str(error)
    assert said


def test_a_form_says_where_the_bounds_are() -> None:
    with pytest.raises(ValidationError) as caught:
        Form(wait="P366D", short="PT1S", move="soon")
    messages = [error["msg"] for error in caught.value.errors()]
    assert messages[0] == "must be between 1 second and 365 days"
    assert messages[1] == "must be between 1 minute and 1 hour"
    assert messages[2].startswith('"soon" is not a period: write P1Y')
    assert Form(wait="P365D").wait == "P365D"


def test_the_schema_of_a_duration_tells_a_form_what_to_draw() -> None:
    schema = Form.model_json_schema()["properties"]
    assert schema["wait"] | {"pattern": ""} == {
        "type": "string",
        "format": "duration",
        "default": "PT1H",
        "title": "Wait",
        "pattern": "",
        "x-minimum": "PT1S",
        "x-maximum": "P365D",
    }
    assert schema["move"]["format"] == "period"


def test_durations_are_said_in_both_languages() -> None:
    assert words("P1DT2H") == "1 day 2 hours"
    assert words("PT10M", "zh") == "10 分钟"
    assert words("PT0S") == "0 seconds"


def test_a_month_later_is_the_same_day_or_the_last_of_the_month() -> None:
    assert shift(date(2026, 1, 31), "P1M") == date(2026, 2, 28)
    assert shift(date(2024, 2, 29), "P1Y") == date(2025, 2, 28)
    assert shift(date(2024, 2, 29), "P4Y") == date(2028, 2, 29)
    assert shift(date(2026, 3, 31), "-P1M") == date(2026, 2, 28)
    assert shift(date(2026, 3, 5), "-P3D") == date(2026, 3, 2)
    assert shift(datetime(2026, 3, 5, 1), "-PT2H") == datetime(2026, 3, 4, 23)  # noqa: DTZ001 - a wall time
    assert shift(date(2026, 3, 5), "-PT2H") == date(2026, 3, 4)
    assert shift(date(2026, 12, 31), "P1Y2M1W") == date(2028, 3, 7)


def test_a_period_has_a_reach() -> None:
    with pytest.raises(ValueError, match="at most 200 years"):
        offset("P9999Y")
    with pytest.raises(OverflowError):
        shift(date(9999, 12, 31), "P1Y")
    with pytest.raises(ValueError, match="is not a period"):
        offset("P")
