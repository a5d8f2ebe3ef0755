"""What the API answers when it says no: one shape, named in OpenAPI for each status an operation may answer."""

from typing import Any

from ninja import Schema


class Problem(Schema):
    """code: in capitals, for programs; message: for people; field: which value; details: more about it."""

    code: str
    message: str
    field: str = ""
    details: dict[str, Any] = {}


def problems(*statuses: int) -> dict[int, Any]:
    """For `response=`: {404: Problem, ...}; 401 is always there."""
    return dict.fromkeys((401, *statuses), Problem)
