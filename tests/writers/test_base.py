from __future__ import annotations

import pytest

from agenther.errors import WriteError
from agenther.writers.base import check_json


def test_a_name_that_arrow_would_cut_is_refused() -> None:
    check_json({"content": "a \0 in a text", "quoted": '"\\u0000":'})
    with pytest.raises(WriteError, match="NUL"):
        check_json({"calls": [{"arguments": {"a\0": 1}}]})
